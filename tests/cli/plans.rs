//! Plans: taken in, shown, and worked through.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home};

use crate::fixture::{data, envelope, keys, object, refused, trueup};
use crate::witness::Witness;

const PLAN: &str = "# Fix the sync

## Phase 1: Setup
- [ ] 1.1 Write the migration
- [x] 1.2 Done before
- [ ] **1.3** Test it (depends: 1.1, 1.2)
- [ ] 1.3 Twice

## Phase 2: Build
- [ ] 2.1 Build (depends: 1.1-1.3)
- [ ] 2.2 Show
";

const TASK_KEYS: &[&str] = &[
    "completed_at",
    "depends_on",
    "error",
    "id",
    "priority",
    "retry_count",
    "revision",
    "skip_reason",
    "started_at",
    "status",
    "task_id",
    "title",
];

fn write(home: &Home, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = home.project_dir().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

/// A scratch without a session, and [`PLAN`] imported as `fix`.
fn planned() -> Home {
    let home = Home::new();
    data(&home, &["db", "migrate"]);
    write(&home, "fix.md", PLAN);
    data(&home, &["plan", "import", "fix.md"]);
    home
}

fn task(home: &Home, id: &str) -> Value {
    let status = data(home, &["plan", "status", "fix"]);
    let tasks = status["tasks"].as_array().unwrap();
    let found = tasks.iter().find(|task| task["id"] == id);
    found.unwrap().clone()
}

fn ids(answer: &Value) -> Vec<&str> {
    let tasks = answer["tasks"].as_array().unwrap();
    tasks
        .iter()
        .map(|task| task["id"].as_str().unwrap())
        .collect()
}

#[test]
fn an_import_says_what_it_took_and_what_not() {
    let home = Home::new();
    data(&home, &["db", "migrate"]);
    let path = write(&home, "docs/fix.md", PLAN);
    let imported = data(&home, &["plan", "import", "docs/fix.md"]);
    assert_eq!(keys(&imported), ["imported", "plan", "skipped"]);
    assert_eq!(imported["imported"], 5);
    let plan = json!({
        "plan_id": "fix", "path": path.to_string_lossy(), "title": "Fix the sync",
        "status": "in_progress",
    });
    assert_eq!(imported["plan"], plan);
    let skipped = imported["skipped"].as_array().unwrap();
    assert_eq!(skipped.len(), 1);
    assert_eq!(keys(&skipped[0]), ["line", "reason", "text"]);
    assert_eq!(skipped[0]["line"], 7);
    assert_eq!(skipped[0]["text"], "- [ ] 1.3 Twice");
    let text = trueup(&home, &["plan", "import", "docs/fix.md"])
        .ok()
        .stdout;
    assert!(
        text.starts_with("imported 5 tasks of plan fix: 0 new, 0 changed\n"),
        "{text}"
    );
    assert!(text.contains("skipped line 7: duplicate id 1.3"), "{text}");
}

#[test]
fn importing_again_takes_words_and_never_sets_back() {
    let home = planned();
    data(&home, &["plan", "complete", "1.1"]);
    let text = PLAN
        .replace("1.1 Write", "1.1 Rewrite")
        .replace("- [ ] 2.2 Show", "- [x] 2.1.1 New");
    write(&home, "fix.md", text);
    let answer = object(&home, 0, &["plan", "import", "fix.md"]);
    assert_eq!(
        answer["warnings"],
        json!(["task 2.2 is not in the file; kept"])
    );
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
    let home = planned();
    let tasks = json!([
        {"id": "1.1", "description": "Write the migration", "status": "done", "duration": 5,
         "startedAt": "2026-01-01T10:00:00Z", "completedAt": "2026-01-01T11:00:00Z"},
        {"id": "3.1", "phase": "Phase 3: Ship", "description": "Ship", "status": "in-progress"},
        {"id": "3.2", "description": "Odd", "status": "almost"},
    ]);
    let status = json!({"planPath": "fix.md", "planName": "Fix", "tasks": tasks});
    write(&home, "out/fix/status.json", format!("{status:#}"));
    let run = home
        .prepare_run("trueup")
        .cwd(home.project_dir().join("out"));
    let answer = envelope(
        &run.args(["plan", "import", "fix/status.json", "--json"])
            .wait(),
        0,
    );
    let imported = &answer["data"];
    assert_eq!(imported["plan"]["plan_id"], "fix", "{imported}");
    assert_eq!(imported["imported"], 2);
    let reason = imported["skipped"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("almost") && reason.contains("in_progress"),
        "{reason}"
    );
    assert_eq!(task(&home, "1.1")["status"], "completed");
    let third = task(&home, "3.1");
    assert_eq!(third["status"], "in_progress");
    assert!(third["started_at"].is_string());
    let extra: String = home.query_value("SELECT extra FROM plan_tasks WHERE id = '1.1'", []);
    assert_eq!(extra, r#"{"duration":5}"#);
    let shown = data(&home, &["plan", "status", "out/fix/status.json"]);
    assert_eq!(shown["plan"]["plan_id"], "fix");
}

#[test]
fn an_export_is_the_status_file_with_what_changed_since() {
    let home = Home::new();
    data(&home, &["db", "migrate"]);
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
    data(&other, &["db", "migrate"]);
    write(&other, "status.json", &text);
    data(&other, &["plan", "import", "status.json"]);
    let again: Value = data(&other, &["plan", "export"]);
    assert_eq!(again["tasks"], printed["tasks"]);
}

#[test]
fn what_cannot_be_read_is_named_and_leaves_nothing() {
    let home = Home::new();
    data(&home, &["db", "migrate"]);
    write(&home, "bytes.md", b"# x\xff\n");
    write(&home, "broken.json", "{\"tasks\": [");
    write(&home, "other.json", "{\"a\": 1}");
    for name in ["none.md", "bytes.md", "broken.json", "other.json", "."] {
        let object = object(&home, 3, &["plan", "import", name]);
        assert_eq!(object["error"]["code"], "plan_unreadable", "{object}");
        let message = object["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(name), "{message}");
    }
    write(&home, "readme.md", "# Hello\n\n- [-] 1.1 odd\n");
    let refused = refused(&home, "no_plan", &["plan", "import", "readme.md"]);
    assert_eq!(refused["data"]["imported"], 0);
    assert_eq!(refused["data"]["skipped"][0]["line"], 3);
    assert_eq!(data(&home, &["plan", "list"]), json!({"plans": []}));
    assert_eq!(home.query_value::<i64>("SELECT count(*) FROM plans", []), 0);
}

#[test]
fn status_list_and_next_have_the_shapes_of_the_contract() {
    let home = planned();
    let status = data(&home, &["plan", "status"]);
    assert_eq!(keys(&status), ["plan", "summary", "tasks"]);
    assert_eq!(
        keys(&status["plan"]),
        ["path", "plan_id", "status", "title"]
    );
    let summary = json!({
        "totalTasks": 5, "completed": 1, "pending": 4, "in_progress": 0, "failed": 0, "skipped": 0,
    });
    assert_eq!(status["summary"], summary);
    assert_eq!(ids(&status), ["1.1", "1.2", "1.3", "2.1", "2.2"]);
    for task in status["tasks"].as_array().unwrap() {
        assert_eq!(keys(task), TASK_KEYS);
    }
    assert_eq!(status["tasks"][0]["task_id"], "fix/1.1");
    assert_eq!(status["tasks"][2]["depends_on"], json!(["1.1", "1.2"]));
    for absent in [
        "started_at",
        "completed_at",
        "error",
        "skip_reason",
        "priority",
    ] {
        assert!(status["tasks"][0][absent].is_null(), "{absent}");
    }
    let list = data(&home, &["plan", "list"]);
    let row = &list["plans"][0];
    assert_eq!(keys(row), ["path", "plan_id", "status", "summary", "title"]);
    assert_eq!(row["summary"], summary);
    let next = data(&home, &["plan", "next"]);
    assert_eq!(keys(&next), ["tasks"]);
    assert_eq!(keys(&next["tasks"][0]), TASK_KEYS);
}

#[test]
fn looking_writes_nothing() {
    let home = planned();
    let before = Witness::of(&home);
    for arguments in [
        &["plan", "status"][..],
        &["plan", "next"],
        &["plan", "list"],
    ] {
        data(&home, arguments);
        trueup(&home, arguments).ok();
    }
    assert_eq!(Witness::of(&home), before);
}

#[test]
fn next_is_in_progress_first_then_what_is_ready() {
    let home = planned();
    let next = |arguments: &[&str]| -> Vec<String> {
        let answer = data(&home, &[&["plan", "next"], arguments].concat());
        ids(&answer).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(next(&[]), ["1.1", "2.2"]);
    data(&home, &["plan", "start", "2.2"]);
    assert_eq!(next(&[]), ["2.2", "1.1"]);
    assert_eq!(next(&["1"]), ["2.2"]);
    data(&home, &["plan", "skip", "1.1", "--reason", "by hand"]);
    assert_eq!(
        next(&[]),
        ["2.2", "1.3"],
        "what is skipped is waited for no more"
    );
    data(&home, &["plan", "fail", "1.3", "--error", "boom"]);
    assert_eq!(next(&[]), ["2.2"]);
    data(&home, &["plan", "complete", "2.2"]);
    let text = trueup(&home, &["plan", "next"]).ok().stdout;
    assert_eq!(text, "no ready tasks; 1 pending tasks wait for others\n");
}

#[test]
fn steps_say_from_what_to_what() {
    let home = planned();
    let text = trueup(&home, &["plan", "start", "1.1"]).ok().stdout;
    assert!(
        text.starts_with("fix/1.1: pending -> in_progress\n"),
        "{text}"
    );
    let answer = data(&home, &["plan", "complete", "fix/1.1"]);
    assert_eq!(keys(&answer), ["task"]);
    assert_eq!(keys(&answer["task"]), TASK_KEYS);
    assert_eq!(answer["task"]["status"], "completed");
    let before = Witness::of(&home);
    let text = trueup(&home, &["plan", "complete", "1.1"]).ok().stdout;
    assert!(
        text.starts_with("fix/1.1: already completed, nothing changed\n"),
        "{text}"
    );
    assert_eq!(Witness::of(&home), before);
    let text = trueup(&home, &["plan", "status"]).ok().stdout;
    let expected = "\
fix                      in_progress 2 of 5 completed, 3 pending  Fix the sync
Phase 1: Setup
  [x] 1.1      completed   Write the migration
";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn a_start_says_what_is_still_open() {
    let home = planned();
    let answer = object(&home, 0, &["plan", "start", "1.3"]);
    assert_eq!(
        answer["warnings"],
        json!(["1.3 depends on 1.1, which is pending"])
    );
    assert_eq!(answer["data"]["task"]["status"], "in_progress");
}

#[test]
fn a_task_in_progress_elsewhere_is_refused_by_name() {
    let home = planned();
    home.start_session().ok();
    data(&home, &["plan", "start", "1.1", "--session", FIRST_SESSION]);
    let again = data(&home, &["plan", "start", "1.1", "--session", FIRST_SESSION]);
    assert_eq!(again["task"]["revision"], 2, "its own: nothing changed");
    // In its worktree a plain shell speaks for it; elsewhere it is somebody else.
    let again = data(&home, &["plan", "start", "1.1"]);
    assert_eq!(again["task"]["revision"], 2, "its own: nothing changed");
    let elsewhere = |task: &str, orchestrator: Option<&str>, code: i32| {
        let mut run = home.prepare_run("trueup").cwd(home.user_home());
        if let Some(id) = orchestrator {
            run = run.env("TRUEUP_ORCHESTRATOR_ID", id);
        }
        let answer = run.args(["plan", "start", task, "--json"]).wait();
        envelope(&answer, code)
    };
    let answer = elsewhere("1.1", None, 1);
    assert_eq!(answer["error"]["code"], "already_in_progress");
    assert_eq!(answer["data"]["holder"]["session_id"], FIRST_SESSION);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(
        message.contains(FIRST_SESSION) && message.contains("since 2"),
        "{message}"
    );
    elsewhere("2.2", Some("orch-1"), 0);
    let answer = elsewhere("2.2", None, 1);
    assert_eq!(answer["error"]["code"], "already_in_progress");
    assert_eq!(answer["data"]["holder"]["orchestrator"], "orch-1");
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .contains("orch-1")
    );
}

#[test]
fn who_is_named_but_not_registered_is_refused() {
    let home = planned();
    for step in [
        &["plan", "start", "1.1"][..],
        &["plan", "complete", "1.1"],
        &["plan", "import", "fix.md"],
    ] {
        refused(
            &home,
            "phantom_session",
            &[step, &["--session", "nobody"]].concat(),
        );
    }
    assert_eq!(task(&home, "1.1")["status"], "pending");
}

#[test]
fn what_is_no_legal_step_is_refused() {
    let home = planned();
    data(&home, &["plan", "complete", "1.1"]);
    data(&home, &["plan", "skip", "2.2", "--reason", "r"]);
    for step in [
        &["plan", "start", "1.1"][..],
        &["plan", "fail", "1.1", "--error", "e"],
        &["plan", "skip", "1.1", "--reason", "r"],
        &["plan", "retry", "1.1"],
        &["plan", "start", "2.2"],
        &["plan", "retry", "2.2"],
    ] {
        let answer = refused(&home, "illegal_transition", step);
        assert_eq!(keys(&answer["data"]["task"]), TASK_KEYS);
    }
    for unknown in ["7.7", "one", "1"] {
        refused(&home, "task_not_found", &["plan", "start", unknown]);
    }
    for usage in [
        &["plan", "fail", "1.3"][..],
        &["plan", "fail", "1.3", "--error", ""],
        &["plan", "skip", "1.3"],
        &["plan", "start"],
        &["plan", "start", "a b"],
        &["plan", "start", ""],
        &["plan", "import"],
        &["plan"],
    ] {
        object(&home, 2, usage);
    }
}

#[test]
fn a_failed_task_is_tried_again_twice() {
    let home = planned();
    for count in 1..=2 {
        let failed = data(&home, &["plan", "fail", "1.1", "--error", "boom"]);
        assert_eq!(failed["task"]["error"], "boom");
        let retried = data(&home, &["plan", "retry", "1.1"]);
        assert_eq!(retried["task"]["status"], "pending");
        assert_eq!(retried["task"]["retry_count"], count);
        assert!(retried["task"]["error"].is_null() && retried["task"]["completed_at"].is_null());
    }
    data(&home, &["plan", "fail", "1.1", "--error", "boom"]);
    refused(&home, "retry_limit", &["plan", "retry", "1.1"]);
    assert_eq!(task(&home, "1.1")["status"], "failed");
}

#[test]
fn a_plan_is_found_by_id_file_environment_or_as_the_only_one() {
    let home = Home::new();
    data(&home, &["db", "migrate"]);
    assert_eq!(
        object(&home, 2, &["plan", "status"])["error"]["code"],
        "usage"
    );
    refused(&home, "plan_not_found", &["plan", "status", "fix"]);
    let path = write(&home, "a/fix.md", PLAN);
    data(&home, &["plan", "import", "a/fix.md"]);
    let plan = |answer: &Value| answer["plan"]["plan_id"].as_str().unwrap().to_owned();
    assert_eq!(plan(&data(&home, &["plan", "status"])), "fix");
    write(&home, "b/fix.md", PLAN);
    let second = data(&home, &["plan", "import", "b/fix.md"]);
    assert_eq!(plan(&second), "fix-2", "another file is another plan");
    let several = object(&home, 2, &["plan", "next"]);
    let message = several["error"]["message"].as_str().unwrap();
    assert!(message.contains("fix, fix-2"), "{message}");
    for named in ["fix", "a/fix.md", "./a/../a/fix.md", path.to_str().unwrap()] {
        assert_eq!(
            plan(&data(&home, &["plan", "status", "--plan", named])),
            "fix"
        );
        assert_eq!(plan(&data(&home, &["plan", "status", named])), "fix");
    }
    let here = home.prepare_run("trueup").cwd(home.project_dir().join("b"));
    let answer = envelope(&here.args(["plan", "status", "fix.md", "--json"]).wait(), 0);
    assert_eq!(plan(&answer["data"]), "fix-2");
    let told = home.prepare_run("trueup").env("TRUEUP_PLAN", "fix-2");
    let answer = envelope(&told.args(["plan", "complete", "1.1", "--json"]).wait(), 0);
    assert_eq!(answer["data"]["task"]["task_id"], "fix-2/1.1");
    let answer = data(&home, &["plan", "complete", "fix/1.1"]);
    assert_eq!(answer["task"]["task_id"], "fix/1.1");
    object(
        &home,
        2,
        &["plan", "complete", "fix/1.1", "--plan", "fix-2"],
    );
    let unknown = refused(&home, "plan_not_found", &["plan", "status", "c/fix.md"]);
    let hint = unknown["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("fix, fix-2"), "{hint}");
}

#[test]
fn a_plan_is_one_in_all_checkouts_of_its_repository() {
    let home = planned();
    home.run_git(&["add", "fix.md"]);
    home.run_git(&["commit", "-q", "-m", "a plan"]);
    home.run_git(&[
        "remote",
        "add",
        "origin",
        "https://example.org/team/app.git",
    ]);
    let (tree, clone) = (home.root().join("tree"), home.root().join("clone"));
    home.run_git(&["worktree", "add", "-q", tree.to_str().unwrap()]);
    home.run_git(&["clone", "-q", ".", clone.to_str().unwrap()]);
    let address = "https://someone@example.org/team/app";
    home.run_git(&[
        "-C",
        clone.to_str().unwrap(),
        "remote",
        "set-url",
        "origin",
        address,
    ]);
    data(&home, &["plan", "complete", "1.1", "--plan", "fix"]);
    for checkout in [&tree, &clone] {
        let run = |arguments: &[&str]| {
            let run = home.prepare_run("trueup").cwd(checkout).args(arguments);
            envelope(&run.args(["--json"]).wait(), 0)["data"].clone()
        };
        let plan = &run(&["plan", "import", "fix.md"])["plan"];
        assert_eq!(plan["plan_id"], "fix");
        assert_eq!(
            plan["path"],
            home.project_dir().join("fix.md").to_str().unwrap()
        );
        let status = run(&["plan", "status", "fix.md"]);
        assert_eq!(status["tasks"][0]["status"], "completed");
        run(&["plan", "validate", "fix.md"]);
    }
    // Another repository's file of this name is another plan.
    let other = home.root().join("other");
    fs::create_dir(&other).unwrap();
    home.init_repository(&other);
    fs::write(other.join("fix.md"), PLAN).unwrap();
    let run = home.prepare_run("trueup").cwd(&other);
    let answer = envelope(&run.args(["plan", "import", "fix.md", "--json"]).wait(), 0);
    assert_eq!(answer["data"]["plan"]["plan_id"], "fix-2");
}

#[test]
fn what_cannot_be_read_is_waited_for() {
    let home = Home::new();
    data(&home, &["db", "migrate"]);
    let text = "# P\n\n## Phase 1: x\n- [ ] 1.1 a\n- [ ] 1.2 b (depends: #1.1)\n- [ ] 1.3 c (depends: ???)\n";
    write(&home, "p.md", text);
    object(&home, 1, &["plan", "import", "p.md"]);
    assert_eq!(ids(&data(&home, &["plan", "next", "9"])), ["1.1"]);
    // It is not the task that looks like it.
    data(&home, &["plan", "complete", "1.1"]);
    assert_eq!(ids(&data(&home, &["plan", "next", "9"])), [""; 0]);
}

#[test]
fn a_step_is_an_event_with_who_why_and_what() {
    let home = planned();
    home.start_session().ok();
    data(&home, &["plan", "start", "1.1", "--session", FIRST_SESSION]);
    data(&home, &["plan", "fail", "1.1", "--error", "boom"]);
    let log = data(&home, &["log", "--limit", "2"]);
    let [begun, failed] = &log["events"].as_array().unwrap()[..] else {
        panic!("{log}")
    };
    assert_eq!(
        (&begun["entity"], &begun["key"]),
        (&json!("plan_task"), &json!("fix/1.1"))
    );
    assert_eq!(
        (&begun["actor"], &begun["kind"]),
        (&json!(FIRST_SESSION), &json!("status"))
    );
    assert_eq!(begun["after"]["session"], FIRST_SESSION);
    assert_eq!(failed["before"]["status"], "in_progress");
    assert_eq!(
        (&failed["after"]["status"], &failed["reason"]),
        (&json!("failed"), &json!("boom"))
    );
}

#[test]
fn a_repeated_operation_answers_as_the_first_did() {
    let home = planned();
    let start = ["plan", "start", "1.1", "--op-id", "operation-1"];
    data(&home, &start);
    data(&home, &["plan", "complete", "1.1"]);
    let again = data(&home, &start);
    assert_eq!(
        again["task"]["status"], "completed",
        "it is not begun again"
    );
    refused(
        &home,
        "op_id_used",
        &["plan", "start", "2.2", "--op-id", "operation-1"],
    );
    refused(
        &home,
        "op_id_used",
        &["plan", "import", "fix.md", "--op-id", "operation-1"],
    );
    write(&home, "fix.md", PLAN.replace("Show", "Shown"));
    for _ in 0..2 {
        data(
            &home,
            &["plan", "import", "fix.md", "--op-id", "operation-2"],
        );
    }
    assert_eq!(home.count_events("changed", "fix/2.2"), 1);
}

#[test]
fn words_of_a_plan_cannot_write_to_the_terminal() {
    let home = planned();
    home.execute_sql(
        "UPDATE plan_tasks SET title = ?1, error = ?1",
        ["\u{1b}[31mred\nsecond line\u{202e}"],
    );
    home.execute_sql(
        "UPDATE plans SET title = ?1",
        ["\u{1b}[31mred\nsecond line\u{202e}"],
    );
    for arguments in [
        &["plan", "status"][..],
        &["plan", "next"],
        &["plan", "list"],
    ] {
        let text = trueup(&home, arguments).ok().stdout;
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(
            !text.contains(bad) && !text.contains("\nsecond"),
            "{text:?}"
        );
    }
}
