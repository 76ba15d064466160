//! Bring it, work, take it back.

use super::*;
use crate::fixture::{create_database, object, started, trueup};

#[test]
fn issues_of_beads_come_back_as_they_were_but_for_the_work() {
    let home = started();
    let issues = fixture("beads/issues.jsonl");
    let dry = data(&home, &["item", "import", issues.to_str().unwrap(), "--dry-run"]);
    assert_eq!(texts(&dry["added"]).len(), 6);
    assert_eq!(data(&home, &["item", "list"])["items"], serde_json::json!([]));
    let imported = import(&home, &issues);
    assert_eq!(imported["format"], "beads");
    assert_eq!(imported["added"], dry["added"]);
    let before = parse_lines(&fs::read(&issues).unwrap());
    assert_eq!(parse_lines(&export(&home, "beads", "back.jsonl")), before);
    data(&home, &["claim", "bk-e1.2"]);
    data(&home, &["item", "transition", "bk-e1.2", "completed", "--evidence", "change 13"]);
    let after = parse_lines(&export(&home, "beads", "back.jsonl"));
    for (old, new) in before.iter().zip(&after) {
        if old["id"] == "bk-e1.2" {
            assert_eq!(
                (&new["status"], &new["close_reason"]),
                (&"closed".into(), &"change 13".into())
            );
            assert_eq!(new["dependencies"], old["dependencies"]);
            assert_eq!(new["external_ref"], old["external_ref"]);
        } else {
            assert_eq!(old, new);
        }
    }
    // The old file is imported again: nothing goes back.
    let again = import(&home, &issues);
    assert_eq!((&again["changed"], &again["unchanged"]), (&serde_json::json!([]), &6.into()));
    assert_eq!(status(&home, "bk-e1.2"), "completed");
}

#[test]
fn an_imported_item_is_offered_and_its_event_says_where_it_came_from() {
    let home = started();
    import(&home, &fixture("beads/issues.jsonl"));
    let next = data(&home, &["next", "--parent", "bk-e1", "--claim"]);
    assert_eq!(next["item"]["key"], "bk-e1.2", "{next}");
    let log = data(&home, &["log", "--item", "bk-e1.1"]);
    let reason = log["events"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("imported from beads") && reason.contains("change 12"), "{reason}");
}

#[test]
fn tasks_of_task_master_come_back_as_they_were_but_for_the_work() {
    let home = Home::new();
    create_database(&home);
    let file = fixture("taskmaster/tasks.json");
    assert_eq!(import(&home, &file)["format"], "task-master");
    let before: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let read = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
    assert_eq!(read(export(&home, "task-master", "tasks.json")), before);
    data(&home, &["item", "transition", "1.2", "completed"]);
    let after = read(export(&home, "task-master", "tasks.json"));
    let mut expected = before;
    expected["master"]["tasks"][0]["subtasks"][1]["status"] = "done".into();
    assert_eq!(after, expected);
}

#[test]
fn files_of_backlog_come_back_byte_for_byte_but_for_the_work() {
    let home = Home::new();
    create_database(&home);
    let folder = fixture("backlog");
    assert_eq!(import(&home, &folder)["format"], "backlog");
    data(&home, &["export", "out", "--format", "backlog"]);
    let read = |path: PathBuf| {
        let mut files: Vec<(String, String)> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read_to_string(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    };
    let before = read(folder.join("tasks"));
    assert_eq!(read(home.project_dir().join("out/tasks")), before);
    data(&home, &["item", "transition", "task-2", "cancelled", "--reason", "no copper"]);
    data(&home, &["export", "out", "--format", "backlog"]);
    let after = read(home.project_dir().join("out/tasks"));
    let expected: Vec<(String, String)> = before
        .into_iter()
        .map(|(name, text)| {
            let is_second = name.starts_with("task-2");
            if !is_second {
                return (name, text);
            }
            let note = "\n## Implementation Notes\n\n<!-- SECTION:NOTES:BEGIN -->\n\
                        cancelled: no copper\n<!-- SECTION:NOTES:END -->\n";
            (name, text.replace("status: To Do", "status: Done") + note)
        })
        .collect();
    assert_eq!(after, expected);
    assert_eq!(object(&home, 2, &["export", "--format", "backlog"])["error"]["code"], "usage");
}

#[test]
fn a_single_task_file_and_a_task_list_are_recognised() {
    let home = Home::new();
    create_database(&home);
    let one = import(&home, &fixture("backlog/tasks/task-1 - Lights-of-the-pier.md"));
    assert_eq!((&one["format"], texts(&one["added"])), (&"backlog".into(), vec!["TASK-1"]));
    let list = import(&home, &fixture("client-tasks"));
    assert_eq!(list["format"], "client-tasks");
    assert_eq!(texts(&list["added"]), ["client-tasks:1", "client-tasks:2", "client-tasks:10"]);
    assert_eq!(status(&home, "client-tasks:10"), "queued");
}

#[test]
fn an_export_replaces_only_an_export_of_its_format() {
    let home = Home::new();
    create_database(&home);
    import(&home, &fixture("beads/issues.jsonl"));
    let readme = write(&home, "README.md", "# Mine\n");
    for format in ["beads", "json-lines", "task-master"] {
        let answer = object(&home, 3, &["export", "README.md", "--format", format]);
        assert_eq!(answer["error"]["code"], "export_exists");
    }
    assert_eq!(fs::read_to_string(readme).unwrap(), "# Mine\n");
    let answer = object(&home, 3, &["export", "none/out.jsonl"]);
    assert_eq!(answer["error"]["code"], "export_unwritable");
    let printed = trueup(&home, &["export", "--format", "beads"]).ok();
    assert_eq!(printed.stdout.as_bytes(), export(&home, "beads", "out.jsonl"));
    assert_eq!(export(&home, "beads", "out.jsonl"), export(&home, "beads", "out.jsonl"));
}

#[test]
fn the_reason_of_a_cancel_closes_the_issue() {
    let home = Home::new();
    create_database(&home);
    let name = ".beads/issues.jsonl";
    let path = write(&home, name, "{\"id\":\"a-1\",\"title\":\"One\",\"status\":\"open\"}\n");
    import(&home, &path);
    let reason = ["--reason", "duplicate of a-9"];
    data(&home, &[&["item", "transition", "a-1", "cancelled"], &reason[..]].concat());
    let issues = parse_lines(&export(&home, "beads", name));
    assert_eq!(issues[0]["close_reason"], "cancelled: duplicate of a-9");
    assert_eq!(data(&home, &["item", "show", "a-1"])["item"]["error_message"], "duplicate of a-9");
}
