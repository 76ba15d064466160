//! What was added or finished by mistake: phases removed, tasks opened again.

use std::fs;

use serde_json::json;

use crate::fixture::{data, refused, started, trueup};

#[test]
fn a_queue_that_was_added_by_mistake_is_removed_and_added_anew() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    data(&home, &["queue", "add", "SD-1", "--phases", "plan,test"]);
    refused(&home, "phase_in_use", &["queue", "remove", "SD-1:1"]);
    let answer = trueup(&home, &["queue", "remove", "SD-1:2", "--reason", "no test"]).ok();
    assert_eq!(answer.stdout, "removed SD-1:2 (test), which was queued\n");
    let removed = data(&home, &["queue", "remove", "SD-1:1", "--all"]);
    assert_eq!(removed["rows"][0]["queue_id"], "SD-1:1");
    assert_eq!(data(&home, &["queue", "list", "--item", "SD-1"])["rows"], json!([]));
    data(&home, &["queue", "add", "SD-1", "--phases", "plan,build"]);
    data(&home, &["queue", "start", "SD-1:1"]);
    refused(&home, "phase_running", &["queue", "remove", "SD-1:1", "--all"]);
    let log = data(&home, &["log", "--item", "SD-1", "--kind", "removed"]);
    assert_eq!(log["events"][0]["reason"], "no test");
}

#[test]
fn a_task_that_was_done_or_skipped_is_opened_again_with_a_reason() {
    let home = started();
    let plan = "# Plan\n\n## Phase 1: Find\n- [ ] 1.1 Read\n- [ ] 1.2 Write\n";
    fs::write(home.project_dir().join("P.md"), plan).unwrap();
    data(&home, &["plan", "import", "P.md"]);
    data(&home, &["plan", "complete", "1.1"]);
    data(&home, &["plan", "skip", "1.2", "--reason", "later"]);
    assert_eq!(data(&home, &["plan", "status"])["plan"]["status"], "completed");
    refused(&home, "illegal_transition", &["plan", "start", "1.1"]);
    for task in ["1.1", "1.2"] {
        let opened = data(&home, &["plan", "reopen", task, "--reason", "it was wrong"]);
        let task = &opened["task"];
        assert_eq!((&task["status"], &task["completed_at"]), (&json!("pending"), &json!(null)));
        assert_eq!((&task["skip_reason"], &task["retry_count"]), (&json!(null), &json!(0)));
    }
    assert_eq!(data(&home, &["plan", "status"])["plan"]["status"], "pending");
    let log = data(&home, &["log", "--kind", "reopened"]);
    assert_eq!(log["events"][0]["reason"], "it was wrong");
    data(&home, &["plan", "start", "1.1"]);
    refused(&home, "illegal_transition", &["plan", "reopen", "1.1", "--reason", "again"]);
}
