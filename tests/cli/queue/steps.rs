//! Steps of a phase, and what they do to the phases that wait for it.

use serde_json::json;
use support::home::{FIRST_SESSION, Home, SECOND_SESSION};

use super::{ROW_KEYS, expect_queue_refusal, home_with_queue, run_queue_command, statuses};
use crate::fixture::{assert_in_step, claimed, create_database, data, keys, object, second};

#[test]
fn completing_1_readies_2_and_not_3() {
    let home = home_with_queue("plan,build,test");
    let phase = run_queue_command(&home, FIRST_SESSION, &["start", "SD-1:1"]);
    assert_eq!(keys(&phase), ["affected", "row"]);
    assert_eq!(keys(&phase["row"]), ROW_KEYS);
    assert_eq!(phase["row"]["status"], "running");
    assert_eq!(phase["row"]["assigned_to"], FIRST_SESSION);
    assert!(phase["row"]["started_timestamp"].is_string());
    assert_eq!(phase["affected"], json!([]));
    let done = run_queue_command(&home, FIRST_SESSION, &["complete", "SD-1:1", "--pr", "12"]);
    assert_eq!(done["row"]["status"], "completed");
    assert_eq!(done["row"]["pr_number"], 12);
    let affected = done["affected"].as_array().unwrap();
    assert_eq!(affected.len(), 1);
    assert_eq!(keys(&affected[0]), ROW_KEYS);
    assert_eq!(
        (&affected[0]["queue_id"], &affected[0]["status"]),
        (&json!("SD-1:2"), &json!("ready"))
    );
    assert_eq!(statuses(&home), "completed ready queued");
    let next = data(&home, &["queue", "next"]);
    assert_eq!(keys(&next), ["row"]);
    assert_eq!(next["row"]["queue_id"], "SD-1:2");
}

#[test]
fn failing_1_blocks_2_and_3_with_its_message() {
    let home = home_with_queue("plan,build,test");
    let phase = run_queue_command(&home, FIRST_SESSION, &["fail", "SD-1:1", "--error", "no plan"]);
    assert_eq!(phase["row"]["error_message"], "no plan");
    for row in phase["affected"].as_array().unwrap() {
        assert_eq!(row["status"], "blocked");
        assert_eq!(row["error_message"], "phase 1 (plan) failed: no plan");
    }
    assert_eq!(statuses(&home), "failed blocked blocked");
    assert_eq!(data(&home, &["queue", "next"]), json!({"row": null}));
    let around = expect_queue_refusal(
        &home,
        "illegal_transition",
        FIRST_SESSION,
        &["reopen", "SD-1:3", "--reason", "x"],
    );
    assert_eq!(around["data"]["blocked_by"], "SD-1:1");
    run_queue_command(&home, FIRST_SESSION, &["reopen", "SD-1:1", "--reason", "a better plan"]);
    assert_eq!(statuses(&home), "ready queued queued");
    run_queue_command(&home, FIRST_SESSION, &["cancel", "SD-1:1", "--reason", "no need"]);
    let rows = data(&home, &["queue", "list", "--status", "blocked"]);
    assert_eq!(rows["rows"][1]["error_message"], "phase 1 (plan) cancelled: no need");
}

#[test]
fn a_block_by_hand_keeps_its_reason() {
    let home = home_with_queue("plan,build");
    run_queue_command(&home, FIRST_SESSION, &["block", "SD-1:2", "--reason", "lawyers"]);
    run_queue_command(&home, FIRST_SESSION, &["fail", "SD-1:1", "--error", "x"]);
    run_queue_command(&home, FIRST_SESSION, &["reopen", "SD-1:1", "--reason", "y"]);
    run_queue_command(&home, FIRST_SESSION, &["complete", "SD-1:1"]);
    let rows = data(&home, &["queue", "list", "--status", "waiting"]);
    assert_eq!(rows["rows"][0]["error_message"], "lawyers");
    let free =
        run_queue_command(&home, FIRST_SESSION, &["reopen", "SD-1:2", "--reason", "they agreed"]);
    assert_eq!(free["row"]["status"], "ready");
    assert!(free["row"]["error_message"].is_null());
}

#[test]
fn an_illegal_step_says_from_where_to_where_and_what_is_legal() {
    let home = home_with_queue("plan,build");
    let queued =
        expect_queue_refusal(&home, "illegal_transition", FIRST_SESSION, &["start", "SD-1:2"]);
    assert_eq!(
        (&queued["data"]["from"], &queued["data"]["to"]),
        (&json!("queued"), &json!("running"))
    );
    assert_eq!(queued["data"]["legal"], json!(["blocked", "cancelled"]));
    assert_eq!(keys(&queued["data"]["row"]), ROW_KEYS);
    let message = queued["error"]["message"].as_str().unwrap();
    assert!(message.contains("it waits for phase 1 (plan), which is ready"), "{message}");
    run_queue_command(&home, FIRST_SESSION, &["complete", "SD-1:1"]);
    let done =
        expect_queue_refusal(&home, "illegal_transition", FIRST_SESSION, &["start", "SD-1:1"]);
    assert_eq!(done["data"]["legal"], json!([]));
    assert!(done["error"]["hint"].as_str().unwrap().contains("trueup queue reopen SD-1:1"));
    expect_queue_refusal(&home, "phase_not_found", FIRST_SESSION, &["start", "SD-1:7"]);
    for arguments in [
        &["queue", "fail", "SD-1:2"][..],
        &["queue", "reopen", "SD-1:1", "--reason", " "],
        &["queue", "start", "a b"],
    ] {
        assert_eq!(object(&home, 2, arguments)["error"]["code"], "usage");
    }
}

#[test]
fn of_a_held_item_the_holder_alone_moves_phases() {
    let home = home_with_queue("plan,build");
    second(&home, None);
    claimed(&home, "SD-1");
    let refusal = expect_queue_refusal(&home, "not_holder", SECOND_SESSION, &["start", "SD-1:1"]);
    assert_eq!(refusal["data"]["holder"], FIRST_SESSION);
    expect_queue_refusal(&home, "phantom_session", "nobody", &["start", "SD-1:1"]);
    run_queue_command(&home, FIRST_SESSION, &["start", "SD-1:1"]);
    // The claim moves on while the first one works.
    home.expire_lease(FIRST_SESSION, 90);
    data(&home, &["claim", "SD-1", "--force", "--session", SECOND_SESSION]);
    let stale = expect_queue_refusal(&home, "stale_epoch", FIRST_SESSION, &["complete", "SD-1:1"]);
    assert_eq!(stale["data"]["holder"], SECOND_SESSION);
    assert_eq!(statuses(&home), "running queued");
    run_queue_command(&home, SECOND_SESSION, &["complete", "SD-1:1"]);
    data(&home, &["release", "--session", SECOND_SESSION]);
    run_queue_command(&home, FIRST_SESSION, &["start", "SD-1:2"]);
}

#[test]
fn a_person_without_a_session_moves_what_nobody_holds() {
    let home = Home::new();
    create_database(&home);
    data(&home, &["item", "add", "SD-1"]);
    data(&home, &["queue", "add", "SD-1", "--phases", "plan"]);
    let phase = data(&home, &["queue", "start", "SD-1:1"]);
    assert!(phase["row"]["assigned_to"].is_null());
    data(&home, &["queue", "complete", "SD-1:1"]);
    let bad = home.prepare_run("trueup").args(["queue", "next"]).env("TRUEUP_SESSION_ID", "a b");
    assert_eq!(bad.wait().code, Some(2));
}

#[test]
fn what_the_holder_starts_is_what_item_session_and_cache_are_at() {
    let home = home_with_queue("plan,build");
    claimed(&home, "SD-1");
    run_queue_command(&home, FIRST_SESSION, &["start", "SD-1:1"]);
    assert_eq!(data(&home, &["status"])["item"]["phase"], "plan");
    assert_eq!(home.execution_state()["currentPhase"], "plan");
    assert_eq!(home.read_cache()["currentPhase"], "plan");
    assert_in_step(&home);
    run_queue_command(&home, FIRST_SESSION, &["complete", "SD-1:1"]);
    run_queue_command(&home, FIRST_SESSION, &["start", "SD-1:2"]);
    assert_eq!(home.read_cache()["currentPhase"], "build");
    assert_in_step(&home);
}

#[test]
fn an_orchestrator_is_recorded_with_what_it_starts() {
    let home = home_with_queue("plan");
    let run = home.prepare_run("trueup").args(["queue", "start", "SD-1:1"]);
    run.env("TRUEUP_ORCHESTRATOR_ID", "orch-1").wait().ok();
    let orchestrator: String = home.query_value("SELECT orchestrator FROM phase_queue", []);
    assert_eq!(orchestrator, "orch-1");
}

#[test]
fn a_phase_of_a_finished_item_does_not_start() {
    let home = home_with_queue("plan,build");
    for (status, back) in [("cancelled", true), ("completed", false)] {
        data(&home, &["item", "transition", "SD-1", status]);
        let refusal =
            expect_queue_refusal(&home, "item_finished", FIRST_SESSION, &["start", "SD-1:1"]);
        assert_eq!(refusal["error"]["message"], format!("SD-1:1 cannot start: SD-1 is {status}"));
        let hint = refusal["error"]["hint"].as_str().unwrap();
        assert!(hint.starts_with("`trueup item reopen SD-1 --reason again"), "{hint}");
        assert_eq!(refusal["data"]["row"]["status"], "ready");
        if back {
            data(&home, &["item", "reopen", "SD-1", "--reason", "again"]);
            run_queue_command(&home, FIRST_SESSION, &["start", "SD-1:1"]);
            run_queue_command(&home, FIRST_SESSION, &["reopen", "SD-1:1", "--reason", "x"]);
        }
    }
}
