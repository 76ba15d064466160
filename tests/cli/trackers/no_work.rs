//! What is no work in a tracker is not offered here, and its file stays as it was.

use super::*;
use crate::fixture::{create_database, trueup};

/// Lists the keys that are offered.
fn ready(home: &Home) -> Vec<String> {
    let offered = data(home, &["ready"]);
    let items = offered["items"].as_array().unwrap();
    items.iter().map(|item| item["key"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_beads_does_not_offer_is_not_offered() {
    let home = Home::new();
    create_database(&home);
    let name = ".beads/issues.jsonl";
    let issue = |id: &str, more: &str| {
        format!("{{\"id\":\"{id}\",\"title\":\"{id}\",\"status\":\"open\"{more}}}\n")
    };
    let text = [
        issue("e-1", ""),
        issue("e-2", ",\"issue_type\":\"gate\""),
        issue("e-3", ",\"issue_type\":\"message\""),
        issue("e-4", ",\"ephemeral\":true"),
        issue("e-5", ",\"is_template\":true"),
        issue("e-6", ",\"pinned\":true"),
        issue("e-7", ",\"defer_until\":\"2999-01-01T00:00:00Z\""),
        issue("e-8", ",\"defer_until\":\"2001-01-01T00:00:00Z\""),
        issue("e-9", ",\"dependencies\":[{\"depends_on_id\":\"e-0\",\"type\":\"blocks\"}]"),
        issue("e-0", "").replace("open", "tombstone"),
    ]
    .concat();
    write(&home, name, &text);
    let imported = data(&home, &["item", "import", name]);
    assert!(imported["skipped"].as_array().unwrap().is_empty(), "{imported}");
    assert_eq!(ready(&home), ["e-1", "e-8", "e-9"]);
    assert_eq!(status(&home, "e-7"), "blocked");
    assert_eq!(export(&home, "beads", name), text.as_bytes());
    assert_eq!(data(&home, &["item", "import", name])["unchanged"], 10);
    // An issue that is deleted later is waited for no more.
    let text = text.replace("\"e-9\",\"status\":\"open\"", "\"e-9\",\"status\":\"tombstone\"");
    let waits = issue("e-a", ",\"dependencies\":[{\"depends_on_id\":\"e-1\",\"type\":\"blocks\"}]");
    write(&home, name, format!("{text}{waits}"));
    data(&home, &["item", "import", name]);
    assert_eq!(ready(&home), ["e-1", "e-8"]);
    let deleted = issue("e-1", "");
    let text = format!("{text}{waits}").replace(&deleted, &deleted.replace("open", "tombstone"));
    write(&home, name, &text);
    data(&home, &["item", "import", name]);
    assert_eq!(ready(&home), ["e-8", "e-a"]);
    assert_eq!(export(&home, "beads", name), text.as_bytes());
}

#[test]
fn drafts_and_archived_tasks_of_backlog_are_not_offered() {
    let home = Home::new();
    create_database(&home);
    for (place, id) in [("tasks", "TASK-1"), ("archive/tasks", "TASK-2"), ("drafts", "DRAFT-1")] {
        let text = format!("---\nid: {id}\ntitle: t\nstatus: To Do\n---\n");
        write(&home, &format!("backlog/{place}/{id}.md"), text);
    }
    let folder = home.project_dir().join("backlog");
    import(&home, &folder);
    assert_eq!(ready(&home), ["TASK-1"]);
    data(&home, &["export", "backlog", "--format", "backlog"]);
    let draft = fs::read_to_string(folder.join("drafts/DRAFT-1.md")).unwrap();
    assert!(draft.contains("status: To Do\n"), "{draft}");
    assert_eq!(import(&home, &folder)["unchanged"], 3);
}

#[test]
fn an_import_names_the_command_for_a_status_that_goes_back() {
    let home = Home::new();
    create_database(&home);
    let task = |step: usize, status: &str| {
        // A file that says what it said before is an older copy.
        format!(
            "{{\"tasks\":[{{\"id\":1,\"title\":\"one\",\"status\":\"{status}\",\"step\":{step}}}]}}"
        )
    };
    let steps = [
        ("pending", None),
        ("deferred", None),
        ("pending", Some("trueup item reopen 1 --reason \"reopened in task-master\"")),
        ("in-progress", None),
        ("blocked", Some("trueup item transition 1 blocked")),
        ("done", None),
        ("pending", Some("trueup item reopen 1 --reason \"reopened in task-master\"")),
    ];
    for (step, (status, expected)) in steps.into_iter().enumerate() {
        write(&home, "tasks.json", task(step, status));
        let said = trueup(&home, &["item", "import", "tasks.json"]).ok().stdout;
        let command = said.split('`').find(|part| part.starts_with("trueup item "));
        assert_eq!(command, expected, "{status}: {said}");
        let run: Vec<&str> = command.unwrap_or_default().split(' ').skip(1).collect();
        if let [item, verb, key, rest @ ..] = &run[..] {
            let rest = if *verb == "reopen" { &["--reason", "again"][..] } else { rest };
            data(&home, &[&[*item, *verb, *key], rest].concat());
        }
        data(&home, &["export", "tasks.json", "--format", "task-master"]);
        let text = fs::read_to_string(home.project_dir().join("tasks.json")).unwrap();
        assert_eq!(text, task(step, status));
    }
}

#[test]
fn new_tasks_are_numbered_as_they_were_added() {
    let home = Home::new();
    create_database(&home);
    write(&home, "tasks.json", "{\"tasks\":[{\"id\":3,\"title\":\"three\"}]}");
    import(&home, &home.project_dir().join("tasks.json"));
    for key in ["gamma", "delta", "beta"] {
        data(&home, &["item", "add", key, "--title", key]);
    }
    let file: Value = serde_json::from_slice(&export(&home, "task-master", "tasks.json")).unwrap();
    let tasks = file["tasks"].as_array().unwrap();
    let titles: Vec<String> =
        tasks.iter().map(|task| format!("{} {}", task["id"], task["title"])).collect();
    assert_eq!(titles, ["3 \"three\"", "4 \"gamma\"", "5 \"delta\"", "6 \"beta\""]);
}
