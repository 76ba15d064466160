//! Files that are large, broken or meant to break.

use serde_json::json;

use super::*;
use crate::fixture::{create_database, object, refused, trueup};

#[test]
fn broken_records_are_named_and_the_rest_is_imported() {
    let home = Home::new();
    create_database(&home);
    let text = fs::read(fixture("beads/broken.jsonl")).unwrap();
    write(&home, "issues.jsonl", text);
    let answer = trueup(&home, &["item", "import", "issues.jsonl"]).ok();
    assert!(answer.stdout.contains("skipped issues.jsonl:2: does not parse"), "{answer:?}");
    let imported = data(&home, &["item", "list"]);
    assert_eq!(imported["items"].as_array().unwrap().len(), 5);
}

#[test]
fn what_is_no_tracker_imports_nothing() {
    let home = Home::new();
    create_database(&home);
    write(&home, "notes.txt", "just notes\n");
    write(&home, "empty.jsonl", "");
    write(&home, "broken.json", "{\"master\": {\"tasks\": [");
    for arguments in
        [&["missing.jsonl"][..], &["notes.txt"], &["broken.json", "--format", "task-master"]]
    {
        let answer = object(&home, 3, &[&["item", "import"], arguments].concat());
        assert_eq!(answer["error"]["code"], "import_unreadable");
    }
    for format in ["beads", "json-lines"] {
        let arguments = ["item", "import", "empty.jsonl", "--format", format];
        refused(&home, "nothing_to_import", &arguments);
    }
    let answer = object(&home, 1, &["item", "import", "notes.txt", "--format", "beads"]);
    assert_eq!(answer["data"]["skipped"][0]["line"], 1);
    assert_eq!(data(&home, &["item", "list"])["items"], serde_json::json!([]));
}

#[test]
fn huge_and_deep_lines_hide_no_other_record() {
    let home = Home::new();
    create_database(&home);
    let mut bytes = b"{\"id\":\"a-1\",\"title\":\"coffee\"}\nno record\n".to_vec();
    bytes.extend(format!("{{\"id\":\"a-2\",\"title\":\"{}\"}}\n", "x".repeat(5 << 20)).bytes());
    bytes.extend(format!("{}{}\n", "[".repeat(100_000), "]".repeat(100_000)).bytes());
    bytes.extend(b"{\"id\":\"a-3\",\"title\":\"\\ud83d\",\"extra\":{\"deep\":[1]}}\n");
    write(&home, "issues.jsonl", bytes);
    let imported = data(&home, &["item", "import", "issues.jsonl", "--format", "beads"]);
    assert_eq!(texts(&imported["added"]), ["a-1", "a-3"]);
    let lines: Vec<u64> = imported["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|skipped| skipped["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [2, 3, 4]);
}

#[test]
fn what_is_no_text_or_broken_off_is_named_with_its_line() {
    let home = Home::new();
    create_database(&home);
    let files: [(&str, &[u8], &str); 5] = [
        (
            "latin.jsonl",
            b"{\"id\":\"a\",\"title\":\"x\"}\n{\"id\":\"b\",\"title\":\"caf\xe9\"}\n",
            "latin.jsonl:2: not UTF-8",
        ),
        ("wide.jsonl", b"\xff\xfe{\0", "wide.jsonl is UTF-16; save it as UTF-8"),
        ("binary.jsonl", b"\x7fELF\0\0", "binary.jsonl:1: not text, but a binary file"),
        ("empty.jsonl", b" \n", "empty.jsonl is empty"),
        ("cut.json", b"{\"master\":\n {\"tasks\": [", "cut.json:2:12: does not parse"),
    ];
    for (name, bytes, problem) in files {
        write(&home, name, bytes);
        let answer = object(&home, 3, &["item", "import", name]);
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(problem), "{message}");
    }
    write(&home, ".taskmaster/tasks/tasks.json", "{\"tasks\":[{\"id\":1,\"title\":\"t\"}]}");
    write(&home, ".taskmaster/config.json", "{}");
    let imported = data(&home, &["item", "import", ".taskmaster"]);
    assert_eq!(texts(&imported["added"]), ["1"]);
}

#[test]
fn a_folder_of_tasks_may_have_files_that_are_none() {
    let home = Home::new();
    create_database(&home);
    let task = |number: u32| format!("---\nid: TASK-{number}\ntitle: T\nstatus: To Do\n---\n");
    write(&home, "backlog/tasks/task-1 - e.md", "");
    write(&home, "backlog/tasks/notes.md", "# Notes\n");
    write(&home, "backlog/tasks/task-2 - T.md", task(2));
    let marked = write(&home, "backlog/tasks/task-3 - T.md", format!("\u{feff}{}", task(3)));
    let imported = data(&home, &["item", "import", "backlog"]);
    assert_eq!(texts(&imported["added"]), ["TASK-2", "TASK-3"]);
    let skipped = imported["skipped"].as_array().unwrap();
    let skipped: Vec<String> =
        skipped.iter().map(|line| format!("{}: {}", line["file"], line["reason"])).collect();
    assert_eq!(
        skipped,
        [
            "\"backlog/tasks/notes.md\": \"no front matter, so no task\"",
            "\"backlog/tasks/task-1 - e.md\": \"empty, so no task\"",
        ]
    );
    // The mark before the text stays, worked on or not.
    let export = ["export", "backlog", "--format", "backlog"];
    data(&home, &export);
    assert_eq!(fs::read_to_string(&marked).unwrap(), format!("\u{feff}{}", task(3)));
    data(&home, &["item", "transition", "TASK-3", "running"]);
    for _ in 0..2 {
        data(&home, &export);
        let text = format!("\u{feff}{}", task(3).replace("To Do", "In Progress"));
        assert_eq!(fs::read_to_string(&marked).unwrap(), text);
    }
    let again = data(&home, &["item", "import", "backlog"]);
    assert_eq!((&again["changed"], &again["unchanged"]), (&json!([]), &json!(2)));
}

#[test]
fn ten_thousand_issues_are_brought_and_taken_back_in_little_memory() {
    let home = Home::new();
    create_database(&home);
    let issue = |n: usize| {
        let text = "what is to be done, in some detail. ".repeat(20);
        format!(
            r#"{{"id":"bulk-{n}","title":"Issue {n}","description":"{text}","status":"open","priority":{},"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","dependencies":[{{"issue_id":"bulk-{n}","depends_on_id":"bulk-{}","type":"blocks","created_at":"2026-01-01T00:00:00Z","created_by":"x"}}]}}"#,
            n % 5,
            n.saturating_sub(1)
        )
    };
    // The first depends on itself, which is the only thing that is ignored.
    let lines: Vec<String> = (0..10_000).map(issue).collect();
    write(&home, "issues.jsonl", lines.join("\n"));
    let imported = data(&home, &["item", "import", "issues.jsonl"]);
    assert_eq!(texts(&imported["added"]).len(), 10_000);
    assert_eq!(imported["skipped"].as_array().unwrap().len(), 1);
    let back = export(&home, "beads", "back.jsonl");
    let before: Vec<Map<String, Value>> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(parse_lines(&back) == before);
    let again = data(&home, &["item", "import", "issues.jsonl"]);
    assert_eq!(again["unchanged"], 10_000);
}
