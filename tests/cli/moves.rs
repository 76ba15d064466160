//! Moves of items: forward by legal steps, back by reopening, and who may make them.

mod dependencies;

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, SECOND_SESSION};

use crate::fixture::{
    assert_in_step, claimed, data, held_by_second, keys, object, refused, started, trueup,
};
use crate::state_snapshot::StateSnapshot;

fn status(home: &Home, key: &str) -> String {
    home.query_value("SELECT status FROM work_items WHERE key = ?1", [key])
}

#[test]
fn a_move_says_from_what_to_what_and_answers_with_the_item() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let item = data(&home, &["item", "transition", "SD-1", "running"]);
    assert_eq!(keys(&item), ["item"]);
    assert_eq!(item["item"]["status"], "running");
    let answer = trueup(&home, &["item", "transition", "SD-1", "blocked", "--reason", "no key"]);
    assert_eq!(answer.ok().stdout, "SD-1: running -> blocked\n");
    let shown_item = data(&home, &["item", "show", "SD-1"]);
    assert_eq!(shown_item["item"]["error_message"], "no key");
    let answer = trueup(&home, &["item", "transition", "SD-1", "blocked"]);
    assert_eq!(answer.ok().stdout, "SD-1 is still blocked\n");
    let item = data(&home, &["item", "transition", "SD-1", "running"]);
    assert!(item["item"]["error_message"].is_null(), "{item}");
}

#[test]
fn spellings_of_the_wild_are_taken_and_written_as_ours() {
    let home = started();
    for (key, spelling, expected) in [
        ("SD-1", "done", "completed"),
        ("SD-2", "In-Progress", "running"),
        ("SD-3", "canceled", "cancelled"),
        ("SD-4", "paused", "blocked"),
    ] {
        data(&home, &["item", "add", key]);
        let item = data(&home, &["item", "transition", key, spelling]);
        assert_eq!(item["item"]["status"], expected);
        assert_eq!(status(&home, key), expected);
    }
}

#[test]
fn an_unknown_spelling_is_refused_by_name_with_those_that_are_known() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let object = object(&home, 2, &["item", "transition", "SD-1", "almost"]);
    assert_eq!(object["error"]["code"], "usage");
    let message = object["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("\"almost\"")
            && message.contains("queued, ready, running, blocked, completed, failed, cancelled"),
        "{message}"
    );
    assert_eq!(status(&home, "SD-1"), "queued");
}

#[test]
fn an_illegal_step_names_where_it_may_go_and_changes_nothing() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    data(&home, &["item", "transition", "SD-1", "running"]);
    let before = StateSnapshot::take(&home);
    let object = refused(&home, "illegal_transition", &["item", "transition", "SD-1", "queued"]);
    assert_eq!(
        object["data"],
        json!({
            "from": "running", "to": "queued",
            "legal": ["blocked", "cancelled", "completed", "failed"],
        })
    );
    let message = object["error"]["message"].as_str().unwrap();
    assert_eq!(
        message,
        "SD-1 is running and cannot become queued; allowed: blocked, cancelled, completed, failed"
    );
    let hint = object["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("`trueup item reopen SD-1 --reason again`"), "{hint}");
    assert_eq!(StateSnapshot::take(&home), before);

    data(&home, &["item", "transition", "SD-1", "completed"]);
    let arguments = ["item", "transition", "SD-1", "running"];
    let object = refused(&home, "illegal_transition", &arguments);
    assert_eq!(object["data"]["legal"], json!([]));
}

#[test]
fn going_back_needs_a_reason_and_is_an_event_of_its_own() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    data(&home, &["item", "transition", "SD-1", "completed", "--evidence", "run 1"]);
    for arguments in [&["item", "reopen", "SD-1"][..], &["item", "reopen", "SD-1", "--reason", ""]]
    {
        assert_eq!(object(&home, 2, arguments)["error"]["code"], "usage");
    }
    let answer = trueup(&home, &["item", "reopen", "SD-1", "--reason", "wrong branch"]).ok();
    assert_eq!(answer.stdout, "SD-1: completed -> queued\nevidence: run 1 -> none\n");
    let item = data(&home, &["item", "show", "SD-1"]);
    assert!(item["item"]["completed_at"].is_null() && item["item"]["evidence"].is_null());
    let event = item["events"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&event["kind"], &event["reason"], &event["actor"]),
        (&json!("reopened"), &json!("wrong branch"), &json!(FIRST_SESSION))
    );
    let again = ["item", "reopen", "SD-1", "--reason", "again"];
    refused(&home, "illegal_transition", &again);
}

#[test]
fn what_is_finished_is_released_and_the_cache_says_so_at_once() {
    for status in ["completed", "failed", "cancelled"] {
        let home = started();
        claimed(&home, "SD-1");
        data(&home, &["set", "--phase", "EXEC", "--task", "write"]);
        assert_eq!(home.read_cache()["currentSd"], "SD-1");
        let arguments = ["item", "transition", "SD-1", status, "--reason", "why"];
        let answer = trueup(&home, &arguments).ok();
        assert!(
            answer.stdout.starts_with(&format!("SD-1: running -> {status}\n")),
            "{}",
            answer.stdout
        );
        assert!(answer.stdout.contains(&format!("released by {FIRST_SESSION}")));
        let item = &data(&home, &["item", "show", "SD-1"])["item"];
        assert!(item["holder"].is_null() && item["completed_at"].is_string());
        let error = if status == "completed" { json!(null) } else { json!("why") };
        assert_eq!(item["error_message"], error);
        for key in ["currentSd", "currentPhase", "currentTask"] {
            assert!(home.read_cache()[key].is_null(), "{key}");
        }
        assert_in_step(&home);
        assert_eq!(home.count_events("status", "SD-1"), 1, "one event");
        assert_eq!(home.count_events("released", "SD-1"), 0);
    }
}

#[test]
fn a_held_item_is_moved_by_its_holder_alone() {
    let (home, _process) = held_by_second(&[]);
    let before = StateSnapshot::take(&home);
    for arguments in [
        &["item", "transition", "SD-1", "completed", "--session", FIRST_SESSION][..],
        &["item", "reopen", "SD-1", "--reason", "mine", "--session", FIRST_SESSION],
    ] {
        let object = refused(&home, "not_holder", arguments);
        assert_eq!(object["data"]["holder"], SECOND_SESSION);
        assert!(object["error"]["message"].as_str().unwrap().contains(SECOND_SESSION));
    }
    assert_eq!(StateSnapshot::take(&home), before);
    let arguments = ["item", "transition", "SD-1", "completed", "--session", SECOND_SESSION];
    data(&home, &arguments);
    assert_eq!(status(&home, "SD-1"), "completed");
}

#[test]
fn who_lost_the_item_without_a_word_is_told_of_a_stale_epoch() {
    let home = started();
    claimed(&home, "SD-1");
    crate::fixture::second(&home, None);
    home.expire_lease(FIRST_SESSION, 61);
    data(&home, &["claim", "SD-1", "--force", "--session", SECOND_SESSION]);
    let arguments = ["item", "transition", "SD-1", "completed", "--session", FIRST_SESSION];
    let object = refused(&home, "stale_epoch", &arguments);
    assert_eq!(object["data"]["holder"], SECOND_SESSION);
    assert_eq!(status(&home, "SD-1"), "running");
}

#[test]
fn a_free_item_is_moved_by_anybody_who_is_known() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    for arguments in [
        &["item", "transition", "SD-1", "running", "--session", SECOND_SESSION][..],
        &["item", "depend", "SD-1", "--on", "SD-1", "--session", SECOND_SESSION],
    ] {
        refused(&home, "phantom_session", arguments);
    }
    refused(&home, "item_not_found", &["item", "transition", "SD-9", "running"]);
    // A person at a terminal, where no session works.
    let run = home.prepare_run("trueup").cwd(home.user_home()).env("USER", "ada");
    run.args(["item", "transition", "SD-1", "running"]).wait().ok();
    let actor: String =
        home.query_value("SELECT actor FROM events WHERE kind = 'status' AND key = 'SD-1'", []);
    assert_eq!(actor, "user");
    data(&home, &["item", "transition", "SD-1", "completed"]);
}

#[test]
fn evidence_that_comes_later_is_shown() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    data(&home, &["item", "transition", "SD-1", "completed"]);
    let add = |evidence: &str| {
        let arguments = ["item", "transition", "SD-1", "completed", "--evidence", evidence];
        trueup(&home, &arguments).ok().stdout
    };
    assert_eq!(add("PR 3"), "SD-1 is still completed\nevidence: none -> PR 3\n");
    assert_eq!(add("PR 4"), "SD-1 is still completed\nevidence: PR 3 -> PR 4\n");
    assert_eq!(add("PR 4"), "SD-1 is still completed\n");
}

#[test]
fn an_item_that_asks_for_evidence_is_completed_with_it_alone() {
    let home = started();
    let item = data(&home, &["item", "add", "SD-1", "--requires-evidence"]);
    assert_eq!(item["item"]["requires_evidence"], true);
    data(&home, &["claim", "SD-1"]);
    for arguments in [
        &["item", "transition", "SD-1", "completed"][..],
        &["item", "transition", "SD-1", "completed", "--evidence", " "],
    ] {
        let object = refused(&home, "evidence_required", arguments);
        assert!(object["error"]["hint"].as_str().unwrap().contains("--evidence REF"));
    }
    assert_eq!(status(&home, "SD-1"), "running");
    let arguments = ["item", "transition", "SD-1", "completed", "--evidence", "PR 17"];
    let moved = data(&home, &arguments);
    assert_eq!(moved["item"]["evidence"], "PR 17");
}

#[test]
fn lists_follow_the_status() {
    let home = started();
    for (key, status) in [("A", "queued"), ("B", "completed"), ("C", "blocked")] {
        data(&home, &["item", "add", key]);
        data(&home, &["item", "transition", key, status]);
    }
    let listed = |arguments: &[&str]| -> Vec<Value> {
        let list = data(&home, &[&["item", "list"], arguments].concat());
        let items = list["items"].as_array().unwrap();
        items.iter().map(|item| item["key"].clone()).collect()
    };
    assert_eq!(listed(&["--unfinished"]), ["A", "C"]);
    assert_eq!(listed(&["--status", "done"]), ["B"]);
    assert_eq!(listed(&["--status", "todo,done"]), ["A", "B"]);
    let both = ["item", "list", "--status", "done", "--unfinished"];
    assert_eq!(object(&home, 2, &both)["error"]["code"], "usage");
    assert_eq!(object(&home, 2, &["item", "list", "--status", "x"])["error"]["code"], "usage");
}

#[test]
fn an_operation_that_is_repeated_is_carried_out_once() {
    let home = started();
    for key in ["A", "B"] {
        data(&home, &["item", "add", key]);
    }
    let done = ["item", "transition", "A", "completed", "--op-id", "operation-1"];
    data(&home, &done);
    data(&home, &["item", "reopen", "A", "--reason", "why"]);
    let again = data(&home, &done);
    assert_eq!(again["item"]["status"], "queued", "nothing happens twice");
    let depend = ["item", "depend", "B", "--on", "A", "--op-id", "operation-2"];
    data(&home, &depend);
    data(&home, &["item", "depend", "B", "--on", "A", "--remove"]);
    assert_eq!(data(&home, &depend)["item"]["depends_on"], json!([]));
    let other = ["item", "transition", "B", "running", "--op-id", "operation-1"];
    refused(&home, "op_id_used", &other);
}
