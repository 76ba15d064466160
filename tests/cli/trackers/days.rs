//! Days of work: what trueup wrote itself is no change by somebody else.

use std::time::Duration;

use serde_json::json;
use trueup_core::fs::FileLock;

use super::*;
use crate::fixture::{create_database, envelope, refused, trueup};

/// The file of a tracker with three tasks, as the tracker lays it out.
fn three(format: &str) -> (&'static str, &'static str) {
    match format {
        "beads" => (
            ".beads/issues.jsonl",
            "{\"id\": \"s-1\", \"title\": \"Größe \\u003c 日本\", \"status\": \"open\", \"notes\": \"n\"}\n\
             {\"id\":\"s-2\",\"title\":\"Two\",\"status\":\"open\",\"labels\":[\"a\"],\"x\":1.50}\n\
             {\"id\":\"s-3\",\"title\":\"Three\",\"status\":\"open\",\"comments\":[{\"text\":\"look\"}]}\n",
        ),
        _ => (
            ".taskmaster/tasks/tasks.json",
            "{\n    \"master\": {\n        \"metadata\": {\n            \"created\": \"x\"\n        },\n        \
             \"tasks\": [\n            {\n                \"id\": 1,\n                \"title\": \"Größe 日本\",\n                \
             \"status\": \"pending\",\n                \"custom\": 1.50\n            },\n            \
             {\n                \"id\": 2,\n                \"title\": \"Two\",\n                \"status\": \"pending\"\n            },\n            \
             {\n                \"id\": 3,\n                \"title\": \"Three\",\n                \"status\": \"pending\"\n            }\n        ]\n    }\n}",
        ),
    }
}

fn read(home: &Home, name: &str) -> String {
    fs::read_to_string(home.project_dir().join(name)).unwrap()
}

/// Returns the lines of a text that another one does not have.
fn changed_lines<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let before: Vec<&str> = before.lines().collect();
    text.lines().filter(|line| !before.contains(line)).collect()
}

#[test]
fn a_file_is_exported_again_and_again_and_only_what_was_worked_on_differs() {
    for (format, keys) in [("beads", ["s-1", "s-2", "s-3"]), ("task-master", ["1", "2", "3"])] {
        let home = Home::new();
        create_database(&home);
        let (name, text) = three(format);
        let path = write(&home, name, text);
        import(&home, &path);
        let export = || {
            data(&home, &["export", name, "--format", format]);
            read(&home, name)
        };
        assert_eq!(export(), text, "{format}");
        data(&home, &["item", "transition", keys[1], "completed"]);
        let first = export();
        assert_eq!(changed_lines(&first, text).len(), 1, "{format}: {first}");
        data(&home, &["item", "edit", keys[1], "--title", "Second"]);
        data(&home, &["item", "reopen", keys[1], "--reason", "wrong"]);
        data(&home, &["item", "add", "NEW-1", "--title", "Mine"]);
        export();
        data(&home, &["item", "edit", "NEW-1", "--title", "Mine still"]);
        data(&home, &["item", "remove", keys[0]]);
        let last = export();
        assert!(last.contains("Second") && last.contains("Mine still"), "{last}");
        assert!(!last.contains("Größe") && last.contains("Three"), "{last}");
        let again = import(&home, &path);
        assert_eq!((&again["added"], &again["changed"]), (&json!([]), &json!([])), "{format}");
        assert_eq!(export(), last);
        assert_eq!(status(&home, keys[1]), "queued");
        // Somebody else is still seen.
        write(&home, name, last.replace("Second", "Theirs"));
        refused(&home, "changed_since_import", &["export", name, "--format", format]);
        import(&home, &path);
        assert!(export().contains("Theirs"));
    }
}

#[test]
fn the_folder_of_backlog_is_exported_again_with_the_columns_of_its_board() {
    let home = Home::new();
    create_database(&home);
    write(&home, "backlog/config.yml", "statuses: [\"Open\", \"Doing\", \"Shipped\"]\n");
    for number in 1..=2 {
        let text =
            format!("---\nid: TASK-{number}\ntitle: T\nstatus: Open\nmine: '1'\n---\n\nText.\n");
        write(&home, &format!("backlog/tasks/task-{number} - T.md"), text);
    }
    import(&home, &home.project_dir().join("backlog"));
    let first = "backlog/tasks/task-1 - T.md";
    let before = read(&home, first);
    for (to, word) in [("running", "Doing"), ("completed", "Shipped")] {
        data(&home, &["item", "transition", "TASK-1", to]);
        data(&home, &["export", "backlog", "--format", "backlog"]);
        assert_eq!(read(&home, first), before.replace("status: Open", &format!("status: {word}")));
    }
    data(&home, &["item", "add", "NEW-1", "--title", "Mine"]);
    data(&home, &["item", "remove", "TASK-2"]);
    data(&home, &["export", "backlog", "--format", "backlog"]);
    assert!(read(&home, "backlog/tasks/new-1 - Mine.md").contains("status: Open\n"));
    assert!(!home.project_dir().join("backlog/tasks/task-2 - T.md").exists());
    let again = import(&home, &home.project_dir().join("backlog"));
    assert_eq!((&again["added"], &again["changed"]), (&json!([]), &json!([])));
}

#[test]
fn a_status_that_was_set_back_is_taken_by_the_command_that_the_import_names() {
    let home = Home::new();
    create_database(&home);
    let (name, text) = three("task-master");
    let path = write(&home, name, text);
    import(&home, &path);
    let arguments = ["export", name, "--format", "task-master"];
    data(&home, &["item", "transition", "2", "completed"]);
    data(&home, &arguments);
    let text = &text.replace("1.50", "1.75");
    write(&home, name, text.replace("\"Two\"", "\"2\""));
    refused(&home, "changed_since_import", &arguments);
    let said = trueup(&home, &["item", "import", name]).ok().stdout;
    let command = said.split('`').find(|part| part.starts_with("trueup item reopen")).unwrap();
    assert_eq!(command, "trueup item reopen 2 --reason \"reopened in task-master\"");
    assert_eq!(status(&home, "2"), "completed");
    refused(&home, "changed_since_import", &arguments);
    data(&home, &["item", "reopen", "2", "--reason", "reopened in task-master"]);
    data(&home, &arguments);
    assert_eq!(&read(&home, name), &text.replace("\"Two\"", "\"2\""));
}

#[test]
fn a_file_that_another_worktree_has_as_it_was_takes_no_work_back() {
    let home = Home::new();
    create_database(&home);
    let (name, text) = three("beads");
    import(&home, &write(&home, name, text));
    data(&home, &["item", "edit", "s-2", "--title", "Better", "--priority", "P0"]);
    let export = ["export", name, "--format", "beads"];
    data(&home, &export);
    let newest = read(&home, name);
    write(&home, name, text);
    let said = trueup(&home, &["item", "import", name]);
    assert!(said.stdout.contains("0 new, 0 changed, 3 as before"), "{}", said.stdout);
    let line = ".beads/issues.jsonl has an older copy of s-2, from which nothing is taken; \
                `trueup export .beads/issues.jsonl --format beads` brings it up to date";
    assert!(said.stderr.contains(line), "{}", said.stderr);
    data(&home, &export);
    assert_eq!(read(&home, name), newest);
    // Nor does an export need the import.
    write(&home, name, text);
    data(&home, &export);
    assert_eq!(read(&home, name), newest);
}

#[test]
fn exports_at_the_same_time_do_not_refuse_each_other() {
    let home = Home::new();
    create_database(&home);
    let (name, text) = three("beads");
    import(&home, &write(&home, name, text));
    std::thread::scope(|scope| {
        for title in ["a", "b", "c", "d"] {
            let home = &home;
            scope.spawn(move || {
                trueup(home, &["item", "edit", "s-2", "--title", title]).ok();
                trueup(home, &["export", name, "--format", "beads"]).ok();
            });
        }
    });
    data(&home, &["export", name, "--format", "beads"]);
    let again = import(&home, &home.project_dir().join(name));
    assert_eq!((&again["changed"], &again["unchanged"]), (&json!([]), &json!(3)));
}

#[test]
fn imports_and_exports_wait_for_whoever_has_the_files() {
    let home = Home::new();
    create_database(&home);
    let (name, text) = three("beads");
    import(&home, &write(&home, name, text));
    data(&home, &["item", "edit", "s-2", "--title", "mine"]);
    let lock = home.trueup_home().join("locks/trackers");
    let held = FileLock::acquire(&lock, Duration::from_mins(1)).unwrap();
    let run = |arguments: &[&str]| {
        let run = home.prepare_run("trueup").args(arguments).env("TRUEUP_DEADLINE_MS", "300");
        envelope(&run.args(["--json"]).wait(), 3)["error"]["code"].clone()
    };
    for arguments in [&["export", name, "--format", "beads"][..], &["item", "import", name]] {
        assert_eq!(run(arguments), "file_busy", "{arguments:?}");
    }
    assert_eq!(read(&home, name), text);
    drop(held);
    data(&home, &["export", name, "--format", "beads"]);
}

#[test]
fn what_was_removed_here_stays_removed_unless_the_file_changes_it() {
    let home = Home::new();
    create_database(&home);
    let (name, text) = three("beads");
    let path = write(&home, name, text);
    import(&home, &path);
    data(&home, &["item", "remove", "s-2"]);
    let theirs = text.replace("Three", "Theirs");
    write(&home, name, &theirs);
    refused(&home, "changed_since_import", &["export", name, "--format", "beads"]);
    let said = trueup(&home, &["item", "import", name]).ok().stdout;
    assert!(said.contains("0 new, 1 changed, 1 as before, 1 skipped"), "{said}");
    assert!(said.contains("s-2 was removed here on "), "{said}");
    data(&home, &["export", name, "--format", "beads"]);
    assert!(read(&home, name).contains("Theirs") && !read(&home, name).contains("s-2"));
    // Somebody goes on with it.
    write(&home, name, theirs.replace("Two", "Two, after all"));
    let said = trueup(&home, &["item", "import", name]).ok().stdout;
    assert!(said.contains("1 new") && said.contains("`trueup item remove s-2`"), "{said}");
    assert!(import(&home, &path)["skipped"].as_array().unwrap().is_empty());
    // And one that was removed comes back once it is added.
    data(&home, &["item", "remove", "s-2"]);
    assert_eq!(import(&home, &path)["added"], json!([]));
    data(&home, &["item", "add", "s-2"]);
    import(&home, &path);
    let item = data(&home, &["item", "show", "s-2"]);
    assert_eq!(item["item"]["title"], "Two, after all");
}

#[test]
fn what_is_added_again_by_hand_is_taken_over_as_the_file_has_it() {
    const ISSUES: &str = "{\"id\":\"s-1\",\"title\":\"One\",\"status\":\"open\",\"priority\":1,\
         \"issue_type\":\"epic\",\"created_at\":\"2026-01-02T12:00:00Z\",\"updated_at\":\"2026-01-02T12:00:00Z\"}\n\
         {\"id\":\"s-2\",\"title\":\"Two\",\"description\":\"steps\",\"status\":\"deferred\",\"priority\":0,\
         \"issue_type\":\"bug\",\"created_at\":\"2026-01-02T12:00:00Z\",\"updated_at\":\"2026-01-03T12:00:00Z\",\
         \"dependencies\":[{\"issue_id\":\"s-2\",\"depends_on_id\":\"s-1\",\"type\":\"blocks\"}]}\n";
    let (tasks, text) = three("task-master");
    for (format, name, text, key) in
        [("beads", "issues.jsonl", ISSUES, "s-2"), ("task-master", tasks, text, "3")]
    {
        let home = Home::new();
        create_database(&home);
        let path = write(&home, name, text);
        import(&home, &path);
        data(&home, &["item", "remove", key]);
        let hint = import(&home, &path)["skipped"].to_string();
        assert!(hint.contains(&format!("`trueup item add {key}`")), "{hint}");
        data(&home, &["item", "add", key]);
        let again = import(&home, &path);
        assert_eq!((&again["added"], &again["skipped"]), (&json!([]), &json!([])), "{format}");
        assert_eq!(again["changed"][0]["item"], key, "{again:#}");
        data(&home, &["export", name, "--format", format]);
        assert_eq!(read(&home, name), text, "{format}");
    }
}

#[test]
fn a_task_file_alone_is_read_with_the_columns_of_its_folder() {
    let home = Home::new();
    create_database(&home);
    write(&home, "backlog/config.yml", "statuses: [\"Icebox\", \"Doing\", \"Shipped\"]\n");
    let text = "---\nid: TASK-1\ntitle: one\nstatus: Shipped\n---\n";
    let path = write(&home, "backlog/tasks/task-1 - one.md", text);
    let imported = import(&home, &path);
    assert_eq!(imported["skipped"], json!([]), "{imported:#}");
    assert_eq!(status(&home, "TASK-1"), "completed");
}

#[test]
fn items_of_one_tracker_that_move_to_another_are_not_doubled() {
    let home = Home::new();
    create_database(&home);
    let (name, text) = three("task-master");
    let path = write(&home, name, text);
    import(&home, &path);
    data(&home, &["export", "issues.jsonl", "--format", "beads"]);
    let moved = import(&home, &home.project_dir().join("issues.jsonl"));
    assert_eq!((&moved["added"], &moved["unchanged"]), (&json!([]), &json!(3)));
    // Nor where the database did not see the file being written.
    let printed = trueup(&home, &["export", "--format", "beads"]).ok().stdout;
    let other = Home::new();
    create_database(&other);
    import(&other, &write(&other, name, text));
    let moved = import(&other, &write(&other, "issues.jsonl", printed));
    assert_eq!((&moved["added"], &moved["unchanged"]), (&json!([]), &json!(3)));
    // Each tracker still gets its own file back.
    data(&other, &["export", name, "--format", "task-master"]);
    assert_eq!(read(&other, name), text);
}

/// Lists what an export says of the tasks of plans.
fn plan_tasks(export: &[u8]) -> Vec<String> {
    let lines = parse_lines(export);
    let tasks = lines.iter().filter(|line| line["type"] == "plan_task");
    let facts = |task: &Map<String, Value>| {
        json!([task["plan"], task["id"], task["title"], task["status"]]).to_string()
    };
    let mut tasks: Vec<String> = tasks.map(facts).collect();
    tasks.sort();
    tasks
}

#[test]
fn another_machine_gets_all_items_and_all_plans_of_an_export() {
    let home = Home::new();
    create_database(&home);
    write(&home, ".git/HEAD", "ref: refs/heads/main\n");
    let (name, text) = three("beads");
    import(&home, &write(&home, name, text));
    for (path, task) in [("a/ONE.md", "Read"), ("b/ONE.md", "Write"), ("THREE.md", "Look")] {
        write(
            &home,
            path,
            format!("# {task}\n\n## Phase 1: All\n- [ ] 1.1 {task}\n- [x] 1.2 Rest\n"),
        );
        data(&home, &["plan", "import", path]);
    }
    data(&home, &["plan", "complete", "1.1", "--plan", "THREE"]);
    let all = export(&home, "json-lines", "all.jsonl");
    let before = plan_tasks(&all);
    for path in ["a/ONE.md", "b/ONE.md", "THREE.md"] {
        fs::remove_file(home.project_dir().join(path)).unwrap();
    }
    let other = Home::new();
    create_database(&other);
    write(&other, ".git/HEAD", "ref: refs/heads/main\n");
    write(&other, "all.jsonl", &all);
    let said = trueup(&other, &["item", "import", "all.jsonl"]).ok().stdout;
    assert!(
        said.contains("3 plans in the file: `trueup plan import all.jsonl` imports them"),
        "{said}"
    );
    let imported = data(&other, &["plan", "import", "all.jsonl"]);
    assert_eq!(
        (imported["plans"].as_array().unwrap().len(), &imported["imported"]),
        (3, &json!(6))
    );
    assert_eq!(before.len(), 6);
    assert_eq!(plan_tasks(&export(&other, "json-lines", "again.jsonl")), before);
    let again = data(&other, &["plan", "import", "all.jsonl"]);
    assert_eq!((&again["new"], &again["changed"]), (&json!(0), &json!(0)));
}
