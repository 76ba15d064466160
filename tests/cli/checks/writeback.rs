//! Statuses of the database are written into the file: one changed line, one commit.

use serde_json::json;

use super::scene::{Clone, PLAN, of_code};
use crate::fixture::codes;

#[test]
fn the_status_goes_into_its_line_in_a_commit_that_says_so() {
    let clone = Clone::behind_the_database();
    clone.done("CUST-WP-0026-T02");
    // The user is in the middle of other work.
    clone.write("src.txt", "staged");
    clone.git(&["add", "src.txt"]);
    clone.write("src.txt", "and changed again");
    clone.write("workplans/notes.txt", "untracked");
    let object = clone.object(0, &["--fix"]);
    assert_eq!(codes(&object), ["C-15", "C-15"]);
    let repo = &object["data"]["repos"][0];
    assert_eq!(repo["mended"], json!(["C-15"]));
    assert_eq!(repo["written"], json!(["workplans/a.md"]));
    assert_eq!(repo["pushed"], true);
    let commit_text = clone.git(&["show", "--no-patch", "--format=%an <%ae>%n%B", "HEAD"]);
    assert_eq!(
        commit_text,
        "Ana <ana@example.org>\nchore(consistency): sync task status from DB [auto]\n\n\
         Updated by trueup check:\n\
         - CUST-WP-0026-T01: todo -> done\n\
         - CUST-WP-0026-T02: in_progress -> done"
    );
    let names = clone.git(&["show", "--format=", "--name-only", "HEAD"]);
    assert_eq!(names, "workplans/a.md");
    let stat = clone.git(&["show", "--format=", "--numstat", "HEAD"]);
    assert_eq!(stat, "2\t2\tworkplans/a.md");
    assert_eq!(clone.git(&["status", "--porcelain"]), "AM src.txt\n?? workplans/notes.txt");
    assert_eq!(clone.git(&["show", ":src.txt"]), "staged");
    assert_eq!(clone.remote_head(), clone.head());
    let before = clone.state();
    assert_eq!(codes(&clone.object(0, &["--fix", "--strict"])), [""; 0]);
    assert_eq!(clone.state(), before);
}

#[test]
fn every_other_byte_stays() {
    let odd = "id: CUST-WP-0026-T01\nstatus: todo\n";
    for (name, change) in [
        (
            "carriage returns",
            Box::new(|text: &str| text.replace('\n', "\r\n")) as Box<dyn Fn(&str) -> String>,
        ),
        ("a byte order mark", Box::new(|text: &str| format!("\u{feff}{text}"))),
        (
            "a tab and blanks",
            Box::new(|text: &str| text.replace(odd, "id: CUST-WP-0026-T01\nstatus:\ttodo \t \n")),
        ),
        (
            "a comment",
            Box::new(|text: &str| {
                text.replace(odd, "id: CUST-WP-0026-T01\nstatus:   todo  # status: done\n")
            }),
        ),
        (
            "double quotes",
            Box::new(|text: &str| text.replace(odd, "id: CUST-WP-0026-T01\nstatus: \"todo\"\n")),
        ),
        (
            "single quotes",
            Box::new(|text: &str| text.replace(odd, "id: CUST-WP-0026-T01\nstatus: 'todo' \n")),
        ),
        (
            "an indent",
            Box::new(|text: &str| {
                text.replace(odd, "  id: CUST-WP-0026-T01\n  status: todo\n")
                    .replace("priority: high\n```\n\nNever", "  priority: high\n```\n\nNever")
            }),
        ),
        ("no last line end", Box::new(|text: &str| text.trim_end().to_owned())),
        (
            "text that looks the same",
            Box::new(|text: &str| {
                text.replace("Never back.", "status: todo\n\n    status: todo\n")
            }),
        ),
    ] {
        assert_one_word_changes(name, change(PLAN));
    }
}

/// Completes a task in the database and asserts that only its status changes in the file.
fn assert_one_word_changes(name: &str, text: String) {
    let clone = Clone::empty();
    clone.publish("workplans/a.md", text);
    clone.fix();
    let before = clone.bytes("workplans/a.md");
    clone.done("CUST-WP-0026-T01");
    let repo = clone.fix();
    assert_eq!(repo["pushed"], true, "{name}: {repo}");
    let stat = clone.git(&["show", "--format=", "--numstat", "HEAD"]);
    assert_eq!(stat, "1\t1\tworkplans/a.md", "{name}");
    let after = clone.bytes("workplans/a.md");
    // Apart from that word, the bytes are the same.
    let word = |bytes: &[u8], word: &str| {
        let at = bytes.windows(16).position(|w| w == b"CUST-WP-0026-T01").unwrap();
        let found = bytes[at..].windows(4).position(|w| w == word.as_bytes()).unwrap();
        [&bytes[..at + found], &bytes[at + found + 4..]].concat()
    };
    assert_eq!(word(&before, "todo"), word(&after, "done"), "{name}");
    assert_eq!(clone.git(&["status", "--porcelain"]), "", "{name}");
}

#[test]
fn a_file_keeps_its_own_words() {
    let clone = Clone::empty();
    clone.publish("workplans/a.md", PLAN.replace("in_progress", "progress"));
    clone.fix();
    for (status, word) in [("blocked", "wait"), ("cancelled", "cancel")] {
        let arguments = ["item", "transition", "CUST-WP-0026-T01", status];
        crate::fixture::data(&clone.home, &arguments);
        clone.fix();
        let text = clone.text("workplans/a.md");
        assert!(text.contains(&format!("id: CUST-WP-0026-T01\nstatus: {word}\n")), "{text}");
    }
}

#[test]
fn permissions_and_odd_names_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let clone = Clone::empty();
    let name = "workplans/-é \"x\" [a] 100%.md";
    clone.publish(name, PLAN);
    let path = clone.root().join(name);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let repo = clone.fix();
    assert_eq!(repo["written"], json!([name]));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_file_ahead_goes_to_the_database_and_is_not_touched() {
    let clone = Clone::linked();
    clone.swap("T01\nstatus: todo", "T01\nstatus: done");
    let before = clone.bytes("workplans/a.md");
    let head = clone.head();
    // Uncommitted changes only matter to the file.
    let object = clone.object(0, &["--fix"]);
    assert_eq!(codes(&object), ["C-10"]);
    assert_eq!(object["data"]["repos"][0]["mended"], json!(["C-10"]));
    assert_eq!(clone.status("CUST-WP-0026-T01"), "completed");
    assert_eq!((clone.bytes("workplans/a.md"), clone.head()), (before, head));
}

#[test]
fn the_run_that_ends_the_last_task_ends_its_workplan() {
    let clone = Clone::linked();
    for task in ["T01", "T02", "T03"] {
        clone.done(&format!("CUST-WP-0026-{task}"));
    }
    let object = clone.object(0, &["--fix"]);
    assert_eq!(of_code(&object, "C-13").len(), 1);
    assert_eq!(clone.status("CUST-WP-0026"), "completed");
    let again = clone.object(0, &["--fix", "--strict"]);
    // Only a person writes the front matter.
    assert_eq!(codes(&again), ["C-04"]);
    assert_eq!(again["divergences"][0]["severity"], "info");
    assert!(clone.text("workplans/a.md").contains("\nstatus: active\n"));
}

#[test]
fn many_files_are_one_commit() {
    let clone = Clone::empty();
    for number in 10..40 {
        let text = PLAN.replace("CUST-WP-0026", &format!("CUST-WP-00{number}"));
        clone.write(&format!("workplans/{number}.md"), text);
    }
    clone.git(&["add", "."]);
    clone.git(&["commit", "-q", "-m", "many"]);
    clone.git(&["push", "-q"]);
    let before = clone.head();
    let repo = clone.fix();
    assert_eq!(repo["written"].as_array().unwrap().len(), 30);
    assert_eq!(clone.git(&["rev-parse", "HEAD^"]), before);
    let commit_text = clone.git(&["show", "--no-patch", "--format=%B", "HEAD"]);
    assert_eq!(commit_text.matches("\n- CUST-WP-00").count(), 120);
    assert_eq!(codes(&clone.object(0, &["--strict"])), [""; 0]);
}
