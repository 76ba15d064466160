//! A secret in a tracker's file stays there, and is nowhere else.

use super::*;
use crate::fixture::{create_database, trueup};

const PASSWORD: &str = "hunter2hunter2";

fn token() -> String {
    ["gh", "p_abcdefghijklmnopqrstuvwxyz0123456789"].concat()
}

#[test]
fn a_file_with_secrets_is_exported_again_with_them_and_nothing_shows_them() {
    let token = token();
    for (format, name, text, keys) in [
        (
            "beads",
            ".beads/issues.jsonl",
            format!(
                "{{\"id\": \"s-1\", \"title\":\"rotate {token} now\",\"description\":\"password={PASSWORD}\",\"status\":\"open\"}}\n\
                 {{\"id\":\"s-2\",\"title\":\"Two\",\"status\":\"open\"}}\n"
            ),
            ["s-1", "s-2"],
        ),
        (
            "task-master",
            "tasks.json",
            format!(
                "{{\n  \"tasks\": [\n    {{\n      \"id\": 1,\n      \"title\": \"rotate {token} now\",\n      \
                 \"description\": \"password={PASSWORD}\",\n      \"status\": \"pending\"\n    }},\n    \
                 {{\n      \"id\": 2,\n      \"title\": \"Two\",\n      \"status\": \"pending\"\n    }}\n  ],\n  \
                 \"metadata\": {{\n    \"key\": \"{token}\"\n  }}\n}}\n"
            ),
            ["1", "2"],
        ),
    ] {
        let home = Home::new();
        create_database(&home);
        write(&home, name, &text);
        let read = || fs::read_to_string(home.project_dir().join(name)).unwrap();
        let import = || {
            let answer = trueup(&home, &["item", "import", name, "--json"]).ok();
            let said = format!("{}{}", answer.stdout, answer.stderr);
            assert!(!said.contains(&token) && !said.contains(PASSWORD), "{said}");
            serde_json::from_str::<Value>(&answer.stdout).unwrap()["data"].clone()
        };
        let export = || data(&home, &["export", name, "--format", format]);
        import();
        export();
        assert_eq!(read(), text, "{format}");
        data(&home, &["item", "transition", keys[1], "completed"]);
        export();
        let again = import();
        assert_eq!((&again["changed"], &again["unchanged"]), (&Value::Array(vec![]), &2.into()));
        // Of an issue that changed, the rest stays.
        data(&home, &["item", "transition", keys[0], "completed"]);
        export();
        assert!(read().contains(&token) && read().contains(PASSWORD), "{}", read());
        assert_eq!(import()["unchanged"], 2);
        // Somebody else's change is still seen.
        write(&home, name, read().replace("rotate", "change"));
        assert_eq!(import()["changed"].as_array().unwrap().len(), 1);
        export();
        assert!(read().contains(&format!("change {token} now")), "{}", read());
    }
}

#[test]
fn a_task_of_backlog_keeps_its_secrets() {
    let token = token();
    let home = Home::new();
    create_database(&home);
    let name = "backlog/tasks/task-1 - T.md";
    let text = format!(
        "---\nid: TASK-1\ntitle: rotate {token} now\nstatus: To Do\n---\n\n## Description\n\n\
         password={PASSWORD}\n"
    );
    write(&home, name, &text);
    let folder = home.project_dir().join("backlog");
    import(&home, &folder);
    data(&home, &["item", "transition", "TASK-1", "running"]);
    data(&home, &["export", "backlog", "--format", "backlog"]);
    let written = fs::read_to_string(home.project_dir().join(name)).unwrap();
    assert_eq!(written, text.replace("To Do", "In Progress"));
    assert_eq!(import(&home, &folder)["unchanged"], 1);
}

#[test]
fn no_command_prints_a_token_that_it_was_given() {
    let home = Home::new();
    create_database(&home);
    let title = format!("rotate {} now", token());
    let plan = format!("# Plan\n\n## Phase 1: All\n- [ ] 1.1 {title}\n");
    write(&home, "PLAN.md", plan);
    for arguments in [
        &["item", "add", "A-1", "--title", &title, "--json"][..],
        &["item", "edit", "A-1", "--title", &format!("{title}!"), "--json"],
        &["item", "edit", "A-1", "--description", &title, "--json"],
        &["plan", "import", "PLAN.md", "--json"],
        &["item", "add", &token(), "--json"],
        &["item", "show", &title, "--json"],
    ] {
        let answer = trueup(&home, arguments);
        let said = format!("{}{}", answer.stdout, answer.stderr);
        assert!(!said.contains(&token()), "{arguments:?}: {said}");
    }
}
