//! `trueup queue`: the phases of an item.

mod adding;
mod steps;

use serde_json::Value;
use support::home::{FIRST_SESSION, Home, SECOND_SESSION};

use crate::fixture::{claimed, data, object, refused, second, started, trueup};
use crate::state_snapshot::StateSnapshot;

const ROW_KEYS: &[&str] = &[
    "adw_id",
    "assigned_to",
    "completed_at",
    "created_at",
    "current_phase",
    "depends_on_phases",
    "error_message",
    "feature_id",
    "issue_number",
    "item",
    "parent_issue",
    "phase_data",
    "phase_number",
    "pr_number",
    "priority",
    "queue_id",
    "queue_position",
    "ready_timestamp",
    "revision",
    "started_timestamp",
    "status",
    "updated_at",
];

/// A scratch with item `SD-1` and these phases.
pub(crate) fn home_with_queue(phases: &str) -> Home {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    data(&home, &["queue", "add", "SD-1", "--phases", phases]);
    home
}

/// Runs `trueup queue …` for a session.
fn queue_of(session: &str, arguments: &[&str]) -> Vec<String> {
    let all = [&["queue"], arguments, &["--session", session]].concat();
    all.into_iter().map(str::to_owned).collect()
}

#[track_caller]
pub(crate) fn run_queue_command(home: &Home, session: &str, arguments: &[&str]) -> Value {
    let all = queue_of(session, arguments);
    data(home, &all.iter().map(String::as_str).collect::<Vec<_>>())
}

#[track_caller]
pub(crate) fn expect_queue_refusal(
    home: &Home,
    code: &str,
    session: &str,
    arguments: &[&str],
) -> Value {
    let all = queue_of(session, arguments);
    refused(home, code, &all.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_phase_starts_once_its_workflow_has_all_it_needs() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let phases = "plan,build,cleanup";
    let add = ["queue", "add", "SD-1", "--phases", phases, "--depends", "2=", "--depends", "3="];
    data(&home, &[&add[..], &["--adw", "77c90e61"]].concat());
    run_queue_command(&home, FIRST_SESSION, &["start", "SD-1:1"]);
    run_queue_command(&home, FIRST_SESSION, &["start", "SD-1:3"]);
    let refusal =
        expect_queue_refusal(&home, "phase_contract", FIRST_SESSION, &["start", "SD-1:2"]);
    let message = refusal["error"]["message"].as_str().unwrap();
    for part in [
        "worktree_path is not set",
        "plan_file is not set",
        "branch_name is not set",
        "agents/77c90e61/adw_state.json is missing",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(refusal["data"]["missing"].as_array().unwrap().len(), 3);
    assert_eq!(statuses(&home), "running ready running");
    std::fs::create_dir_all(home.project_dir().join("trees/a")).unwrap();
    std::fs::write(home.project_dir().join("trees/a/plan.md"), "x".repeat(99)).unwrap();
    let set = ["meta", "set", "77c90e61", "worktree_path=trees/a", "plan_file=plan.md"];
    data(&home, &[&set[..], &["branch_name=b"]].concat());
    let refusal =
        expect_queue_refusal(&home, "phase_contract", FIRST_SESSION, &["start", "SD-1:2"]);
    let message = refusal["error"]["message"].as_str().unwrap();
    assert_eq!(
        message,
        "build cannot start: 77c90e61: plan_file plan.md has 99 bytes; a plan needs at least 100"
    );
    std::fs::write(home.project_dir().join("trees/a/plan.md"), "x".repeat(100)).unwrap();
    run_queue_command(&home, FIRST_SESSION, &["start", "SD-1:2"]);
    assert_eq!(statuses(&home), "running running running");
}

#[test]
fn a_file_that_does_not_parse_starts_nothing_that_needs_it() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    data(&home, &["queue", "add", "SD-1", "--phases", "build", "--adw", "a"]);
    std::fs::create_dir_all(home.project_dir().join("agents/a")).unwrap();
    std::fs::write(home.project_dir().join("agents/a/adw_state.json"), "{").unwrap();
    let arguments = queue_of(FIRST_SESSION, &["start", "SD-1:1"]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(object(&home, 3, &arguments)["error"]["code"], "metadata_corrupt");
    assert_eq!(statuses(&home), "ready");
}

pub(crate) fn statuses(home: &Home) -> String {
    let rows = data(home, &["queue", "list", "--item", "SD-1"]);
    let rows = rows["rows"].as_array().unwrap();
    let statuses: Vec<&str> = rows.iter().map(|row| row["status"].as_str().unwrap()).collect();
    statuses.join(" ")
}

#[test]
fn next_goes_by_priority_and_skips_what_others_hold() {
    let home = home_with_queue("plan,build");
    second(&home, None);
    for (item, priority) in [("SD-2", "50"), ("SD-3", "10")] {
        data(&home, &["item", "add", item]);
        data(&home, &["queue", "add", item, "--phases", "plan", "--priority", priority]);
    }
    let next = |session: &str| {
        let found = run_queue_command(&home, session, &["next"]);
        found["row"]["queue_id"].as_str().unwrap().to_owned()
    };
    assert_eq!(next(SECOND_SESSION), "SD-3:1");
    claimed(&home, "SD-3");
    assert_eq!((next(FIRST_SESSION).as_str(), next(SECOND_SESSION).as_str()), ("SD-3:1", "SD-1:1"));
    let before = StateSnapshot::take(&home);
    next(FIRST_SESSION);
    data(&home, &["queue", "list"]);
    assert_eq!(StateSnapshot::take(&home), before, "reading writes nothing");
}

#[test]
fn a_change_is_printed_from_what_to_what() {
    let home = home_with_queue("plan,build");
    let answer = trueup(&home, &["queue", "complete", "SD-1:1"]).ok();
    assert_eq!(
        answer.stdout,
        "SD-1:1 (plan): ready -> completed\nSD-1:2 (build): queued -> ready\n"
    );
    let answer = trueup(&home, &["queue", "fail", "SD-1:2", "--error", "two\nlines"]).ok();
    assert!(answer.stdout.starts_with("SD-1:2 (build): ready -> failed: two"), "{answer:?}");
    assert_eq!(answer.stdout.lines().count(), 1);
}

#[test]
fn a_command_repeated_under_its_id_returns_the_first_answer() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let add = ["queue", "add", "SD-1", "--phases", "plan,build", "--op-id", "operation-1"];
    let first = data(&home, &add);
    assert_eq!(data(&home, &add), first);
    let begin = ["queue", "start", "SD-1:1", "--op-id", "operation-2"];
    let done = ["queue", "complete", "SD-1:1", "--op-id", "operation-3"];
    let first = data(&home, &begin);
    assert_eq!(data(&home, &begin), first);
    let first = data(&home, &done);
    let events: i64 = home.query_value("SELECT count(*) FROM events", []);
    assert_eq!(data(&home, &done), first);
    assert_eq!(events, home.query_value::<i64>("SELECT count(*) FROM events", []));
    for arguments in [
        &["queue", "complete", "SD-1:1", "--op-id", "operation-2"][..],
        &["queue", "start", "SD-1:2", "--op-id", "operation-2"],
        &["queue", "add", "SD-1", "--op-id", "operation-3"],
    ] {
        refused(&home, "op_id_used", arguments);
    }
}
