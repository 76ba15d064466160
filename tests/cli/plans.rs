//! `trueup plan`: plans are imported, shown and worked through.

mod formats;
mod import;
mod steps;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use support::home::Home;

use crate::fixture::{create_database, data, envelope, keys, object, refused, trueup};
use crate::state_snapshot::StateSnapshot;

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
fn home_with_plan() -> Home {
    let home = Home::new();
    create_database(&home);
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
    tasks.iter().map(|task| task["id"].as_str().unwrap()).collect()
}

#[test]
fn status_list_and_next_have_the_shapes_of_the_contract() {
    let home = home_with_plan();
    let status = data(&home, &["plan", "status"]);
    assert_eq!(keys(&status), ["plan", "summary", "tasks"]);
    assert_eq!(keys(&status["plan"]), ["path", "plan_id", "status", "title"]);
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
    for absent in ["started_at", "completed_at", "error", "skip_reason", "priority"] {
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
    let home = home_with_plan();
    let before = StateSnapshot::take(&home);
    for arguments in [&["plan", "status"][..], &["plan", "next"], &["plan", "list"]] {
        data(&home, arguments);
        trueup(&home, arguments).ok();
    }
    assert_eq!(StateSnapshot::take(&home), before);
}

#[test]
fn a_plan_is_found_by_id_file_environment_or_as_the_only_one() {
    let home = Home::new();
    create_database(&home);
    assert_eq!(object(&home, 2, &["plan", "status"])["error"]["code"], "usage");
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
        assert_eq!(plan(&data(&home, &["plan", "status", "--plan", named])), "fix");
        assert_eq!(plan(&data(&home, &["plan", "status", named])), "fix");
    }
    let here = home.prepare_run("trueup").cwd(home.project_dir().join("b"));
    let answer = envelope(&here.args(["plan", "status", "fix.md", "--json"]).wait(), 0);
    assert_eq!(plan(&answer["data"]), "fix-2");
    let run = home.prepare_run("trueup").env("TRUEUP_PLAN", "fix-2");
    let answer = envelope(&run.args(["plan", "complete", "1.1", "--json"]).wait(), 0);
    assert_eq!(answer["data"]["task"]["task_id"], "fix-2/1.1");
    let answer = data(&home, &["plan", "complete", "fix/1.1"]);
    assert_eq!(answer["task"]["task_id"], "fix/1.1");
    object(&home, 2, &["plan", "complete", "fix/1.1", "--plan", "fix-2"]);
    let unknown = refused(&home, "plan_not_found", &["plan", "status", "c/fix.md"]);
    let hint = unknown["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("fix, fix-2"), "{hint}");
}

#[test]
fn a_plan_is_one_in_all_checkouts_of_its_repository() {
    let home = home_with_plan();
    home.run_git(&["add", "fix.md"]);
    home.run_git(&["commit", "-q", "-m", "a plan"]);
    home.run_git(&["remote", "add", "origin", "https://example.org/team/app.git"]);
    let (tree, clone) = (home.root().join("tree"), home.root().join("clone"));
    home.run_git(&["worktree", "add", "-q", tree.to_str().unwrap()]);
    home.run_git(&["clone", "-q", ".", clone.to_str().unwrap()]);
    let address = "https://someone@example.org/team/app";
    home.run_git(&["-C", clone.to_str().unwrap(), "remote", "set-url", "origin", address]);
    data(&home, &["plan", "complete", "1.1", "--plan", "fix"]);
    for checkout in [&tree, &clone] {
        let run = |arguments: &[&str]| {
            let run = home.prepare_run("trueup").cwd(checkout).args(arguments);
            envelope(&run.args(["--json"]).wait(), 0)["data"].clone()
        };
        let plan = &run(&["plan", "import", "fix.md"])["plan"];
        assert_eq!(plan["plan_id"], "fix");
        assert_eq!(plan["path"], home.project_dir().join("fix.md").to_str().unwrap());
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
fn words_of_a_plan_cannot_write_to_the_terminal() {
    let home = home_with_plan();
    home.execute_sql(
        "UPDATE plan_tasks SET title = ?1, error = ?1",
        ["\u{1b}[31mred\nsecond line\u{202e}"],
    );
    home.execute_sql("UPDATE plans SET title = ?1", ["\u{1b}[31mred\nsecond line\u{202e}"]);
    for arguments in [&["plan", "status"][..], &["plan", "next"], &["plan", "list"]] {
        let text = trueup(&home, arguments).ok().stdout;
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(bad) && !text.contains("\nsecond"), "{text:?}");
    }
}
