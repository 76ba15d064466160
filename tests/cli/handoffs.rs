//! Hand-offs from one session to another.

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, SECOND_SESSION};

use crate::fixture::{assert_in_step, codes, data, keys, object, refused, second, started, trueup};

const HANDOFF_KEYS: &[&str] = &[
    "actions",
    "branch",
    "created_at",
    "decided_at",
    "decided_by",
    "decisions",
    "deliverables",
    "epoch",
    "from_session",
    "id",
    "item",
    "known_issues",
    "phase",
    "reject_reason",
    "repo",
    "resources",
    "revision",
    "score",
    "shown_at",
    "status",
    "summary",
    "task",
    "to_session",
    "told_at",
    "type",
    "worktree",
];

/// [`SESSION`] is there; [`SECOND`] holds `SD-1` in phase PLAN at a task.
fn home_with_two_sessions() -> Home {
    let home = started();
    second(&home, None);
    data(&home, &["claim", "SD-1", "--create", "--session", SECOND_SESSION]);
    let set = ["set", "--phase", "PLAN", "--task", "draft", "--session", SECOND_SESSION];
    data(&home, &set);
    home
}

/// Lets [`SECOND`] hand `SD-1` on; returns the hand-off.
fn create_handoff(home: &Home, extra: &[&str]) -> Value {
    let arguments = ["handoff", "create", "PLAN-TO-EXEC", "--session", SECOND_SESSION];
    data(home, &[&arguments[..], extra].concat())["handoff"].take()
}

fn id(handoff: &Value) -> &str {
    handoff["id"].as_str().unwrap()
}

fn holder(home: &Home, key: &str) -> Option<String> {
    home.query_value("SELECT holder FROM work_items WHERE key = ?1", [key])
}

#[test]
fn a_handoff_takes_its_facts_from_the_database_and_its_elements_from_the_command() {
    let home = home_with_two_sessions();
    let first_handoff = create_handoff(
        &home,
        &[
            "--to",
            FIRST_SESSION,
            "--summary",
            "s",
            "--deliverables",
            "d",
            "--decisions",
            "c",
            "--known-issues",
            "k",
            "--resources",
            "r",
            "--actions",
            "a",
        ],
    );
    assert_eq!(keys(&first_handoff), HANDOFF_KEYS);
    let expected = json!({
        "type": "PLAN-TO-EXEC", "status": "pending_acceptance", "item": "SD-1",
        "from_session": SECOND_SESSION, "to_session": FIRST_SESSION, "repo": "project",
        "worktree": home.project_dir().to_string_lossy(), "branch": "main", "phase": "PLAN",
        "task": "draft", "epoch": 1, "summary": "s", "deliverables": "d", "decisions": "c",
        "known_issues": "k", "resources": "r", "actions": "a", "score": 100,
        "decided_at": null, "decided_by": null, "reject_reason": null, "shown_at": null,
        "told_at": null, "revision": 1,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&first_handoff[key], value, "{key}");
    }
    assert_eq!(holder(&home, "SD-1").as_deref(), Some(SECOND_SESSION));
    let handoff = data(&home, &["handoff", "show", id(&first_handoff)]);
    assert_eq!(handoff, json!({"handoff": first_handoff}));
    assert_eq!(data(&home, &["handoff", "list"]), json!({"handoffs": [first_handoff]}));
}

#[test]
fn missing_elements_are_a_warning_with_a_score_and_no_refusal() {
    let home = home_with_two_sessions();
    let arguments = ["handoff", "create", "my_own-name", "--session", SECOND_SESSION];
    let bare = object(&home, 0, &arguments);
    assert_eq!(bare["data"]["handoff"]["score"], 0);
    assert_eq!(bare["data"]["handoff"]["type"], "my_own-name");
    let home = home_with_two_sessions();
    let half = object(
        &home,
        0,
        &[&arguments[..], &["--summary", "s", "--actions", "a", "--decisions", " "]].concat(),
    );
    assert_eq!(
        half["warnings"],
        json!(["the hand-off scores 33 of 100; missing: known issues, decisions, \
                deliverables, resources"])
    );
    let whole = home_with_two_sessions();
    let all = [
        "--summary",
        "s",
        "--deliverables",
        "d",
        "--decisions",
        "c",
        "--known-issues",
        "k",
        "--resources",
        "r",
        "--actions",
        "a",
    ];
    let whole = object(&whole, 0, &[&arguments[..], &all].concat());
    assert_eq!(whole["warnings"], json!([]));
}

#[test]
fn a_type_that_is_none_is_a_usage_error() {
    let home = home_with_two_sessions();
    let long = "T".repeat(65);
    for kind in ["", "a b", "a.b", "ä", &long] {
        let answer = trueup(&home, &["handoff", "create", kind, "--session", SECOND_SESSION]);
        assert_eq!(answer.code, Some(2), "{kind:?}: {answer:?}");
    }
}

#[test]
fn who_holds_nothing_hands_nothing_on() {
    let home = started();
    refused(&home, "not_holder", &["handoff", "create", "X"]);
    let unknown = ["handoff", "create", "X", "--session", "nobody"];
    refused(&home, "phantom_session", &unknown);
}

#[test]
fn it_is_addressed_to_a_registered_session_that_is_another() {
    let home = home_with_two_sessions();
    let to = |who| ["handoff", "create", "X", "--session", SECOND_SESSION, "--to", who];
    refused(&home, "phantom_session", &to("nobody"));
    refused(&home, "handoff_to_itself", &to(SECOND_SESSION));
    assert_eq!(data(&home, &["handoff", "list"]), json!({"handoffs": []}));
}

#[test]
fn a_session_that_is_gone_may_be_addressed_and_that_is_said() {
    let home = home_with_two_sessions();
    home.push_event("session-end.other").ok();
    let create = ["handoff", "create", "X", "--session", SECOND_SESSION, "--to", FIRST_SESSION];
    let object = object(&home, 0, &create);
    let warning = object["warnings"][0].as_str().unwrap();
    assert!(warning.contains("is gone (ended: "), "{warning}");
}

#[test]
fn nothing_is_handed_on_while_copies_disagree() {
    let home = started();
    data(&home, &["claim", "SD-002C", "--create"]);
    home.execute_sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    let object = refused(&home, "not_consistent", &["handoff", "create", "X"]);
    assert_eq!(codes(&object), ["S-05"]);
    let line = "⚠️ Branch mismatch: branch=feat/SD-002B-x names SD-002B, db_claim=SD-002C";
    assert_eq!(object["error"]["message"], line);
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002C-x"]);
    let handoff = data(&home, &["handoff", "create", "X"]);
    assert_eq!(
        handoff["handoff"]["branch"], "feat/SD-002C-x",
        "the branch as it is, though no hook has seen the switch"
    );
}

#[test]
fn drift_that_is_only_in_the_cache_is_fixed_on_the_way() {
    let home = started();
    data(&home, &["claim", "SD-1", "--create"]);
    home.edit_cache("currentSd", "SD-2");
    home.edit_cache("currentPhase", "EXEC");
    let handoff = data(&home, &["handoff", "create", "X"]);
    assert_eq!(handoff["handoff"]["item"], "SD-1");
    assert_eq!(handoff["handoff"]["phase"], "EXEC", "an edit is pushed first");
    assert_eq!(home.read_cache()["currentSd"], "SD-1");
}

#[test]
fn accepting_moves_item_phase_and_task_and_leaves_the_cache_in_step() {
    let home = home_with_two_sessions();
    let first_handoff = create_handoff(&home, &["--to", FIRST_SESSION]);
    data(&home, &["claim", "SD-9", "--create", "--session", FIRST_SESSION]);
    let answer =
        data(&home, &["handoff", "accept", id(&first_handoff), "--session", FIRST_SESSION]);
    assert_eq!(keys(&answer), ["handoff", "work"]);
    assert_eq!(answer["work"], json!({"phase": "PLAN", "task": "draft"}));
    let handoff = &answer["handoff"];
    assert_eq!(handoff["status"], "accepted");
    assert_eq!(handoff["decided_by"], FIRST_SESSION);
    assert!(handoff["decided_at"].is_string());
    assert_eq!(holder(&home, "SD-1").as_deref(), Some(FIRST_SESSION));
    assert_eq!(holder(&home, "SD-9"), None, "one item at a time");
    let cache = home.read_cache();
    assert_eq!(cache["currentSd"], "SD-1");
    assert_eq!(cache["currentPhase"], "PLAN");
    assert_eq!(cache["currentTask"], "draft");
    assert_eq!(cache["isActive"], true);
    assert_in_step(&home);
    assert_eq!(data(&home, &["handoff", "list"]), json!({"handoffs": []}));
    let all = data(&home, &["handoff", "list", "--all"]);
    assert_eq!(all["handoffs"][0]["id"], first_handoff["id"]);
    let status = data(&home, &["status", "--session", SECOND_SESSION]);
    assert!(status["item"].is_null(), "{status}");
    // The sender's copy is stale until its next hook, but nothing in it counts as lost.
    crate::fixture::findings(&home, 0, &["--session", SECOND_SESSION, "--fix"]);
}

#[test]
fn the_text_says_what_went_from_whom_to_whom() {
    let home = home_with_two_sessions();
    let first_handoff = create_handoff(&home, &["--to", FIRST_SESSION]);
    data(&home, &["claim", "SD-9", "--create", "--session", FIRST_SESSION]);
    let answer =
        trueup(&home, &["handoff", "accept", id(&first_handoff), "--session", FIRST_SESSION]).ok();
    assert_eq!(
        answer.stdout,
        format!(
            "released SD-9\naccepted {}: SD-1 went from {SECOND_SESSION} to {FIRST_SESSION} (epoch 1 -> 2)\n\
             phase: PLAN, task: draft\n",
            id(&first_handoff)
        )
    );
    let handoff = trueup(&home, &["handoff", "show", id(&first_handoff)]).ok().stdout;
    assert!(handoff.contains("summary: not given\n"), "{handoff}");
    assert!(handoff.contains(&format!("accepted by {FIRST_SESSION} ")), "{handoff}");
}

#[test]
fn a_handoff_whose_sender_lost_the_item_gives_nothing() {
    let home = home_with_two_sessions();
    let handoff = create_handoff(&home, &["--to", FIRST_SESSION]);
    home.give_item(FIRST_SESSION, "SD-1");
    home.execute_sql("UPDATE work_items SET holder = NULL", []);
    home.give_item(SECOND_SESSION, "SD-1");
    let accept = ["handoff", "accept", id(&handoff), "--session", FIRST_SESSION];
    let object = refused(&home, "stale_epoch", &accept);
    assert_eq!(object["data"]["holder"]["session_id"], SECOND_SESSION);
    assert_eq!(object["data"]["handoff"]["status"], "pending_acceptance");
    assert_eq!(holder(&home, "SD-1").as_deref(), Some(SECOND_SESSION));
}

#[test]
fn a_handoff_of_an_item_that_was_given_up_claims_it() {
    let home = home_with_two_sessions();
    let handoff = create_handoff(&home, &[]);
    home.execute_sql("UPDATE work_items SET holder = NULL", []);
    data(&home, &["handoff", "accept", id(&handoff), "--session", FIRST_SESSION]);
    assert_eq!(holder(&home, "SD-1").as_deref(), Some(FIRST_SESSION));
    assert_eq!(home.read_cache()["currentTask"], "draft");
}

#[test]
fn what_changed_since_a_handoff_was_made_is_kept_and_told() {
    let home = home_with_two_sessions();
    let handoff = create_handoff(&home, &["--to", FIRST_SESSION]);
    data(&home, &["queue", "add", "SD-1", "--phases", "build"]);
    data(&home, &["queue", "start", "SD-1:1", "--session", SECOND_SESSION]);
    data(&home, &["set", "--task", "compile", "--session", SECOND_SESSION]);
    let answer =
        trueup(&home, &["handoff", "accept", id(&handoff), "--session", FIRST_SESSION]).ok();
    assert!(
        answer.stdout.ends_with(
            "\nphase: build, task: compile\n\
             the phase was PLAN when it was handed off, and is build now\n\
             the task was draft when it was handed off, and is compile now\n"
        ),
        "{answer:?}"
    );
    let cache = home.read_cache();
    assert_eq!(
        (&cache["currentPhase"], &cache["currentTask"]),
        (&"build".into(), &"compile".into())
    );
    assert_in_step(&home);
}

#[test]
fn a_handoff_of_an_item_that_its_sender_left_for_another_is_withdrawn() {
    let home = home_with_two_sessions();
    let handoff = create_handoff(&home, &["--to", FIRST_SESSION]);
    data(&home, &["claim", "SD-7", "--create", "--session", SECOND_SESSION]);
    let accept = ["handoff", "accept", id(&handoff), "--session", FIRST_SESSION];
    refused(&home, "handoff_decided", &accept);
    let handoff = data(&home, &["handoff", "show", id(&handoff)])["handoff"].clone();
    assert_eq!(handoff["reject_reason"], "withdrawn: the sender released the item");
}

#[test]
fn an_item_is_handed_on_once_at_a_time_and_a_release_withdraws_it() {
    let home = home_with_two_sessions();
    let first = create_handoff(&home, &["--to", FIRST_SESSION]);
    let create = ["handoff", "create", "X", "--session", SECOND_SESSION];
    let object = refused(&home, "handoff_open", &create);
    let message = object["error"]["message"].as_str().unwrap();
    assert!(message.contains(id(&first)), "{message}");
    let own = ["handoff", "accept", id(&first), "--session", SECOND_SESSION];
    refused(&home, "own_handoff", &own);
    data(&home, &["release", "--session", SECOND_SESSION]);
    let handoff = data(&home, &["handoff", "show", id(&first)]);
    assert_eq!(handoff["handoff"]["status"], "rejected");
    let accept = ["handoff", "accept", id(&first), "--session", FIRST_SESSION];
    refused(&home, "handoff_decided", &accept);
    // Under a new claim a new hand-off is possible, even beside one of an earlier claim.
    data(&home, &["claim", "SD-1", "--session", SECOND_SESSION]);
    let second = create_handoff(&home, &[]);
    home.give_item(FIRST_SESSION, "SD-1");
    data(&home, &["handoff", "create", "X", "--session", FIRST_SESSION]);
    let handoff = data(&home, &["handoff", "show", id(&second)]);
    assert_eq!(handoff["handoff"]["status"], "rejected");
}

#[test]
fn a_handoff_of_an_item_that_was_finished_gives_nothing() {
    let home = home_with_two_sessions();
    let handoff = create_handoff(&home, &["--to", FIRST_SESSION]);
    let finish = ["item", "transition", "SD-1", "completed"];
    data(&home, &[&finish[..], &["--session", SECOND_SESSION]].concat());
    let accept = ["handoff", "accept", id(&handoff), "--session", FIRST_SESSION];
    refused(&home, "handoff_decided", &accept);
    let shown = data(&home, &["handoff", "show", id(&handoff)])["handoff"].clone();
    assert_eq!(shown["reject_reason"], "withdrawn: the item is finished");
    assert_eq!(holder(&home, "SD-1"), None);
}

#[test]
fn a_rejection_says_why_and_leaves_the_item() {
    let home = home_with_two_sessions();
    let handoff = create_handoff(&home, &["--to", FIRST_SESSION]);
    let reject = |reason| {
        ["handoff", "reject", id(&handoff), "--session", FIRST_SESSION, "--reason", reason]
    };
    for blank in ["", "  "] {
        assert_eq!(trueup(&home, &reject(blank)).code, Some(2));
    }
    let answer = data(&home, &reject("tests fail"));
    assert_eq!(keys(&answer), ["handoff"]);
    assert_eq!(answer["handoff"]["status"], "rejected");
    assert_eq!(answer["handoff"]["reject_reason"], "tests fail");
    assert_eq!(holder(&home, "SD-1").as_deref(), Some(SECOND_SESSION));
    let accept = ["handoff", "accept", id(&handoff), "--session", FIRST_SESSION];
    refused(&home, "handoff_decided", &accept);
}

#[test]
fn another_sessions_handoff_is_left_alone() {
    let home = home_with_two_sessions();
    let third = "0a1b2c3d-0000-4000-8000-000000000003";
    let start = home.payload("session-start.startup").for_session(third);
    crate::fixture::start(&home, &start, None);
    let handoff = create_handoff(&home, &["--to", FIRST_SESSION]);
    let accept = ["handoff", "accept", id(&handoff), "--session", third];
    refused(&home, "not_addressed", &accept);
    refused(&home, "handoff_not_found", &["handoff", "show", "h-nothing"]);
    refused(&home, "handoff_not_found", &["handoff", "accept", "h-nothing"]);
    assert_eq!(trueup(&home, &["handoff", "show", "a/b"]).code, Some(2));
}

#[test]
fn listing_and_showing_write_nothing() {
    let home = home_with_two_sessions();
    let handoff = create_handoff(&home, &["--to", FIRST_SESSION]);
    let count = || home.query_value::<i64>("SELECT count(*) FROM events", []);
    let before = count();
    for arguments in [&["handoff", "list"][..], &["handoff", "show", id(&handoff)]] {
        trueup(&home, arguments).ok();
    }
    assert_eq!(count(), before);
    let shown_at: Option<String> = home.query_value("SELECT shown_at FROM handoffs", []);
    assert_eq!(shown_at, None);
}

#[test]
fn a_command_that_is_repeated_under_its_id_answers_as_the_first_time() {
    let home = home_with_two_sessions();
    data(&home, &["claim", "SD-9", "--create", "--session", FIRST_SESSION]);
    let first = create_handoff(&home, &["--to", FIRST_SESSION, "--op-id", "op-000001"]);
    assert_eq!(create_handoff(&home, &["--to", FIRST_SESSION, "--op-id", "op-000001"]), first);
    let accept =
        ["handoff", "accept", id(&first), "--session", FIRST_SESSION, "--op-id", "op-000002"];
    let accepted = trueup(&home, &accept).ok().stdout;
    assert!(accepted.starts_with("released SD-9\n"), "{accepted}");
    assert_eq!(trueup(&home, &accept).ok().stdout, accepted);
    data(&home, &["claim", "SD-9", "--session", SECOND_SESSION]);
    let second = create_handoff(&home, &[]);
    let reject = |op| {
        let reject =
            ["handoff", "reject", id(&second), "--reason", "no", "--session", FIRST_SESSION];
        [&reject[..], &["--op-id", op]].concat()
    };
    let handoff = data(&home, &reject("op-000003"));
    assert_eq!(data(&home, &reject("op-000003")), handoff);
    refused(&home, "op_id_used", &reject("op-000002"));
    assert_eq!(data(&home, &["handoff", "list", "--all"])["handoffs"].as_array().unwrap().len(), 2);
}
