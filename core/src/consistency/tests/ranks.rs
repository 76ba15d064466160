//! The rule of ranks: the higher rank wins, and the database where ranks are equal.

use super::fixture::*;
use crate::diagnostic::Severity;
use crate::model::{ItemStatus, WorkplanTaskStatus};

const CLASSIC: [(&str, WorkplanTaskStatus); 5] = [
    ("todo", WorkplanTaskStatus::Todo),
    ("in_progress", WorkplanTaskStatus::InProgress),
    ("blocked", WorkplanTaskStatus::Blocked),
    ("done", WorkplanTaskStatus::Done),
    ("cancelled", WorkplanTaskStatus::Cancelled),
];

const SHORT: [(&str, WorkplanTaskStatus); 5] = [
    ("todo", WorkplanTaskStatus::Todo),
    ("progress", WorkplanTaskStatus::InProgress),
    ("wait", WorkplanTaskStatus::Blocked),
    ("done", WorkplanTaskStatus::Done),
    ("cancel", WorkplanTaskStatus::Cancelled),
];

/// The outcome of a pair of statuses, written down independently of the rules.
#[derive(Debug, PartialEq)]
enum Outcome {
    Equal,
    Database(ItemStatus),
    File(&'static str),
    Stays,
}

fn expected(
    word: &str,
    row: ItemStatus,
    words: &[(&'static str, WorkplanTaskStatus); 5],
) -> Outcome {
    use ItemStatus as I;
    let [todo, progress, wait, done, cancel] = words.map(|(word, _)| word);
    let file = |index: &'static str| {
        if index == word { Outcome::Equal } else { Outcome::File(index) }
    };
    match row {
        I::Failed if word == done || word == cancel => Outcome::Stays,
        I::Completed => file(done),
        I::Cancelled => file(cancel),
        // Only the database has this status, of rank 2.
        I::Failed => Outcome::Stays,
        I::Running | I::Blocked if word == done => Outcome::Database(I::Completed),
        I::Running | I::Blocked if word == cancel => Outcome::Database(I::Cancelled),
        I::Running => file(progress),
        I::Blocked => file(wait),
        I::Queued | I::Ready => match word {
            _ if word == todo => Outcome::Equal,
            _ if word == progress => Outcome::Database(I::Running),
            _ if word == wait => Outcome::Database(I::Blocked),
            _ if word == done => Outcome::Database(I::Completed),
            _ => Outcome::Database(I::Cancelled),
        },
    }
}

fn every_pair(words: &[(&'static str, WorkplanTaskStatus); 5], mark: &str) {
    for (word, _) in *words {
        for row in ItemStatus::ALL {
            let pair = format!("file {word}, row {row}");
            // The second task keeps the vocabulary of the file, and keeps the workplan open.
            let tasks = [("T01", "todo"), ("T02", mark)];
            let mut scene = Fixture::linked("active", &tasks);
            scene.force_status("A-WP-1-T01", row);
            scene.set_file_status("a.md", "T01", word);
            let before = scene.read_workplan("a.md");
            let all = scene.findings();
            let found: Vec<_> = all
                .iter()
                .filter(|it| it.divergence.subject == "A-WP-1-T01")
                .map(|it| {
                    (
                        it.divergence.code.as_str(),
                        it.divergence.authority,
                        it.divergence.advice.kind().row().codes().contains(&it.divergence.code),
                    )
                })
                .collect();
            let outcome = expected(word, row, words);
            match &outcome {
                Outcome::Equal => assert_eq!(found, [], "{pair}"),
                Outcome::Database(_) => assert_eq!(found, [("C-10", "file", true)], "{pair}"),
                Outcome::File(_) | Outcome::Stays => {
                    assert_eq!(found, [("C-15", "database", true)], "{pair}");
                }
            }
            scene.apply_fixes();
            match outcome {
                Outcome::Database(to) => {
                    assert_eq!(scene.item_status("A-WP-1-T01"), to, "{pair}");
                    assert_eq!(scene.read_workplan("a.md"), before, "{pair}");
                }
                Outcome::File(to) => {
                    assert_eq!(scene.item_status("A-WP-1-T01"), row, "{pair}");
                    scene_says(&scene, &before, word, to, &pair);
                }
                Outcome::Equal | Outcome::Stays => {
                    assert_eq!(scene.item_status("A-WP-1-T01"), row, "{pair}");
                    assert_eq!(scene.read_workplan("a.md"), before, "{pair}");
                }
            }
            let after = scene.read_workplan("a.md");
            scene.apply_fixes();
            assert_eq!(scene.read_workplan("a.md"), after, "{pair} twice");
        }
    }
}

/// Asserts that exactly one line of the file changed.
#[track_caller]
fn scene_says(scene: &Fixture, before: &str, from: &str, to: &str, pair: &str) {
    let after = scene.read_workplan("a.md");
    let lines = before.lines().zip(after.lines());
    let other: Vec<_> = lines.filter(|(old, new)| old != new).collect();
    let (old, new) = (format!("status: {from}"), format!("status: {to}"));
    assert_eq!(other, [(&*old, &*new)], "{pair}");
    assert_eq!(before.lines().count(), after.lines().count());
}

#[test]
fn every_pair_in_the_classic_words() {
    every_pair(&CLASSIC, "in_progress");
}

#[test]
fn every_pair_in_the_short_words() {
    every_pair(&SHORT, "progress");
}

#[test]
fn other_spellings_are_understood_and_left_as_they_are() {
    for (word, row) in [
        ("In Progress", ItemStatus::Running),
        ("waiting", ItemStatus::Blocked),
        ("canceled", ItemStatus::Cancelled),
        ("complete", ItemStatus::Completed),
        ("TODO", ItemStatus::Queued),
    ] {
        let mut scene = Fixture::linked("active", &[("T01", "todo"), ("T02", "todo")]);
        scene.force_status("A-WP-1-T01", row);
        scene.force_status("A-WP-1", ItemStatus::Running);
        scene.set_file_status("a.md", "T01", word);
        assert_eq!(scene.codes(), [""; 0], "{word}");
        let before = scene.read_workplan("a.md");
        scene.apply_fixes();
        assert_eq!(scene.read_workplan("a.md"), before);
    }
}

#[test]
fn a_failed_item_is_reported_and_neither_side_changes() {
    let mut scene = Fixture::linked("active", &[("T01", "done"), ("T02", "todo")]);
    scene.force_status("A-WP-1-T02", ItemStatus::Failed);
    let found = scene.only_finding("C-15");
    assert_eq!(
        found.divergence.advice.to_string(),
        "trueup item reopen A-WP-1-T02 --reason 'work continues' && trueup check --fix"
    );
    let message = found.divergence.message;
    assert!(message.contains("failed in the database but todo in the file"), "{message}");
    assert!(message.starts_with("workplans/a.md:"), "{message}");
}

#[test]
fn the_line_of_c15_names_both_words_and_the_place_of_the_word() {
    let mut scene = Fixture::linked("active", &[("T01", "wait"), ("T02", "todo")]);
    scene.force_status("A-WP-1-T01", ItemStatus::Completed);
    let found = scene.only_finding("C-15");
    let place = found.place.unwrap();
    let text = scene.read_workplan("a.md");
    let line = text.lines().nth(place.line as usize - 1).unwrap();
    assert_eq!((line, place.column), ("status: wait", 9));
    assert_eq!(
        found.divergence.message,
        format!(
            "workplans/a.md:{}:9: task 'Task T01' is done in the database but wait in the file",
            place.line
        )
    );
    assert_eq!(found.divergence.expected.as_deref(), Some("done"));
    assert_eq!(found.divergence.found.as_deref(), Some("wait"));
    assert_eq!(found.divergence.advice.to_string(), "trueup check --fix");
}

/// Asserts what follows from the status in a file and the status in the database.
#[test]
fn workplans_go_forward_by_their_file_and_never_back() {
    use ItemStatus as I;
    for (word, row, code, after) in [
        ("active", I::Running, None, I::Running),
        ("active", I::Queued, Some("file"), I::Running),
        ("ready", I::Queued, None, I::Queued),
        ("proposed", I::Ready, None, I::Ready),
        ("backlog", I::Running, Some("database"), I::Running),
        ("finished", I::Running, Some("file"), I::Completed),
        ("completed", I::Queued, Some("file"), I::Completed),
        ("blocked", I::Running, Some("database"), I::Running),
        ("active", I::Completed, Some("database"), I::Completed),
        ("done", I::Cancelled, Some("database"), I::Cancelled),
        ("archived", I::Completed, None, I::Completed),
        ("archived", I::Cancelled, None, I::Cancelled),
        ("archived", I::Failed, None, I::Failed),
        ("archived", I::Running, Some("file"), I::Completed),
    ] {
        let pair = format!("file {word}, row {row}");
        let mut scene = Fixture::linked("proposed", &[("T01", "todo")]);
        scene.force_status("A-WP-1", row);
        scene.replace_text("a.md", "status: proposed", &format!("status: {word}"));
        let before = scene.read_workplan("a.md");
        let found = scene.findings();
        let found: Vec<_> =
            found.iter().map(|it| (it.divergence.code.as_str(), it.divergence.authority)).collect();
        let expected: Vec<_> = code.map(|authority| ("C-04", authority)).into_iter().collect();
        assert_eq!(found, expected, "{pair}");
        // The task, which is not started, explains none of these statuses.
        let all = scene.findings();
        assert!(all.iter().all(|it| it.divergence.severity == Severity::Warning), "{pair}");
        scene.apply_fixes();
        assert_eq!(scene.item_status("A-WP-1"), after, "{pair}");
        assert_eq!(scene.read_workplan("a.md"), before, "{pair}");
    }
}

#[test]
fn a_front_matter_that_lags_behind_its_own_tasks_is_no_warning() {
    let mut scene = Fixture::linked("active", &[("T01", "done"), ("T02", "todo")]);
    scene.set_file_status("a.md", "T02", "cancelled");
    scene.apply_fixes();
    assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Completed);
    let found = scene.only_finding("C-04");
    assert_eq!(word(found.divergence.severity), "info");
    let more = scene.read_workplan("a.md") + "\n### More\n\n```task\nid: T03\nstatus: todo\n```\n";
    scene.write_workplan("a.md", &more);
    scene.apply_fixes();
    let found = scene.only_finding("C-04");
    assert_eq!(word(found.divergence.severity), "warning");
    let fix = found.divergence.advice.to_string();
    assert!(fix.starts_with("trueup item reopen A-WP-1 "), "{fix}");
}

#[test]
fn a_reopened_item_is_not_finished_again_by_its_file() {
    let mut scene = Fixture::linked("active", &[("T01", "done"), ("T02", "todo")]);
    scene.force_status("A-WP-1-T01", ItemStatus::Queued);
    let found = scene.only_finding("C-10").divergence;
    assert_eq!((found.authority, found.severity), ("database", Severity::Warning));
    let advice = found.advice.to_string();
    assert_eq!(advice, "correct workplans/a.md:12, then run `trueup check --fix`");
    scene.apply_fixes();
    assert_eq!(scene.item_status("A-WP-1-T01"), ItemStatus::Queued);
    assert!(scene.read_workplan("a.md").contains("status: done\n"));
    // What the advice says ends it.
    scene.set_file_status("a.md", "T01", "todo");
    scene.apply_fixes();
    assert!(!scene.codes().contains(&"C-10"));
    assert_eq!(scene.item_status("A-WP-1-T01"), ItemStatus::Queued);
    // A file still reports progress; only a command finishes the item again.
    scene.set_file_status("a.md", "T01", "in_progress");
    scene.apply_fixes();
    assert_eq!(scene.item_status("A-WP-1-T01"), ItemStatus::Running);
    scene.force_status("A-WP-1-T01", ItemStatus::Completed);
    scene.apply_fixes();
    assert!(!scene.read_workplan("a.md").contains("in_progress"));
    assert_eq!(scene.codes(), [""; 0]);
}

#[test]
fn a_workplan_that_was_reopened_is_not_closed_again_by_its_tasks() {
    let mut scene = Fixture::linked("active", &[("T01", "done")]);
    assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Completed);
    scene.force_status("A-WP-1", ItemStatus::Queued);
    let fix = scene.only_finding("C-13").divergence.advice.to_string();
    assert_eq!(fix, "trueup item transition A-WP-1 completed");
    scene.apply_fixes();
    // The front matter still says `active`.
    assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Running);
    scene.apply_fixes();
    assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Running);
}
