//! Plans of every format that people write: what an import takes of them.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};
use support::client::repository_root;
use support::home::Home;

use super::write;
use crate::fixture::{create_database, data, keys, object, trueup};

const FILES: [&str; 11] = [
    "trueup.md",
    "checklist.md",
    "symbols.md",
    "specs/001-cart/tasks.md",
    "openspec/changes/add-search/tasks.md",
    ".kiro/specs/cart/tasks.md",
    ".planning/ROADMAP.md",
    ".planning/phases/01-base/01-01-PLAN.md",
    "task-headings.md",
    "superpowers.md",
    "status.json",
];

fn fixture_text(name: &str) -> String {
    fs::read_to_string(repository_root().join("tests/fixtures/plans").join(name)).unwrap()
}

/// Imports a fixture, and describes what was taken of it.
fn describe_import(home: &Home, name: &str) -> String {
    write(home, name, fixture_text(name));
    let run = home.prepare_run("trueup").cwd(home.project_dir());
    let run = run.args(["plan", "import", name, "--json"]).wait();
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    let imported = &answer["data"];
    let mut text = format!("{name}: {}\n", imported["format"].as_str().unwrap());
    let plan = imported["plan"]["plan_id"].as_str().unwrap();
    let exported = data(home, &["plan", "export", plan]);
    for task in exported["tasks"].as_array().unwrap() {
        let mut fields = task.as_object().unwrap().clone();
        let mut take = |key: &str| fields.remove(key).unwrap_or(Value::Null);
        let (id, status, title) = (take("id"), take("status"), take("description"));
        take("startedAt");
        take("completedAt");
        let texts = [id, status, title].map(|value| value.as_str().unwrap().to_owned());
        writeln!(text, "  {} {}", texts.join(" | "), Value::Object(fields)).unwrap();
    }
    for skipped in imported["skipped"].as_array().unwrap() {
        writeln!(text, "  line {}: {}", skipped["line"], skipped["reason"]).unwrap();
    }
    text
}

#[test]
fn every_format_is_read_as_it_is_meant() {
    let home = Home::new();
    create_database(&home);
    let found: String = FILES.iter().map(|name| describe_import(&home, name)).collect();
    let expected = repository_root().join("tests/fixtures/plans/expected.txt");
    if std::env::var_os("TRUEUP_RECORD").is_some() {
        fs::write(&expected, &found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(expected).unwrap());
}

#[test]
fn importing_again_changes_nothing_and_ids_are_written_in() {
    let home = Home::new();
    create_database(&home);
    for name in FILES {
        write(&home, name, fixture_text(name));
        let run = |arguments: &[&str]| trueup(&home, arguments).stdout;
        run(&["plan", "import", name]);
        let text = run(&["plan", "import", name]);
        assert!(text.contains(": 0 new, 0 changed\n"), "{name}: {text}");
        run(&["plan", "validate", name, "--fix"]);
        let fixed = fs::read_to_string(home.project_dir().join(name)).unwrap();
        let text = run(&["plan", "import", name]);
        assert!(text.contains(": 0 new, 0 changed\n"), "{name}: {text}\n{fixed}");
        let lacking = run(&["plan", "validate", name]);
        assert!(!lacking.contains("no id in the file"), "{name}: {lacking}");
    }
}

#[test]
fn a_format_that_was_decided_is_kept() {
    let home = Home::new();
    create_database(&home);
    write(&home, "a.md", "## Phase 1: x\n- [ ] 1.1 a\n## Other\n- [ ] 2. b\n");
    let format = |arguments: &[&str]| {
        let answer = data(&home, arguments);
        assert_eq!(
            keys(&answer),
            ["changed", "format", "imported", "new", "plan", "plans", "skipped"]
        );
        (answer["format"].clone(), answer["imported"].clone())
    };
    assert_eq!(format(&["plan", "import", "a.md"]), (json!("trueup"), json!(1)));
    // In progress as Kiro writes it; elsewhere a box that is crossed out.
    write(&home, "a.md", "## Phase 1: x\n- [-] 1.1 a\n## Other\n- [ ] 2. b\n");
    let kiro = (json!("kiro"), json!(2));
    assert_eq!(format(&["plan", "import", "a.md", "--format", "kiro"]), kiro);
    assert_eq!(format(&["plan", "import", "a.md"]), kiro);
    let status = data(&home, &["plan", "status", "a"]);
    assert_eq!(status["summary"]["in_progress"], 1, "{status}");
    let text = trueup(&home, &["plan", "validate", "a"]).ok().stdout;
    assert!(text.contains("a.md: 2 tasks"), "{text}");
    let wrong = object(&home, 2, &["plan", "import", "a.md", "--format", "word"]);
    let message = wrong["error"]["message"].as_str().unwrap();
    assert!(message.contains("task-headings"), "{message}");
}

#[test]
fn what_a_tracker_has_is_a_plan() {
    let home = Home::new();
    create_database(&home);
    let front = "---\nid: task-1\ntitle: Sow\nstatus: Done\npriority: high\n---\n";
    write(&home, "backlog/tasks/task-1 - Sow.md", front);
    let second = "---\nid: task-2\ntitle: Reap\nstatus: To Do\ndependencies: [task-1]\n---\n";
    write(&home, "backlog/tasks/task-2 - Reap.md", second);
    let master = json!({"master": {"tasks": [
        {"id": 1, "title": "Dig", "status": "done", "priority": "high", "dependencies": []},
        {"id": 2, "title": "Plant", "status": "pending", "dependencies": [1], "subtasks": []},
    ]}});
    write(&home, ".taskmaster/tasks/tasks.json", master.to_string());
    let issue = json!({"id": "a-1", "title": "Mow", "status": "open", "issue_type": "task"});
    write(&home, "issues.jsonl", format!("{issue}\n"));
    for (path, format, plan, count) in [
        ("backlog", "backlog", "backlog", 2),
        (".taskmaster/tasks/tasks.json", "task-master", "taskmaster", 2),
        ("issues.jsonl", "beads", "issues", 1),
    ] {
        let imported = data(&home, &["plan", "import", path]);
        assert_eq!((&imported["format"], &imported["imported"]), (&json!(format), &json!(count)));
        assert_eq!(imported["plan"]["plan_id"], plan);
        let path = imported["plan"]["path"].as_str().unwrap();
        let text = trueup(&home, &["plan", "validate", path]).ok().stdout;
        assert!(text.contains(&format!("{count} task")), "{text}");
    }
    let next = data(&home, &["plan", "next", "9", "--plan", "backlog"]);
    assert_eq!(next["tasks"][0]["title"], "Reap", "{next}");
}
