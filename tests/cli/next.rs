//! `trueup next`: moving on to the next item, and notices of lost work.

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, SECOND_SESSION, spawn_bystander};

use crate::fixture::{
    assert_in_step, claimed, codes, data, findings, keys, object, refused, second, start, started,
    trueup,
};
use crate::state_snapshot::StateSnapshot;

const KEYS: [&str; 5] = ["item", "outcome", "parked", "previous_holder", "reason"];

/// An orchestrator `P` with children `P.1`, `P.2` and `P.3`.
fn home_with_children() -> Home {
    let home = started();
    data(&home, &["item", "add", "P"]);
    for child in ["P.1", "P.2", "P.3"] {
        data(&home, &["item", "add", child, "--parent", "P"]);
    }
    home
}

fn next(home: &Home, arguments: &[&str]) -> Value {
    let next = data(home, &[&["next"], arguments].concat());
    assert_eq!(keys(&next), KEYS);
    next
}

fn complete_item(home: &Home, key: &str) {
    data(home, &["item", "transition", key, "completed"]);
}

fn holder(home: &Home, key: &str) -> Option<String> {
    home.query_value("SELECT holder FROM work_items WHERE key = ?1", [key])
}

/// A reconstructed incident: database and branch were at the next child, the file at the one
/// before.
#[test]
fn the_incident_of_the_stale_file_cannot_happen() {
    let home = Home::new();
    home.run_git(&["checkout", "--quiet", "-b", "feat/SD-002B-x"]);
    home.start_session().ok();
    data(&home, &["item", "add", "SD-002"]);
    for child in ["SD-002A", "SD-002B", "SD-002C"] {
        data(&home, &["item", "add", child, "--parent", "SD-002"]);
    }
    data(&home, &["item", "transition", "SD-002A", "completed"]);
    data(&home, &["claim", "SD-002B"]);
    data(&home, &["set", "--phase", "EXEC", "--task", "finish 002B"]);
    assert_eq!(home.read_cache()["currentSd"], "SD-002B");

    data(&home, &["item", "transition", "SD-002B", "completed"]);
    home.run_git(&["checkout", "--quiet", "-b", "feat/SD-002C-x"]);
    let next_item = next(&home, &["--claim"]);
    assert_eq!(next_item["outcome"], "claimed");
    assert_eq!(next_item["item"]["key"], "SD-002C");

    assert_eq!(holder(&home, "SD-002C").as_deref(), Some(FIRST_SESSION));
    assert_eq!(home.execution_state()["currentSd"], "SD-002C");
    let cache = home.read_cache();
    assert_eq!(cache["currentSd"], "SD-002C", "the file follows at once");
    assert_eq!(cache["branch"], "feat/SD-002C-x");
    assert!(cache["currentPhase"].is_null() && cache["currentTask"].is_null());
    assert_in_step(&home);
    let object = findings(&home, 0, &[]);
    assert_eq!(codes(&object), Vec::<&str>::new(), "{object}");
    // The same when the child was not finished first.
    data(&home, &["item", "reopen", "SD-002B", "--reason", "not yet"]);
    let next_item = next(&home, &["--claim", "--give-up"]);
    assert_eq!(next_item["item"]["key"], "SD-002B");
    assert_eq!(home.read_cache()["currentSd"], "SD-002B");
    assert_in_step(&home);
}

#[test]
fn a_look_shows_what_a_claim_takes_and_writes_nothing() {
    let home = home_with_children();
    data(&home, &["claim", "P"]);
    let before = StateSnapshot::take(&home);
    let seen = next(&home, &[]);
    assert_eq!(seen["item"]["key"], "P.1");
    for absent in ["outcome", "previous_holder", "reason", "parked"] {
        assert!(seen[absent].is_null(), "{absent}");
    }
    let text = trueup(&home, &["next"]).ok().stdout;
    assert!(text.starts_with("next: P.1 "), "{text}");
    assert_eq!(StateSnapshot::take(&home), before);
    let next_item = next(&home, &["--claim"]);
    assert_eq!(next_item["outcome"], "claimed");
    assert_eq!(next_item["item"]["key"], seen["item"]["key"]);
    assert_eq!(
        (&next_item["item"]["holder"], &next_item["item"]["status"]),
        (&json!(FIRST_SESSION), &json!("running"))
    );
    assert!(next_item["reason"].is_null() && next_item["previous_holder"].is_null());
    assert_eq!(holder(&home, "P"), None, "one at a time");
    assert_in_step(&home);
}

#[test]
fn an_unfinished_child_is_left_with_a_warning_and_stays_for_others() {
    let home = home_with_children();
    claimed(&home, "P.2");
    let refusal = refused(&home, "holds_unfinished", &["next", "--claim"]);
    assert_eq!(refusal["data"]["item"]["key"], "P.2");
    assert_eq!(holder(&home, "P.2").as_deref(), Some(FIRST_SESSION), "it is kept");
    let answer = object(&home, 0, &["next", "--claim", "--give-up"]);
    assert_eq!(answer["data"]["item"]["key"], "P.3", "the search goes on behind it");
    assert_eq!(answer["warnings"], json!(["P.2 is not finished; its status is still running"]));
    assert_eq!(holder(&home, "P.2"), None);
    let text = trueup(&home, &["next", "--claim", "--give-up"]);
    assert_eq!(text.stdout, "released P.3\nclaimed P.1 (epoch 1)\n");
    // Moving from the orchestrator to its child leaves nothing unfinished.
    claimed(&home, "P");
    let answer = object(&home, 0, &["next", "--claim"]);
    assert_eq!(answer["warnings"], json!([]), "{answer}");
}

#[test]
fn the_one_held_stays_when_it_is_all_that_is_left() {
    let home = home_with_children();
    for child in ["P.1", "P.3"] {
        complete_item(&home, child);
    }
    claimed(&home, "P.2");
    let answer = object(&home, 0, &["next", "--claim"]);
    let next_item = &answer["data"];
    assert_eq!(
        (&next_item["outcome"], &next_item["item"]["key"], &next_item["reason"]),
        (&json!("already_owned"), &json!("P.2"), &json!("still_held"))
    );
    assert_eq!(answer["warnings"], json!(["P.2 is not finished, and no other item is ready"]));
    assert_eq!(next_item["item"]["epoch"], 1, "the fence stays");
    assert_eq!(next(&home, &[])["reason"], "still_held");
}

#[test]
fn after_the_last_child_the_parent_is_offered_and_then_the_next_orchestrator() {
    let home = home_with_children();
    data(&home, &["item", "add", "Q", "--kind", "orchestrator"]);
    data(&home, &["claim", "P"]);
    for child in ["P.1", "P.2", "P.3"] {
        assert_eq!(next(&home, &["--claim"])["item"]["key"], child);
        complete_item(&home, child);
    }
    let next_item = next(&home, &["--claim"]);
    assert_eq!(
        (&next_item["item"]["key"], &next_item["reason"]),
        (&json!("P"), &json!("last_child_done"))
    );
    assert_in_step(&home);
    complete_item(&home, "P");
    let answer = object(&home, 0, &["next", "--claim"]);
    let next_item = &answer["data"];
    assert_eq!(next_item["reason"], "chaining_off");
    assert!(next_item["item"].is_null() && next_item["outcome"].is_null());
    let text = trueup(&home, &["next"]).ok().stdout;
    assert!(
        text.contains("chaining") && text.contains("trueup set --chain-orchestrators on"),
        "{text}"
    );
    assert!(text.contains("Q is free"), "{text}");
    data(&home, &["set", "--chain-orchestrators", "on"]);
    let next_item = next(&home, &["--claim"]);
    assert_eq!(
        (&next_item["item"]["key"], &next_item["reason"]),
        (&json!("Q"), &json!("next_orchestrator"))
    );
}

#[test]
fn when_nothing_is_ready_it_is_said_what_each_waits_for() {
    let home = home_with_children();
    second(&home, None);
    data(&home, &["claim", "P.1", "--session", SECOND_SESSION]);
    data(&home, &["item", "depend", "P.2", "--on", "P.1"]);
    data(&home, &["item", "transition", "P.3", "blocked", "--reason", "no key"]);
    let arguments = ["--parent", "P", "--claim", "--session", FIRST_SESSION];
    let found = next(&home, &arguments);
    assert_eq!(
        found,
        json!({
            "outcome": null, "item": null, "previous_holder": null, "reason": "waiting",
            "parked": null,
        })
    );
    let text = trueup(&home, &[&["next"], &arguments[..]].concat()).ok().stdout;
    assert_eq!(
        text,
        format!(
            "no ready items: the remaining ones wait for others\n  P.1 is held by {SECOND_SESSION}\n  \
             P.2 waits for P.1 (running)\n  P.3 is blocked: no key\n"
        )
    );
    data(&home, &["item", "transition", "P.3", "cancelled"]);
    data(&home, &["item", "depend", "P.2", "--on", "P.1", "--remove"]);
    data(&home, &["claim", "P.2", "--session", FIRST_SESSION]);
    start(&home, &home.payload("session-start.startup").for_session("third"), None);
    let found = next(&home, &["--parent", "P", "--claim", "--session", "third"]);
    assert_eq!(found["reason"], "all_held");
}

#[test]
fn nothing_at_all_is_no_failure() {
    let home = started();
    let found = next(&home, &["--claim"]);
    assert_eq!(found["reason"], "nothing_ready");
    assert!(found["item"].is_null());
}

#[test]
fn a_session_is_needed_to_claim_and_a_known_parent() {
    let home = home_with_children();
    let nobody = |arguments: &[&str]| {
        let run = home.prepare_run("trueup").cwd(home.user_home());
        run.args([arguments, &["--json"]].concat()).wait()
    };
    let answer = nobody(&["next", "--claim"]);
    assert_eq!(answer.code, Some(2));
    assert_eq!(answer.json()["error"]["code"], "no_session");
    let here = nobody(&["next"]).json();
    assert_eq!(here["data"]["item"], json!(null), "P is another repository's");
    let all = nobody(&["next", "--all-repos"]).json();
    assert_eq!(all["data"]["item"]["key"], "P.1", "children come before their parent");
    for arguments in [&["next"][..], &["next", "--claim"]] {
        let phantom = [arguments, &["--session", SECOND_SESSION]].concat();
        refused(&home, "phantom_session", &phantom);
        let unknown = [arguments, &["--parent", "Z"]].concat();
        refused(&home, "item_not_found", &unknown);
    }
}

#[test]
fn a_repeated_operation_claims_once() {
    let home = home_with_children();
    let arguments = ["next", "--parent", "P", "--claim", "--op-id", "operation-1"];
    let first = data(&home, &arguments);
    assert_eq!(data(&home, &arguments), first);
    let held: i64 =
        home.query_value("SELECT count(*) FROM work_items WHERE holder IS NOT NULL", []);
    assert_eq!(held, 1);
    assert_eq!(home.count_events("claimed", "P.2"), 0);
    // Its claim was lost since, and a replay does not claim another item.
    second(&home, None);
    home.expire_lease(FIRST_SESSION, 61);
    data(&home, &["claim", "P.1", "--force", "--session", SECOND_SESSION]);
    let again = [&arguments[..], &["--session", FIRST_SESSION]].concat();
    let object = refused(&home, "stale_epoch", &again);
    assert_eq!(object["data"]["holder"]["session_id"], SECOND_SESSION);
    assert_eq!(holder(&home, "P.2"), None);
}

#[test]
fn a_child_of_a_dead_session_is_not_passed_over_and_tells_what_it_was_at() {
    let home = home_with_children();
    let process = spawn_bystander();
    second(&home, Some(&process));
    data(&home, &["claim", "P.1", "--session", SECOND_SESSION]);
    let task = "it's half done; $(rm -r .)";
    data(&home, &["set", "--phase", "EXEC", "--task", task, "--session", SECOND_SESSION]);
    drop(process);
    home.expire_lease(SECOND_SESSION, 1_000);
    let next_item = next(&home, &["--parent", "P", "--claim", "--session", FIRST_SESSION]);
    assert_eq!(next_item["item"]["key"], "P.1");
    let parked = &next_item["parked"];
    assert_eq!(keys(parked), ["lost_at", "phase", "restore", "session_id", "task"]);
    assert_eq!(parked["session_id"], SECOND_SESSION);
    assert_eq!((&parked["phase"], &parked["task"]), (&json!("EXEC"), &json!(task)));
    assert!(parked["lost_at"].as_str().unwrap().ends_with('Z'));
    let restore = r"trueup set --phase EXEC --task 'it'\''s half done; $(rm -r .)'";
    assert_eq!(parked["restore"], restore);

    // The printed command works in a shell.
    let trueup = support::client::find_binary("trueup").unwrap();
    let command = restore.replacen("trueup", trueup.to_str().unwrap(), 1);
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", &command])
        .env_clear()
        .env("TRUEUP_SESSION_ID", FIRST_SESSION)
        .current_dir(home.project_dir());
    home.set_variables(&mut shell);
    let shell = shell.output().unwrap();
    assert!(shell.status.success(), "{shell:?}");
    assert_eq!(home.execution_state()["currentTask"], task);
    assert_eq!(home.execution_state()["currentPhase"], "EXEC");

    // A released item is not reported as interrupted.
    data(&home, &["release", "--session", FIRST_SESSION]);
    let again = data(&home, &["claim", "P.1", "--session", FIRST_SESSION]);
    assert!(again["parked"].is_null(), "{again}");
}

#[test]
fn who_finds_nothing_is_told_of_a_holder_that_may_be_gone() {
    let home = started();
    claimed(&home, "SD-1");
    second(&home, None);
    let shown = |command: &str| trueup(&home, &[command, "--session", SECOND_SESSION]).ok().stdout;
    for command in ["next", "ready"] {
        assert!(!shown(command).contains("may be gone"), "{command} of a living holder");
    }
    home.expire_lease(FIRST_SESSION, 1_000);
    for command in ["next", "ready"] {
        let text = shown(command);
        let told = "held by a session that may be gone: SD-1; `trueup sessions sweep` frees";
        assert!(text.contains(told), "{command}: {text}");
    }
}

#[test]
fn a_claim_of_parked_work_says_in_words_how_to_go_on() {
    let home = started();
    claimed(&home, "SD-1");
    data(&home, &["set", "--phase", "PLAN", "--session", FIRST_SESSION]);
    second(&home, None);
    home.execute_sql(
        "UPDATE claude_sessions SET pid = 1, pid_started = 1 WHERE session_id = ?1",
        [FIRST_SESSION],
    );
    home.expire_lease(FIRST_SESSION, 1_000);
    data(&home, &["sessions", "sweep", "--session", SECOND_SESSION]);
    let status: String = home.session_column("status", FIRST_SESSION);
    assert_eq!(status, "lost");
    let heartbeat: String = home.session_column("heartbeat_at", FIRST_SESSION);
    let text = trueup(&home, &["claim", "SD-1", "--session", SECOND_SESSION]).ok().stdout;
    // When it was heard of last, and not when the sweep freed the item.
    assert!(text.contains(&format!("worked on it until {}", &heartbeat[..19])), "{text}");
    assert!(text.starts_with("claimed SD-1 (epoch 2)\n"), "{text}");
    assert!(text.contains(&format!("{FIRST_SESSION} worked on it until 20")), "{text}");
    assert!(text.contains(": phase PLAN, task none\n"), "{text}");
    assert!(text.ends_with("to continue there: trueup set --phase PLAN\n"), "{text}");
}

#[test]
fn who_holds_the_parent_takes_a_child_back_from_a_live_session() {
    let home = home_with_children();
    second(&home, None);
    data(&home, &["claim", "P.1", "--session", SECOND_SESSION]);
    let claim = ["claim", "P.1", "--session", FIRST_SESSION];
    refused(&home, "held_by_live_session", &claim);
    data(&home, &["claim", "P", "--session", FIRST_SESSION]);
    let next_item = data(&home, &claim);
    assert_eq!(
        (&next_item["outcome"], &next_item["reason"], &next_item["previous_holder"]),
        (&json!("taken_over"), &json!("parent_authority"), &json!(SECOND_SESSION))
    );
    assert_eq!(holder(&home, "P.1").as_deref(), Some(FIRST_SESSION));
    let arguments = ["item", "transition", "P.1", "completed", "--session", SECOND_SESSION];
    refused(&home, "stale_epoch", &arguments);
}

#[test]
fn announced_silence_is_honoured_up_to_its_ceiling_alone() {
    let home = started();
    let process = spawn_bystander();
    second(&home, Some(&process));
    data(&home, &["claim", "SD-1", "--create", "--session", SECOND_SESSION]);
    drop(process);
    let claim = ["claim", "SD-1", "--session", FIRST_SESSION];
    let announce = |until: &str| {
        home.execute_sql(
            "UPDATE claude_sessions SET silent_until = strftime('%Y-%m-%dT%H:%M:%fZ', ?2)
             WHERE session_id = ?1",
            [SECOND_SESSION, until],
        );
    };
    let ahead: String =
        home.query_value("SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+44 minutes')", []);
    announce(&ahead);
    home.expire_lease(SECOND_SESSION, 2_600);
    refused(&home, "held_by_silent_session", &claim);
    assert_eq!(data(&home, &["sessions", "sweep"])["released"], json!([]));
    home.expire_lease(SECOND_SESSION, 2_800);
    assert_eq!(data(&home, &claim)["reason"], "holder_dead");
}

#[test]
fn an_open_child_of_a_finished_parent_is_next_and_its_parent_tells_of_it() {
    let home = started();
    data(&home, &["item", "add", "p"]);
    data(&home, &["item", "add", "p.1", "--parent", "p"]);
    let moved = trueup(&home, &["item", "transition", "p", "completed"]);
    assert_eq!(moved.code, Some(0));
    assert_eq!(moved.stderr, "warning: p still has 1 unfinished child\n");
    let ready = data(&home, &["ready"]);
    assert_eq!(ready["items"][0]["key"], "p.1");
    assert_eq!(next(&home, &[])["item"]["key"], "p.1");
    assert!(trueup(&home, &[]).ok().stdout.contains("p.1"));
    // A session that did other work last is led there as well.
    claimed(&home, "other");
    complete_item(&home, "other");
    assert_eq!(next(&home, &["--claim"])["item"]["key"], "p.1");
    // Without open children there is nothing to tell.
    let moved = trueup(&home, &["item", "transition", "p.1", "completed"]).ok();
    assert!(!format!("{}{}", moved.stdout, moved.stderr).contains("unfinished"), "{moved:?}");
}

#[test]
fn what_is_ready_first_is_next() {
    let home = started();
    data(&home, &["item", "add", "parent"]);
    data(&home, &["item", "add", "z", "--parent", "parent"]);
    data(&home, &["item", "add", "a", "--parent", "parent", "--position", "-1"]);
    data(&home, &["item", "add", "free"]);
    data(&home, &["item", "add", "urgent", "--parent", "parent", "--priority", "0"]);
    for expected in ["urgent", "a", "z", "parent", "free"] {
        for limit in ["1", "10", "0"] {
            let ready = data(&home, &["ready", "--limit", limit]);
            assert_eq!(ready["items"][0]["key"], expected, "{limit}");
        }
        assert_eq!(next(&home, &[])["item"]["key"], expected);
        home.execute_sql("UPDATE work_items SET status = 'completed' WHERE key = ?1", [expected]);
    }
    assert_eq!(data(&home, &["ready"])["items"], json!([]));
    assert_eq!(next(&home, &[])["item"], json!(null));
}
