//! Steps of a plan's tasks.

use serde_json::json;
use support::home::FIRST_SESSION;

use super::{PLAN, TASK_KEYS, home_with_plan, ids, task, write};
use crate::fixture::{data, envelope, keys, object, refused, trueup};
use crate::state_snapshot::StateSnapshot;

#[test]
fn next_is_in_progress_first_then_what_is_ready() {
    let home = home_with_plan();
    let next = |arguments: &[&str]| -> Vec<String> {
        let answer = data(&home, &[&["plan", "next"], arguments].concat());
        ids(&answer).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(next(&[]), ["1.1", "2.2"]);
    data(&home, &["plan", "start", "2.2"]);
    assert_eq!(next(&[]), ["2.2", "1.1"]);
    assert_eq!(next(&["1"]), ["2.2"]);
    data(&home, &["plan", "skip", "1.1", "--reason", "by hand"]);
    assert_eq!(next(&[]), ["2.2", "1.3"], "what is skipped is waited for no more");
    data(&home, &["plan", "fail", "1.3", "--error", "boom"]);
    assert_eq!(next(&[]), ["2.2"]);
    data(&home, &["plan", "complete", "2.2"]);
    let text = trueup(&home, &["plan", "next"]).ok().stdout;
    assert_eq!(text, "no ready tasks; 1 pending tasks wait for others\n");
}

#[test]
fn steps_say_from_what_to_what() {
    let home = home_with_plan();
    let text = trueup(&home, &["plan", "start", "1.1"]).ok().stdout;
    assert!(text.starts_with("fix/1.1: pending -> in_progress\n"), "{text}");
    let answer = data(&home, &["plan", "complete", "fix/1.1"]);
    assert_eq!(keys(&answer), ["task"]);
    assert_eq!(keys(&answer["task"]), TASK_KEYS);
    assert_eq!(answer["task"]["status"], "completed");
    let before = StateSnapshot::take(&home);
    let text = trueup(&home, &["plan", "complete", "1.1"]).ok().stdout;
    assert!(text.starts_with("fix/1.1: already completed, nothing changed\n"), "{text}");
    assert_eq!(StateSnapshot::take(&home), before);
    let text = trueup(&home, &["plan", "status"]).ok().stdout;
    let expected = "\
fix  Fix the sync  (in_progress, 2 of 5 completed, 3 pending)
Phase 1: Setup
  [x]  1.1  completed  Write the migration
";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn a_task_that_is_reopened_stays_open_through_a_check() {
    let home = home_with_plan();
    let box_of = || {
        let text = std::fs::read_to_string(home.project_dir().join("fix.md")).unwrap();
        text.lines().find(|line| line.contains("1.2 Done")).unwrap().to_owned()
    };
    let text = trueup(&home, &["plan", "reopen", "1.2", "--reason", "not yet"]).ok().stdout;
    assert!(text.contains("opened its box in "), "{text}");
    assert_eq!(box_of(), "- [ ] 1.2 Done before");
    let imported = data(&home, &["plan", "import", "fix.md"]);
    assert_eq!(task(&home, "1.2")["status"], "pending", "{imported}");
    let again = trueup(&home, &["plan", "reopen", "1.2", "--reason", "not yet"]).ok().stdout;
    assert!(!again.contains("opened"), "{again}");
    // Without its file a task is reopened as well.
    data(&home, &["plan", "complete", "1.2"]);
    std::fs::remove_file(home.project_dir().join("fix.md")).unwrap();
    let answer = object(&home, 0, &["plan", "reopen", "1.2", "--reason", "not yet"]);
    assert_eq!(answer["warnings"], json!([]));
}

#[test]
fn a_start_says_what_is_still_open() {
    let home = home_with_plan();
    let answer = object(&home, 0, &["plan", "start", "1.3"]);
    assert_eq!(answer["warnings"], json!(["1.3 depends on 1.1, which is pending"]));
    assert_eq!(answer["data"]["task"]["status"], "in_progress");
}

#[test]
fn a_task_in_progress_elsewhere_is_refused_by_name() {
    let home = home_with_plan();
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
        let answer = run.args(["plan", "start", task, "--plan", "fix", "--json"]).wait();
        envelope(&answer, code)
    };
    let answer = elsewhere("1.1", None, 1);
    assert_eq!(answer["error"]["code"], "already_in_progress");
    assert_eq!(answer["data"]["holder"]["session_id"], FIRST_SESSION);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains(FIRST_SESSION) && message.contains("since 2"), "{message}");
    elsewhere("2.2", Some("orch-1"), 0);
    let answer = elsewhere("2.2", None, 1);
    assert_eq!(answer["error"]["code"], "already_in_progress");
    assert_eq!(answer["data"]["holder"]["orchestrator"], "orch-1");
    assert!(answer["error"]["message"].as_str().unwrap().contains("orch-1"));
}

#[test]
fn who_is_named_but_not_registered_is_refused() {
    let home = home_with_plan();
    for step in
        [&["plan", "start", "1.1"][..], &["plan", "complete", "1.1"], &["plan", "import", "fix.md"]]
    {
        refused(&home, "phantom_session", &[step, &["--session", "nobody"]].concat());
    }
    assert_eq!(task(&home, "1.1")["status"], "pending");
}

#[test]
fn what_is_no_legal_step_is_refused() {
    let home = home_with_plan();
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
    let home = home_with_plan();
    for count in 1..=2 {
        let task = data(&home, &["plan", "fail", "1.1", "--error", "boom"]);
        assert_eq!(task["task"]["error"], "boom");
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
fn a_step_is_an_event_with_who_why_and_what() {
    let home = home_with_plan();
    home.start_session().ok();
    data(&home, &["plan", "start", "1.1", "--session", FIRST_SESSION]);
    data(&home, &["plan", "fail", "1.1", "--error", "boom"]);
    let log = data(&home, &["log", "--limit", "2"]);
    let [begun, failed] = &log["events"].as_array().unwrap()[..] else { panic!("{log}") };
    assert_eq!((&begun["entity"], &begun["key"]), (&json!("plan_task"), &json!("fix/1.1")));
    assert_eq!((&begun["actor"], &begun["kind"]), (&json!(FIRST_SESSION), &json!("status")));
    assert_eq!(begun["after"]["session"], FIRST_SESSION);
    assert_eq!(failed["before"]["status"], "in_progress");
    assert_eq!((&failed["after"]["status"], &failed["reason"]), (&json!("failed"), &json!("boom")));
}

#[test]
fn a_repeated_operation_answers_as_the_first_did() {
    let home = home_with_plan();
    let start = ["plan", "start", "1.1", "--op-id", "operation-1"];
    data(&home, &start);
    data(&home, &["plan", "complete", "1.1"]);
    let again = data(&home, &start);
    assert_eq!(again["task"]["status"], "completed", "it is not begun again");
    refused(&home, "op_id_used", &["plan", "start", "2.2", "--op-id", "operation-1"]);
    refused(&home, "op_id_used", &["plan", "import", "fix.md", "--op-id", "operation-1"]);
    write(&home, "fix.md", PLAN.replace("Show", "Shown"));
    for _ in 0..2 {
        data(&home, &["plan", "import", "fix.md", "--op-id", "operation-2"]);
    }
    assert_eq!(home.count_events("changed", "fix/2.2"), 1);
}

#[test]
fn a_plan_that_is_removed_in_the_middle_of_its_work_says_so() {
    let home = home_with_plan();
    data(&home, &["plan", "start", "1.1"]);
    let removed = object(&home, 0, &["plan", "remove", "fix"]);
    assert_eq!(removed["warnings"], json!(["1 task was still in progress"]));
    data(&home, &["plan", "import", "fix.md"]);
    assert_eq!(object(&home, 0, &["plan", "remove", "fix"])["warnings"], json!([]));
}
