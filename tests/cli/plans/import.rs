//! `plan import` and `plan export`.

use serde_json::{Value, json};
use support::home::Home;

use super::{PLAN, home_with_plan, ids, task, write};
use crate::fixture::{create_database, data, envelope, keys, object, refused, trueup};

#[test]
fn an_import_says_what_it_took_and_what_not() {
    let home = Home::new();
    create_database(&home);
    let path = write(&home, "docs/fix.md", PLAN);
    let imported_plan = data(&home, &["plan", "import", "docs/fix.md"]);
    assert_eq!(
        keys(&imported_plan),
        ["changed", "format", "imported", "new", "plan", "plans", "skipped"]
    );
    assert_eq!(imported_plan["imported"], 5);
    let plan = json!({
        "plan_id": "fix", "path": path.to_string_lossy(), "title": "Fix the sync",
        "status": "in_progress",
    });
    assert_eq!(imported_plan["plan"], plan);
    let skipped = imported_plan["skipped"].as_array().unwrap();
    assert_eq!(skipped.len(), 1);
    assert_eq!(keys(&skipped[0]), ["line", "reason", "text"]);
    assert_eq!(skipped[0]["line"], 7);
    assert_eq!(skipped[0]["text"], "- [ ] 1.3 Twice");
    let text = trueup(&home, &["plan", "import", "docs/fix.md"]).ok().stdout;
    assert!(
        text.starts_with("imported 5 tasks of plan \"fix\" (trueup): 0 new, 0 changed\n"),
        "{text}"
    );
    assert!(text.contains("skipped line 7: duplicate id 1.3"), "{text}");
}

#[test]
fn importing_again_takes_words_and_never_sets_back() {
    let home = home_with_plan();
    data(&home, &["plan", "complete", "1.1"]);
    let text =
        PLAN.replace("1.1 Write", "1.1 Rewrite").replace("- [ ] 2.2 Show", "- [x] 2.1.1 New");
    write(&home, "fix.md", text);
    let answer = object(&home, 0, &["plan", "import", "fix.md"]);
    assert_eq!(answer["warnings"], json!(["task 2.2 is not in the file; kept"]));
    let first = task(&home, "1.1");
    assert_eq!(
        (&first["title"], &first["status"]),
        (&json!("Rewrite the migration"), &json!("completed"))
    );
    assert_eq!(task(&home, "2.1.1")["status"], "completed");
    assert_eq!(task(&home, "2.2")["status"], "pending");
}

#[test]
fn a_status_file_is_of_the_plan_it_names() {
    let home = home_with_plan();
    let tasks = json!([
        {"id": "1.1", "description": "Write the migration", "status": "done", "duration": 5,
         "startedAt": "2026-01-01T10:00:00Z", "completedAt": "2026-01-01T11:00:00Z"},
        {"id": "3.1", "phase": "Phase 3: Ship", "description": "Ship", "status": "in-progress"},
        {"id": "3.2", "description": "Odd", "status": "almost"},
    ]);
    let status = json!({"planPath": "fix.md", "planName": "Fix", "tasks": tasks});
    write(&home, "out/fix/status.json", format!("{status:#}"));
    let run = home.prepare_run("trueup").cwd(home.project_dir().join("out"));
    let answer = envelope(&run.args(["plan", "import", "fix/status.json", "--json"]).wait(), 0);
    let imported = &answer["data"];
    assert_eq!(imported["plan"]["plan_id"], "fix", "{imported}");
    assert_eq!(imported["imported"], 2);
    let reason = imported["skipped"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("almost") && reason.contains("in_progress"), "{reason}");
    assert_eq!(task(&home, "1.1")["status"], "completed");
    let third = task(&home, "3.1");
    assert_eq!(third["status"], "in_progress");
    assert!(third["started_at"].is_string());
    let extra: String = home.query_value("SELECT extra FROM plan_tasks WHERE id = '1.1'", []);
    assert_eq!(extra, r#"{"duration":5}"#);
    let status = data(&home, &["plan", "status", "out/fix/status.json"]);
    assert_eq!(status["plan"]["plan_id"], "fix");
}

#[test]
fn an_export_is_the_status_file_with_what_changed_since() {
    let home = Home::new();
    create_database(&home);
    let status = json!({
        "planPath": "fix.md", "planName": "Fix", "createdAt": "2026-01-01T00:00:00Z",
        "_comment": "mine", "runs": [{"runId": "r1", "tasksCompleted": 4.0}],
        "tasks": [
            {"id": "1.1", "phase": "Phase 1: Start", "description": "Write", "status": "completed",
             "startedAt": "2026-01-01T10:00:00.000Z", "completedAt": "2026-01-01T11:00:00.000Z",
             "duration": 5, "executionConstraints": {"sequential": true}},
            {"id": "1.2", "phase": 2, "description": "Build", "status": "pending",
             "dependencies": ["1.1"], "retryCount": 7},
            {"id": "1.3", "description": "Ship", "status": "failed", "error": "no", "retryCount": 1,
             "completedAt": "2026-01-01T12:00:00.000Z"},
        ],
        "summary": {"totalTasks": 9, "completed": 9, "percentage": 100},
    });
    write(&home, "status.json", format!("{status:#}"));
    data(&home, &["plan", "import", "status.json"]);
    let mut expected = status.clone();
    expected["summary"] = json!({"totalTasks": 3, "completed": 1, "percentage": 100,
        "pending": 1, "in_progress": 0, "failed": 1, "skipped": 0});
    let mut exported = data(&home, &["plan", "export"]);
    assert!(exported["lastUpdatedAt"].is_string());
    exported.as_object_mut().unwrap().remove("lastUpdatedAt");
    assert_eq!(exported, expected);

    data(&home, &["plan", "start", "1.2"]);
    let text = trueup(&home, &["plan", "export", "fix"]).ok().stdout;
    let printed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(printed["tasks"][1]["status"], "in_progress");
    assert!(printed["tasks"][1]["startedAt"].is_string());
    assert_eq!(printed["summary"]["in_progress"], 1);

    // It is what an import reads.
    let other = Home::new();
    create_database(&other);
    write(&other, "status.json", &text);
    data(&other, &["plan", "import", "status.json"]);
    let again: Value = data(&other, &["plan", "export"]);
    assert_eq!(again["tasks"], printed["tasks"]);
}

#[test]
fn what_cannot_be_read_is_named_and_leaves_nothing() {
    let home = Home::new();
    create_database(&home);
    write(&home, "bytes.md", b"# x\xff\n");
    write(&home, "broken.json", "{\"tasks\": [");
    write(&home, "other.json", "{\"a\": 1}");
    for (path, name) in [
        ("none.md", "none.md"),
        ("bytes.md", "bytes.md"),
        ("broken.json", "broken.json"),
        ("other.json", "other.json"),
        (".", "bytes.md"),
    ] {
        let object = object(&home, 3, &["plan", "import", path]);
        assert_eq!(object["error"]["code"], "plan_unreadable", "{object}");
        let message = object["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(name), "{message}");
    }
    write(&home, "readme.md", "# Hello\n\n| [ ] | odd |\n");
    let refusal = refused(&home, "no_plan", &["plan", "import", "readme.md"]);
    assert_eq!(refusal["data"]["imported"], 0);
    assert_eq!(refusal["data"]["skipped"][0]["line"], 3);
    assert_eq!(data(&home, &["plan", "list"]), json!({"plans": []}));
    assert_eq!(home.query_value::<i64>("SELECT count(*) FROM plans", []), 0);
}

#[test]
fn what_cannot_be_read_is_waited_for() {
    let home = Home::new();
    create_database(&home);
    let text = "# P\n\n## Phase 1: x\n- [ ] 1.1 a\n- [ ] 1.2 b (depends: #1.1)\n- [ ] 1.3 c (depends: ???)\n";
    write(&home, "p.md", text);
    object(&home, 1, &["plan", "import", "p.md"]);
    assert_eq!(ids(&data(&home, &["plan", "next", "9"])), ["1.1"]);
    // It is not the task that looks like it.
    data(&home, &["plan", "complete", "1.1"]);
    assert_eq!(ids(&data(&home, &["plan", "next", "9"])), [""; 0]);
}
