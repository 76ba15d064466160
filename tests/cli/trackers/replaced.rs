//! An export over the tracker's own file destroys nothing.

use super::*;
use crate::fixture::{create_database, refused, trueup};

const FILE: &str = ".beads/issues.jsonl";
const ISSUE: &str = r#"{"id":"s-1","title":"One","status":"open","priority":2}"#;

fn read(home: &Home, name: &str) -> String {
    fs::read_to_string(home.project_dir().join(name)).unwrap()
}

#[test]
fn what_a_colleague_added_is_imported_before_it_is_replaced() {
    let home = Home::new();
    create_database(&home);
    let path = write(&home, FILE, format!("{ISSUE}\n"));
    import(&home, &path);
    let added = r#"{"id":"s-2","title":"Two","status":"open"}"#;
    let text =
        format!("{}\n{added}\n", ISSUE.replace("\"One\"", "\"One\",\"comments\":[\"look\"]"));
    write(&home, FILE, &text);
    let arguments = ["export", FILE, "--format", "beads"];
    refused(&home, "changed_since_import", &arguments);
    assert_eq!(read(&home, FILE), text);
    import(&home, &path);
    data(&home, &arguments);
    let issues = parse_lines(read(&home, FILE).as_bytes());
    assert_eq!(issues, parse_lines(text.as_bytes()));
    // What an import skips is no less of the file.
    write(&home, FILE, format!("{text}{{\"id\":\n"));
    let answer = trueup(&home, &arguments);
    assert!(answer.stderr.contains(":3: an import skips it: does not parse"), "{answer:?}");
}

#[test]
fn an_item_added_here_comes_back_as_itself() {
    for (format, name) in
        [("beads", "issues.jsonl"), ("task-master", "tasks.json"), ("backlog", "backlog")]
    {
        let home = Home::new();
        create_database(&home);
        data(&home, &["item", "add", "NEW-1", "--title", "Mine"]);
        data(&home, &["export", name, "--format", format]);
        let imported = data(&home, &["item", "import", name]);
        assert_eq!(imported["added"], serde_json::json!([]), "{format}");
        assert_eq!(imported["unchanged"], 1, "{format}: {imported}");
        data(&home, &["export", name, "--format", format]);
        assert_eq!(data(&home, &["item", "import", name])["unchanged"], 1, "{format}");
    }
}

#[test]
fn a_file_with_a_mark_and_wide_line_ends_is_replaced() {
    let home = Home::new();
    create_database(&home);
    let path = write(&home, FILE, format!("\u{feff}{ISSUE}\r\n"));
    import(&home, &path);
    assert_eq!(export(&home, "beads", FILE), format!("\u{feff}{ISSUE}\r\n").as_bytes());
    data(&home, &["item", "edit", "s-1", "--title", "First"]);
    data(&home, &["item", "add", "s-2"]);
    let text = String::from_utf8(export(&home, "beads", FILE)).unwrap();
    assert!(text.starts_with("\u{feff}{") && text.contains("\"First\""), "{text}");
    assert_eq!((text.matches('\n').count(), text.matches("\r\n").count()), (2, 2), "{text}");
    let list = "\u{feff}{\r\n  \"tasks\": [\r\n    {\r\n      \"id\": 1\r\n    }\r\n  ]\r\n}\r\n";
    let home = Home::new();
    create_database(&home);
    let path = write(&home, "tasks.json", list);
    import(&home, &path);
    assert_eq!(export(&home, "task-master", "tasks.json"), list.as_bytes());
}

#[test]
fn a_task_of_backlog_with_a_mark_and_wide_line_ends_is_replaced() {
    let home = Home::new();
    create_database(&home);
    let name = "backlog/tasks/task-1 - T.md";
    let text = "\u{feff}---\r\nid: TASK-1\r\ntitle: T\r\nstatus: To Do # st\r\n---\r\n\r\n\
                ## Description\r\n\r\nold\r\n";
    write(&home, name, text);
    import(&home, &home.project_dir().join("backlog"));
    data(&home, &["item", "transition", "TASK-1", "running"]);
    data(&home, &["item", "edit", "TASK-1", "--description", "a\nb"]);
    data(&home, &["export", "backlog", "--format", "backlog"]);
    let expected = text.replace("To Do #", "In Progress #").replace("old", "a\r\nb");
    assert_eq!(read(&home, name), expected);
    data(&home, &["export", "backlog", "--format", "backlog"]);
    assert_eq!(import(&home, &home.project_dir().join("backlog"))["unchanged"], 1);
}

#[test]
fn a_task_of_backlog_that_somebody_moved_is_written_where_it_is() {
    for leaves_folder in [true, false] {
        let home = Home::new();
        create_database(&home);
        let text = "---\nid: TASK-2\ntitle: t\nstatus: Done\n---\n";
        write(&home, "backlog/tasks/task-2 - t.md", text);
        import(&home, &home.project_dir().join("backlog"));
        let root = home.project_dir().join("backlog");
        fs::create_dir(root.join("completed")).unwrap();
        fs::rename(root.join("tasks/task-2 - t.md"), root.join("completed/task-2 - t.md")).unwrap();
        if !leaves_folder {
            fs::remove_dir(root.join("tasks")).unwrap();
        }
        data(&home, &["item", "edit", "TASK-2", "--title", "Second"]);
        data(&home, &["export", "backlog/tasks", "--format", "backlog"]);
        assert_eq!(fs::read_dir(root.join("tasks")).unwrap().count(), 0);
        assert!(read(&home, "backlog/completed/task-2 - t.md").contains("title: Second"));
        data(&home, &["export", "backlog/tasks", "--format", "backlog"]);
        assert_eq!(fs::read_dir(root.join("tasks")).unwrap().count(), 0);
    }
}

#[test]
fn tasks_of_backlog_go_back_to_their_folders() {
    let home = Home::new();
    create_database(&home);
    for (place, id) in [("tasks", "TASK-1"), ("completed", "TASK-2"), ("drafts", "DRAFT-1")] {
        let text = format!("---\nid: {id}\ntitle: t\nstatus: To Do\n---\n");
        write(&home, &format!("backlog/{place}/{id}.md"), text);
    }
    import(&home, &home.project_dir().join("backlog"));
    data(&home, &["item", "transition", "TASK-2", "running"]);
    for folder in ["backlog/tasks", "backlog"] {
        data(&home, &["export", folder, "--format", "backlog"]);
        let names = |folder: &str| fs::read_dir(home.project_dir().join(folder)).unwrap().count();
        assert_eq!((names("backlog"), names("backlog/tasks")), (3, 1));
        assert!(read(&home, "backlog/completed/TASK-2.md").contains("status: In Progress"));
        // What an export wrote is taken for known once it was imported.
        import(&home, &home.project_dir().join("backlog"));
    }
    let first = "backlog/tasks/TASK-1.md";
    let text = read(&home, first).replace("status:", "labels: [page]\nstatus:");
    write(&home, first, &text);
    refused(&home, "changed_since_import", &["export", "backlog", "--format", "backlog"]);
    assert_eq!(read(&home, first), text);
}
