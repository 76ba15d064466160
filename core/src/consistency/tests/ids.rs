//! Which block is which item: short ids, duplicate ids, and ids of the database.

use super::super::CheckFinding;
use super::fixture::*;
use crate::model::{ItemStatus, NewItem};

#[test]
fn bare_ids_are_scoped_by_their_file() {
    let mut scene = Fixture::new();
    scene.write_workplan(
        "a.md",
        &workplan_text("A-WP-1", "active", &[("T01", "todo"), ("T-02", "done")]),
    );
    scene.write_workplan(
        "b.md",
        &workplan_text(
            "ADHOC-2026-03-21",
            "active",
            &[("T01", "done"), ("ADHOC-2026-03-21-T02", "todo")],
        ),
    );
    scene.apply_fixes();
    let rows = scene.load_statuses();
    let keys: Vec<&str> = rows.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "A-WP-1",
            "A-WP-1-T01",
            "A-WP-1-T02",
            "ADHOC-2026-03-21",
            "ADHOC-2026-03-21-T01",
            "ADHOC-2026-03-21-T02"
        ]
    );
    assert_eq!(scene.codes(), [""; 0]);
    // The file keeps the spelling of the id.
    assert!(scene.read_workplan("a.md").contains("\nid: T-02\nstatus: done\n"));
}

#[test]
fn a_bare_id_and_its_long_form_are_one_id() {
    let mut scene = Fixture::new();
    scene.write_workplan(
        "a.md",
        &workplan_text("A-WP-1", "active", &[("T01", "todo"), ("A-WP-1-T01", "done")]),
    );
    let found = scene.only_finding("C-02");
    assert!(
        found.divergence.message.contains("duplicate id A-WP-1-T01, also at workplans/a.md:9:1"),
        "{found:?}"
    );
    assert_eq!(found.place.unwrap().line, 18);
}

#[test]
fn of_blocks_with_one_id_none_counts() {
    let mut scene = Fixture::linked("active", &[("T01", "todo"), ("T02", "todo")]);
    scene.set_file_status("a.md", "T01", "done");
    let twice = scene.read_workplan("a.md") + "\n```task\nid: T01\nstatus: cancelled\n```\n";
    scene.write_workplan("a.md", &twice);
    assert_eq!(scene.codes(), ["C-02"]);
    scene.apply_fixes();
    assert_eq!(scene.item_status("A-WP-1-T01"), ItemStatus::Queued);
    assert_eq!(scene.read_workplan("a.md"), twice);
    // The other tasks are fixed all the same.
    scene.set_file_status("a.md", "T02", "done");
    scene.apply_fixes();
    assert_eq!(scene.item_status("A-WP-1-T02"), ItemStatus::Completed);
    assert_eq!(scene.item_status("A-WP-1"), ItemStatus::Running);
}

#[test]
fn of_files_with_one_id_none_counts_and_each_is_named() {
    let mut scene = Fixture::linked("active", &[("T01", "todo")]);
    scene.write_workplan(
        "z.md",
        &workplan_text("A-WP-1", "done", &[("T01", "done"), ("T09", "todo")]),
    );
    scene.write_workplan("archived/a.md", &workplan_text("A-WP-1", "done", &[("T01", "done")]));
    let before = scene.load_statuses();
    let found = scene.findings();
    let places: Vec<_> =
        found.iter().map(|it| (it.divergence.code.as_str(), it.path.as_deref().unwrap())).collect();
    assert_eq!(places, [("C-02", "workplans/archived/a.md"), ("C-02", "workplans/z.md")]);
    // The file that the finding is of stands before it, and the other one in it.
    let names_other = |it: &CheckFinding| {
        it.divergence.message.ends_with("duplicate id A-WP-1, also at workplans/a.md:2:5")
    };
    assert!(found.iter().all(names_other), "{found:?}");
    scene.apply_fixes();
    assert_eq!(scene.load_statuses(), before);
    // Once only one of the files is left, it is fixed.
    scene.remove_workplan("z.md");
    scene.remove_workplan("archived/a.md");
    scene.set_file_status("a.md", "T01", "done");
    scene.apply_fixes();
    assert_eq!(scene.item_status("A-WP-1-T01"), ItemStatus::Completed);
}

#[test]
fn a_copied_id_of_the_database_stays_with_its_owner() {
    // The copy may stand before or after the original block.
    for (first, second) in [("T01", "T02"), ("T02", "T01")] {
        let mut scene = Fixture::linked("active", &[("T01", "todo")]);
        let link = scene.load_row("A-WP-1-T01").link.unwrap();
        let block = |id: &str, status: &str| {
            format!("```task\nid: {id}\nstatus: {status}\nstate_hub_task_id: \"{link}\"\n```\n")
        };
        let (one, two) = (block(first, "done"), block(second, "done"));
        let front = workplan_text("A-WP-1", "active", &[]);
        scene.write_workplan("a.md", &format!("{front}{one}\n{two}"));
        let found = scene.findings();
        let about = |code: &str| {
            let of = found.iter().filter(|it| it.divergence.code.as_str() == code);
            of.map(|it| it.divergence.subject.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(about("C-02"), [format!("A-WP-1-{second}")]);
        assert_eq!(about("C-03"), ["A-WP-1-T02"]);
        scene.apply_fixes();
        assert_eq!(scene.item_status("A-WP-1-T01"), ItemStatus::Completed);
        assert_eq!(scene.load_row("A-WP-1-T01").link, Some(link));
        assert!(!scene.load_statuses().contains_key("A-WP-1-T02"));
    }
}

#[test]
fn an_id_that_the_database_does_not_know_is_reported_with_what_it_has_instead() {
    let mut scene = Fixture::linked("active", &[("T01", "todo"), ("T02", "todo")]);
    let link = scene.load_row("A-WP-1-T01").link.unwrap().to_string();
    let own = scene.load_row("A-WP-1-T02").link.unwrap().to_string();
    let foreign_id = "0190a0b0-0000-7000-8000-000000000000";
    // An unknown link, while the item has another one.
    scene.replace_text("a.md", &link, foreign_id);
    let found = scene.only_finding("C-03").divergence;
    assert_eq!(word(found.severity), "error");
    assert_eq!(found.subject, "A-WP-1-T01");
    assert!(found.message.contains(&format!("A-WP-1-T01 has {link}")), "{found:?}");
    assert_eq!(found.expected.as_deref(), Some(&*link));
    assert_eq!(found.found.as_deref(), Some(foreign_id));
    // The link of another item.
    scene.replace_text("a.md", foreign_id, &own);
    let found = scene.only_finding("C-03").divergence;
    assert!(found.message.contains("belongs to A-WP-1-T02"), "{found:?}");
    // An unknown link of an item that does not exist.
    let mut empty = Fixture::new();
    let text = scene.read_workplan("a.md").replace(&own, foreign_id);
    empty.write_workplan("a.md", &text);
    let codes = empty.codes();
    assert!(codes.contains(&"C-03") && !codes.contains(&"C-06"), "{codes:?}");
    empty.apply_fixes();
    assert_eq!(empty.load_statuses().len(), 0, "the file may belong to another database");
    assert_eq!(empty.read_workplan("a.md"), text);
}

#[test]
fn an_empty_id_is_none_and_is_filled_in_its_place() {
    for empty in [" \"\"", " ''", " ~", " null", ""] {
        let mut scene = Fixture::new();
        let text = format!(
            "---\nid: A-WP-1\nstatus: active\nstate_hub_workstream_id:{empty}\n---\n\
             ```task\nid: T01\nstate_hub_task_id:{empty}\nstatus: todo\n```\n"
        );
        scene.write_workplan("a.md", &text);
        assert_eq!(scene.codes(), ["C-06", "C-11"], "{empty}");
        scene.apply_fixes();
        let read = scene.read_workplan("a.md");
        let [plan, task] = ["A-WP-1", "A-WP-1-T01"].map(|name| scene.load_row(name).link.unwrap());
        assert_eq!(
            read,
            format!(
                "---\nid: A-WP-1\nstatus: active\nstate_hub_workstream_id: \"{plan}\"\n---\n\
                 ```task\nid: T01\nstate_hub_task_id: \"{task}\"\nstatus: todo\n```\n"
            ),
            "{empty}"
        );
        assert_eq!(scene.codes(), [""; 0]);
    }
}

#[test]
fn a_database_that_was_linked_first_gives_its_ids_to_another_clone() {
    let mut scene = Fixture::linked("active", &[("T01", "todo")]);
    let link = scene.load_row("A-WP-1-T01").link.unwrap();
    scene.write_workplan("a.md", &workplan_text("A-WP-1", "active", &[("T01", "todo")]));
    assert_eq!(scene.codes(), ["C-06", "C-11"]);
    assert_eq!(scene.only_finding("C-11").divergence.expected.as_deref(), Some(link.as_str()));
    let events = scene.count_events();
    scene.apply_fixes();
    assert!(scene.read_workplan("a.md").contains(link.as_str()));
    assert_eq!(scene.count_events(), events, "the database has it already");
}

#[test]
fn an_item_added_by_hand_is_the_one_of_the_file_after_one_run() {
    let mut scene = Fixture::new();
    scene.add_item(&NewItem {
        title: Some("by hand".to_owned()),
        repo: Some("elsewhere".to_owned()),
        position: Some(7),
        ..NewItem::new(item_key("A-WP-1-T01"))
    });
    scene.write_workplan(
        "a.md",
        &workplan_text("A-WP-1", "active", &[("T01", "done"), ("T02", "done")]),
    );
    let mut codes = scene.codes();
    codes.sort_unstable();
    assert_eq!(codes, ["C-05", "C-06", "C-09", "C-10", "C-11", "C-11", "C-13", "C-19"]);
    scene.apply_fixes();
    let row = scene.load_row("A-WP-1-T01");
    assert_eq!(row.title.as_deref(), Some("Task T01"));
    assert_eq!((row.repo.as_deref(), row.position), (Some(REPO), Some(1)));
    assert_eq!(row.status, ItemStatus::Completed);
    let left = scene.codes();
    assert!(left.iter().all(|code| *code == "C-04"), "{left:?}");
}

#[test]
fn an_id_of_another_repository_is_not_taken_from_it() {
    let mut scene = Fixture::linked("active", &[("T01", "todo")]);
    scene.write_workplan("a.md", &workplan_text("A-WP-1", "active", &[("T01", "done")]));
    let reading = scene.read_snapshot_as("other");
    let assessed = super::super::assess_checkout(&reading);
    let codes: Vec<_> = assessed.findings.iter().map(|it| it.divergence.code.as_str()).collect();
    assert_eq!(codes, ["C-02", "C-02"]);
    assert!(assessed.fixes.is_empty(), "{:?}", assessed.fixes);
    let message = &assessed.findings[0].divergence.message;
    assert!(message.contains("belongs to a workplan of repository shop"), "{message}");
}

#[test]
fn a_linked_file_that_moved_to_another_repository_is_its_own() {
    let mut scene = Fixture::linked("active", &[("T01", "todo")]);
    let reading = scene.read_snapshot_as("other");
    let assessed = super::super::assess_checkout(&reading);
    let codes: Vec<_> = assessed.findings.iter().map(|it| it.divergence.code.as_str()).collect();
    assert_eq!(codes, ["C-09", "C-09"]);
    super::super::row_updates::apply_row_fixes(
        &mut *scene.store,
        &reading,
        &assessed.fixes,
        &fix_actor(None),
    )
    .unwrap();
    assert_eq!(scene.load_row("A-WP-1-T01").repo.as_deref(), Some("other"));
    // Names that differ only in case are the same repository.
    let reading = scene.read_snapshot_as("OTHER");
    assert_eq!(super::super::assess_checkout(&reading).findings, []);
}

/// Files with a problem: name, text, line and column of the problem, and a part of its message.
const WRONG: [(&str, &str, u32, u32, &str); 12] = [
    ("a.md", "---\nid:   A-1\nstatus: active\n---\n", 2, 7, "does not match the pattern"),
    ("b.md", "---\nid: B-WP-1\nstatus: stalled\n---\n", 3, 9, "unknown status \"stalled\""),
    ("c.md", "---\ntitle: x\nstatus: active\n---\n", 1, 1, "no id"),
    ("d.md", "---\nid: D-WP-1\n---\n", 1, 1, "no status"),
    (
        "e.md",
        "---\nid: E-WP-1\nstatus: active\n---\n```task\nid: E-1\nstatus: todo\n```\n",
        6,
        5,
        "E-WP-1-Tnn or Tnn",
    ),
    (
        "f.md",
        "---\nid: F-WP-1\nstatus: active\n---\n```task\nid: T01\nstatus:  almost\n```\n",
        7,
        10,
        "unknown status \"almost\"",
    ),
    (
        "g.md",
        "---\nid: G-WP-1\nstatus: active\n---\n```task\nid: F-WP-1-T01\nstatus: todo\n```\n",
        6,
        5,
        "another workplan",
    ),
    ("h.md", "---\nid: H-WP-1\nstatus: active\n---\n```task\nid: T01\n```\n", 5, 1, "no status"),
    ("i.md", "no front matter", 1, 1, "no front matter"),
    (
        "j.md",
        "---\nid: J-WP-1\nstatus: active\nstate_hub_workstream_id: \"a b\"\n---\n",
        4,
        26,
        "workplan link",
    ),
    (
        "k.md",
        "---\nid: K-WP-1\nstatus: active\ndepends_on: [K-WP-1]\n---\n",
        4,
        14,
        "depends on itself",
    ),
    ("l.md", "---\nid: L-WP-1\nstatus: active\ndepends_on: ['x y']\n---\n", 4, 14, "x y"),
];

#[test]
fn ids_outside_the_pattern_and_unknown_words_are_reported_with_their_place() {
    let mut scene = Fixture::new();
    for (name, text, line, column, words) in WRONG {
        scene.write_workplan(name, text);
        let found = scene.findings();
        let path = format!("workplans/{name}");
        let own: Vec<_> = found
            .iter()
            .filter(|it| {
                it.path.as_deref() == Some(&*path) && it.divergence.code.as_str() == "C-02"
            })
            .collect();
        assert_eq!(own.len(), 1, "{name}: {found:#?}");
        let place = own[0].place.unwrap();
        assert_eq!((place.line, place.column), (line, column), "{name}");
        let message = &own[0].divergence.message;
        assert!(message.starts_with(&format!("{path}:{line}:{column}: ")), "{message}");
        assert!(message.contains(words), "{name}: {message}");
        assert_eq!(word(own[0].divergence.severity), "error");
    }
    // The readable workplans are linked; the database has no rows for the others.
    scene.apply_fixes();
    let rows = scene.load_statuses();
    let keys: Vec<&str> = rows.keys().map(String::as_str).collect();
    assert_eq!(keys, ["E-WP-1", "F-WP-1", "G-WP-1", "H-WP-1", "K-WP-1", "L-WP-1"]);
}
