//! The phase queue as a user meets it.

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, SECOND_SESSION};

use crate::fixture::{
    assert_in_step, claimed, data, keys, object, refused, second, started, trueup,
};
use crate::witness::Witness;

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
pub(crate) fn queued(phases: &str) -> Home {
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
pub(crate) fn does(home: &Home, session: &str, arguments: &[&str]) -> Value {
    let all = queue_of(session, arguments);
    data(home, &all.iter().map(String::as_str).collect::<Vec<_>>())
}

#[track_caller]
pub(crate) fn does_not(home: &Home, code: &str, session: &str, arguments: &[&str]) -> Value {
    let all = queue_of(session, arguments);
    refused(
        home,
        code,
        &all.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

#[test]
fn a_phase_starts_once_its_workflow_has_all_it_needs() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let phases = "plan,build,cleanup";
    let add = [
        "queue",
        "add",
        "SD-1",
        "--phases",
        phases,
        "--depends",
        "2=",
        "--depends",
        "3=",
    ];
    data(&home, &[&add[..], &["--adw", "77c90e61"]].concat());
    does(&home, FIRST_SESSION, &["start", "SD-1:1"]);
    does(&home, FIRST_SESSION, &["start", "SD-1:3"]);
    let refused = does_not(&home, "phase_contract", FIRST_SESSION, &["start", "SD-1:2"]);
    let message = refused["error"]["message"].as_str().unwrap();
    for part in [
        "worktree_path is not set",
        "plan_file is not set",
        "branch_name is not set",
        "agents/77c90e61/adw_state.json is missing",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(refused["data"]["missing"].as_array().unwrap().len(), 3);
    assert_eq!(statuses(&home), "running ready running");
    std::fs::create_dir_all(home.project_dir().join("trees/a")).unwrap();
    std::fs::write(home.project_dir().join("trees/a/plan.md"), "x".repeat(99)).unwrap();
    let set = [
        "meta",
        "set",
        "77c90e61",
        "worktree_path=trees/a",
        "plan_file=plan.md",
    ];
    data(&home, &[&set[..], &["branch_name=b"]].concat());
    let refused = does_not(&home, "phase_contract", FIRST_SESSION, &["start", "SD-1:2"]);
    let message = refused["error"]["message"].as_str().unwrap();
    assert_eq!(
        message,
        "build cannot start: 77c90e61: plan_file plan.md has 99 bytes; a plan needs at least 100"
    );
    std::fs::write(home.project_dir().join("trees/a/plan.md"), "x".repeat(100)).unwrap();
    does(&home, FIRST_SESSION, &["start", "SD-1:2"]);
    assert_eq!(statuses(&home), "running running running");
}

#[test]
fn a_file_that_does_not_parse_starts_nothing_that_needs_it() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    data(
        &home,
        &["queue", "add", "SD-1", "--phases", "build", "--adw", "a"],
    );
    std::fs::create_dir_all(home.project_dir().join("agents/a")).unwrap();
    std::fs::write(home.project_dir().join("agents/a/adw_state.json"), "{").unwrap();
    let arguments = queue_of(FIRST_SESSION, &["start", "SD-1:1"]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(
        object(&home, 3, &arguments)["error"]["code"],
        "metadata_corrupt"
    );
    assert_eq!(statuses(&home), "ready");
}

pub(crate) fn statuses(home: &Home) -> String {
    let rows = data(home, &["queue", "list", "--item", "SD-1"]);
    let rows = rows["rows"].as_array().unwrap();
    let words: Vec<&str> = rows
        .iter()
        .map(|row| row["status"].as_str().unwrap())
        .collect();
    words.join(" ")
}

#[test]
fn an_item_gets_all_ten_phases_in_a_row() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let added = data(&home, &["queue", "add", "SD-1"]);
    assert_eq!(keys(&added), ["rows"]);
    let rows = added["rows"].as_array().unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["current_phase"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "plan", "validate", "build", "lint", "test", "review", "document", "ship", "cleanup",
            "verify"
        ]
    );
    for (number, row) in (1..).zip(rows) {
        assert_eq!(keys(row), ROW_KEYS);
        assert_eq!(row["queue_id"], format!("SD-1:{number}"));
        assert_eq!(
            (&row["item"], &row["phase_number"]),
            (&json!("SD-1"), &json!(number))
        );
        let (status, on) = match number {
            1 => ("ready", json!([])),
            _ => ("queued", json!([number - 1])),
        };
        assert_eq!(
            (&row["status"], &row["depends_on_phases"]),
            (&json!(status), &on)
        );
        assert_eq!(
            (&row["priority"], &row["revision"]),
            (&json!(50), &json!(1))
        );
        for absent in [
            "issue_number",
            "feature_id",
            "parent_issue",
            "assigned_to",
            "adw_id",
            "pr_number",
            "completed_at",
            "phase_data",
            "started_timestamp",
            "error_message",
        ] {
            assert!(row[absent].is_null(), "{absent}");
        }
    }
    assert!(rows[0]["ready_timestamp"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn everything_said_of_the_phases_is_kept() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let arguments = [
        "queue",
        "add",
        "SD-1",
        "--phases",
        "plan,validate,build,lint,test",
        "--depends",
        "4=1,3;5=4",
        "--depends",
        "2=",
        "--priority",
        "10",
        "--adw",
        "77c90e61",
        "--issue",
        "170",
        "--parent-issue",
        "7",
        "--data",
        r#"{"model": "base", "n": 1.50}"#,
    ];
    let added = data(&home, &arguments);
    let on: Vec<&Value> = added["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["depends_on_phases"])
        .collect();
    assert_eq!(
        on,
        [
            &json!([]),
            &json!([]),
            &json!([2]),
            &json!([1, 3]),
            &json!([4])
        ]
    );
    let row = &added["rows"][1];
    assert_eq!(row["status"], "ready");
    assert_eq!(
        (
            &row["issue_number"],
            &row["parent_issue"],
            &row["feature_id"]
        ),
        (&json!(170), &json!(7), &json!(7))
    );
    assert_eq!(
        (&row["adw_id"], &row["priority"]),
        (&json!("77c90e61"), &json!(10))
    );
    assert_eq!(row["phase_data"]["model"], "base");
    let parent: i64 = home.query_value("SELECT parent_issue FROM phase_queue LIMIT 1", []);
    assert_eq!(parent, 7);
}

#[test]
fn what_cannot_be_added_is_refused_by_name() {
    let home = queued("plan,build");
    refused(&home, "item_not_found", &["queue", "add", "SD-9"]);
    let again = refused(&home, "phases_exist", &["queue", "add", "SD-1"]);
    assert_eq!(again["data"]["rows"].as_array().unwrap().len(), 2);
    data(&home, &["item", "add", "SD-2"]);
    for (depends, code) in [("1=2;2=1", "dependency_cycle"), ("2=9", "phase_not_found")] {
        let arguments = [
            "queue",
            "add",
            "SD-2",
            "--phases",
            "plan,build",
            "--depends",
            depends,
        ];
        refused(&home, code, &arguments);
    }
    let circle = ["queue", "add", "SD-2", "--depends", "2=4"];
    let circle = refused(&home, "dependency_cycle", &circle);
    let message = circle["error"]["message"].as_str().unwrap();
    assert!(message.contains("2 -> 4 -> 3 -> 2"), "{message}");
    for arguments in [
        &["--phases", "plan,deploy"][..],
        &["--depends", "x"],
        &["--depends", "2=1;2="],
        &["--data", "[1]"],
        &["--priority", "soon"],
    ] {
        let all = [&["queue", "add", "SD-2"], arguments].concat();
        assert_eq!(
            object(&home, 2, &all)["error"]["code"],
            "usage",
            "{arguments:?}"
        );
    }
    let unknown = trueup(&home, &["queue", "add", "SD-2", "--phases", "plan,deploy"]);
    assert!(
        unknown.stderr.contains("\"deploy\"") && unknown.stderr.contains("plan, validate, build"),
        "{unknown:?}"
    );
    let listed = data(&home, &["queue", "list"]);
    assert_eq!(listed["rows"].as_array().unwrap().len(), 2);
}

#[test]
fn completing_1_readies_2_and_not_3() {
    let home = queued("plan,build,test");
    let begun = does(&home, FIRST_SESSION, &["start", "SD-1:1"]);
    assert_eq!(keys(&begun), ["affected", "row"]);
    assert_eq!(keys(&begun["row"]), ROW_KEYS);
    assert_eq!(begun["row"]["status"], "running");
    assert_eq!(begun["row"]["assigned_to"], FIRST_SESSION);
    assert!(begun["row"]["started_timestamp"].is_string());
    assert_eq!(begun["affected"], json!([]));
    let done = does(&home, FIRST_SESSION, &["complete", "SD-1:1", "--pr", "12"]);
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
    let home = queued("plan,build,test");
    let failed = does(
        &home,
        FIRST_SESSION,
        &["fail", "SD-1:1", "--error", "no plan"],
    );
    assert_eq!(failed["row"]["error_message"], "no plan");
    for row in failed["affected"].as_array().unwrap() {
        assert_eq!(row["status"], "blocked");
        assert_eq!(row["error_message"], "phase 1 (plan) failed: no plan");
    }
    assert_eq!(statuses(&home), "failed blocked blocked");
    assert_eq!(data(&home, &["queue", "next"]), json!({"row": null}));
    let around = does_not(
        &home,
        "illegal_transition",
        FIRST_SESSION,
        &["reopen", "SD-1:3", "--reason", "x"],
    );
    assert_eq!(around["data"]["blocked_by"], "SD-1:1");
    does(
        &home,
        FIRST_SESSION,
        &["reopen", "SD-1:1", "--reason", "a better plan"],
    );
    assert_eq!(statuses(&home), "ready queued queued");
    does(
        &home,
        FIRST_SESSION,
        &["cancel", "SD-1:1", "--reason", "no need"],
    );
    let rows = data(&home, &["queue", "list", "--status", "blocked"]);
    assert_eq!(
        rows["rows"][1]["error_message"],
        "phase 1 (plan) cancelled: no need"
    );
}

#[test]
fn a_block_by_hand_keeps_its_reason() {
    let home = queued("plan,build");
    does(
        &home,
        FIRST_SESSION,
        &["block", "SD-1:2", "--reason", "lawyers"],
    );
    does(&home, FIRST_SESSION, &["fail", "SD-1:1", "--error", "x"]);
    does(&home, FIRST_SESSION, &["reopen", "SD-1:1", "--reason", "y"]);
    does(&home, FIRST_SESSION, &["complete", "SD-1:1"]);
    let rows = data(&home, &["queue", "list", "--status", "waiting"]);
    assert_eq!(rows["rows"][0]["error_message"], "lawyers");
    let free = does(
        &home,
        FIRST_SESSION,
        &["reopen", "SD-1:2", "--reason", "they agreed"],
    );
    assert_eq!(free["row"]["status"], "ready");
    assert!(free["row"]["error_message"].is_null());
}

#[test]
fn an_illegal_step_says_from_where_to_where_and_what_is_legal() {
    let home = queued("plan,build");
    let queued = does_not(
        &home,
        "illegal_transition",
        FIRST_SESSION,
        &["start", "SD-1:2"],
    );
    assert_eq!(
        (&queued["data"]["from"], &queued["data"]["to"]),
        (&json!("queued"), &json!("running"))
    );
    assert_eq!(queued["data"]["legal"], json!(["blocked", "cancelled"]));
    assert_eq!(keys(&queued["data"]["row"]), ROW_KEYS);
    let message = queued["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("it waits for phase 1 (plan), which is ready"),
        "{message}"
    );
    does(&home, FIRST_SESSION, &["complete", "SD-1:1"]);
    let done = does_not(
        &home,
        "illegal_transition",
        FIRST_SESSION,
        &["start", "SD-1:1"],
    );
    assert_eq!(done["data"]["legal"], json!([]));
    assert!(
        done["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("trueup queue reopen SD-1:1")
    );
    does_not(
        &home,
        "phase_not_found",
        FIRST_SESSION,
        &["start", "SD-1:7"],
    );
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
    let home = queued("plan,build");
    second(&home, None);
    claimed(&home, "SD-1");
    let refused = does_not(&home, "not_holder", SECOND_SESSION, &["start", "SD-1:1"]);
    assert_eq!(refused["data"]["holder"], FIRST_SESSION);
    does_not(&home, "phantom_session", "nobody", &["start", "SD-1:1"]);
    does(&home, FIRST_SESSION, &["start", "SD-1:1"]);
    // The claim moves on while the first one works.
    home.expire_lease(FIRST_SESSION, 90);
    data(
        &home,
        &["claim", "SD-1", "--force", "--session", SECOND_SESSION],
    );
    let stale = does_not(&home, "stale_epoch", FIRST_SESSION, &["complete", "SD-1:1"]);
    assert_eq!(stale["data"]["holder"], SECOND_SESSION);
    assert_eq!(statuses(&home), "running queued");
    does(&home, SECOND_SESSION, &["complete", "SD-1:1"]);
    data(&home, &["release", "--session", SECOND_SESSION]);
    does(&home, FIRST_SESSION, &["start", "SD-1:2"]);
}

#[test]
fn a_person_without_a_session_moves_what_nobody_holds() {
    let home = Home::new();
    data(&home, &["db", "migrate"]);
    data(&home, &["item", "add", "SD-1"]);
    data(&home, &["queue", "add", "SD-1", "--phases", "plan"]);
    let begun = data(&home, &["queue", "start", "SD-1:1"]);
    assert!(begun["row"]["assigned_to"].is_null());
    data(&home, &["queue", "complete", "SD-1:1"]);
    let bad = home
        .prepare_run("trueup")
        .args(["queue", "next"])
        .env("TRUEUP_SESSION_ID", "a b");
    assert_eq!(bad.wait().code, Some(2));
}

#[test]
fn what_the_holder_starts_is_what_item_session_and_cache_are_at() {
    let home = queued("plan,build");
    claimed(&home, "SD-1");
    does(&home, FIRST_SESSION, &["start", "SD-1:1"]);
    assert_eq!(data(&home, &["status"])["item"]["phase"], "plan");
    assert_eq!(home.execution_state()["currentPhase"], "plan");
    assert_eq!(home.read_cache()["currentPhase"], "plan");
    assert_in_step(&home);
    does(&home, FIRST_SESSION, &["complete", "SD-1:1"]);
    does(&home, FIRST_SESSION, &["start", "SD-1:2"]);
    assert_eq!(home.read_cache()["currentPhase"], "build");
    assert_in_step(&home);
}

#[test]
fn an_orchestrator_is_recorded_with_what_it_starts() {
    let home = queued("plan");
    let run = home
        .prepare_run("trueup")
        .args(["queue", "start", "SD-1:1"]);
    run.env("TRUEUP_ORCHESTRATOR_ID", "orch-1").wait().ok();
    let orchestrator: String = home.query_value("SELECT orchestrator FROM phase_queue", []);
    assert_eq!(orchestrator, "orch-1");
}

#[test]
fn next_goes_by_priority_and_skips_what_others_hold() {
    let home = queued("plan,build");
    second(&home, None);
    for (item, priority) in [("SD-2", "50"), ("SD-3", "10")] {
        data(&home, &["item", "add", item]);
        data(
            &home,
            &[
                "queue",
                "add",
                item,
                "--phases",
                "plan",
                "--priority",
                priority,
            ],
        );
    }
    let next = |session: &str| {
        let found = does(&home, session, &["next"]);
        found["row"]["queue_id"].as_str().unwrap().to_owned()
    };
    assert_eq!(next(SECOND_SESSION), "SD-3:1");
    claimed(&home, "SD-3");
    assert_eq!(
        (next(FIRST_SESSION).as_str(), next(SECOND_SESSION).as_str()),
        ("SD-3:1", "SD-1:1")
    );
    let before = Witness::of(&home);
    next(FIRST_SESSION);
    data(&home, &["queue", "list"]);
    assert_eq!(Witness::of(&home), before, "reading writes nothing");
}

#[test]
fn a_change_is_printed_from_what_to_what() {
    let home = queued("plan,build");
    let answer = trueup(&home, &["queue", "complete", "SD-1:1"]).ok();
    assert_eq!(
        answer.stdout,
        "SD-1:1 (plan): ready -> completed\nSD-1:2 (build): queued -> ready\n"
    );
    let answer = trueup(&home, &["queue", "fail", "SD-1:2", "--error", "two\nlines"]).ok();
    assert!(
        answer
            .stdout
            .starts_with("SD-1:2 (build): ready -> failed: two"),
        "{answer:?}"
    );
    assert_eq!(answer.stdout.lines().count(), 1);
}

#[test]
fn a_command_repeated_under_its_id_returns_the_first_answer() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let add = [
        "queue",
        "add",
        "SD-1",
        "--phases",
        "plan,build",
        "--op-id",
        "operation-1",
    ];
    let first = data(&home, &add);
    assert_eq!(data(&home, &add), first);
    let begin = ["queue", "start", "SD-1:1", "--op-id", "operation-2"];
    let done = ["queue", "complete", "SD-1:1", "--op-id", "operation-3"];
    let first = data(&home, &begin);
    assert_eq!(data(&home, &begin), first);
    let first = data(&home, &done);
    let events: i64 = home.query_value("SELECT count(*) FROM events", []);
    assert_eq!(data(&home, &done), first);
    assert_eq!(
        events,
        home.query_value::<i64>("SELECT count(*) FROM events", [])
    );
    for arguments in [
        &["queue", "complete", "SD-1:1", "--op-id", "operation-2"][..],
        &["queue", "start", "SD-1:2", "--op-id", "operation-2"],
        &["queue", "add", "SD-1", "--op-id", "operation-3"],
    ] {
        refused(&home, "op_id_used", arguments);
    }
}
