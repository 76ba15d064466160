//! The registry of orchestrators: one per plan, and dead ones are reported and cleared.

use std::thread;

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, process_start_time, spawn_bystander};
use support::race::{PROCESSES, run_at_once};

use crate::fixture::{
    data, envelope, keys, object, refused, started_with_plans as started, trueup,
};

const KEYS: &[&str] =
    &["epoch", "heartbeat_at", "host", "id", "pid", "plan_id", "started_at", "status"];

/// Registers the test as the orchestrator of a plan.
#[track_caller]
fn register(home: &Home, plan: &str) -> Value {
    data(home, &["orchestrator", "register", plan])["orchestrator"].clone()
}

fn status(home: &Home, id: &str) -> String {
    home.query_value("SELECT status FROM orchestrators WHERE id = ?1", [id])
}

/// Makes the process of every live orchestrator look gone, as if its pid had been reused.
fn reuse_its_number(home: &Home) {
    let changed = home.execute_sql(
        "UPDATE orchestrators SET pid_started = pid_started - 1 WHERE status = 'running'",
        [],
    );
    assert!(changed > 0);
}

#[test]
fn a_registered_orchestrator_is_the_process_that_runs_the_command() {
    let home = started();
    let row = register(&home, "master-plan");
    assert_eq!(keys(&row), KEYS);
    assert_eq!(row["plan_id"], "master-plan");
    assert_eq!(row["pid"], std::process::id());
    assert_eq!((&row["status"], &row["epoch"]), (&json!("running"), &json!(1)));
    let id = row["id"].as_str().unwrap();
    assert!(id.starts_with("orch-"), "{id}");
    let list = data(&home, &["orchestrator", "list"]);
    assert_eq!(list, json!({"orchestrators": [row]}));
    let (session, process): (String, i64) = (
        home.query_value("SELECT session_id FROM orchestrators", []),
        home.query_value("SELECT pid_started FROM orchestrators", []),
    );
    assert_eq!(session, FIRST_SESSION);
    assert_eq!(process, process_start_time(&std::process::id().to_string()));
}

#[test]
fn a_second_one_is_refused_with_the_name_of_the_first() {
    let home = started();
    let first = register(&home, "P");
    let object = refused(&home, "plan_already_running", &["orchestrator", "register", "P"]);
    assert_eq!(object["data"], json!({"holder": first}));
    let message = object["error"]["message"].as_str().unwrap();
    for part in [&first["id"], &first["host"]] {
        assert!(message.contains(part.as_str().unwrap()), "{message}");
    }
    assert!(message.contains(&format!("pid {}", std::process::id())), "{message}");
    let answer = trueup(&home, &["orchestrator", "start", "P", "--", "true"]);
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(1), ""));
    assert!(answer.stderr.contains(first["id"].as_str().unwrap()), "{answer:?}");
}

#[test]
fn of_64_that_register_at_once_one_wins() {
    let home = started();
    for round in 0..5 {
        let plan = format!("P{round}");
        let answers = run_at_once(PROCESSES, |_| {
            home.prepare_run("trueup").args(["orchestrator", "register", &plan, "--json"])
        });
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.code == Some(0));
        assert_eq!(won.len(), 1, "round {round}");
        let winner = &won[0].json()["data"]["orchestrator"];
        for answer in lost {
            let object = envelope(answer, 1);
            assert_eq!(object["error"]["code"], "plan_already_running");
            assert_eq!(&object["data"]["holder"], winner);
        }
        let rows: i64 =
            home.query_value("SELECT count(*) FROM orchestrators WHERE plan_id = ?1", [&plan]);
        assert_eq!(rows, 1);
    }
}

#[test]
fn thirty_plans_at_once_are_thirty_orchestrators() {
    let home = started();
    thread::scope(|scope| {
        for n in 0..30 {
            let home = &home;
            scope.spawn(move || register(home, &format!("P{n}")));
        }
    });
    let list = data(&home, &["orchestrator", "list"]);
    let rows = list["orchestrators"].as_array().unwrap();
    assert_eq!(rows.len(), 30);
    assert!(rows.iter().all(|row| row["status"] == "running"));
}

#[test]
fn a_late_heartbeat_displaces_nobody_whose_process_runs() {
    let home = started();
    let row = register(&home, "P");
    home.execute_sql("UPDATE orchestrators SET heartbeat_at = '2020-01-01T00:00:00.000Z'", []);
    let object = refused(&home, "plan_already_running", &["orchestrator", "register", "P"]);
    assert_eq!(object["data"]["holder"]["id"], row["id"]);
    assert_eq!(object["warnings"], json!([]));
    assert_eq!(status(&home, row["id"].as_str().unwrap()), "running");
}

#[test]
fn a_number_that_another_process_has_now_is_no_life() {
    let home = started();
    let dead = register(&home, "P");
    reuse_its_number(&home);
    let object = object(&home, 0, &["orchestrator", "register", "P"]);
    let next = &object["data"]["orchestrator"];
    assert_eq!(next["epoch"], 2);
    assert_eq!(status(&home, dead["id"].as_str().unwrap()), "crashed");
    let warning = object["warnings"][0].as_str().unwrap();
    for part in [dead["id"].as_str().unwrap(), "plan P", &format!("pid {}", std::process::id())] {
        assert!(warning.contains(part), "{warning}");
    }
}

#[test]
fn another_hosts_orchestrator_is_endured_up_to_the_ceiling() {
    for (silence, expected) in [(1_700, "running"), (1_900, "crashed")] {
        let home = started();
        let row = register(&home, "P");
        home.execute_sql(
            "UPDATE orchestrators SET host = 'elsewhere', pid_started = 1,
                 heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?1)",
            [format!("-{silence} seconds")],
        );
        let free = expected == "crashed";
        let answer = trueup(&home, &["orchestrator", "register", "P"]);
        assert_eq!(answer.code, Some(i32::from(!free)), "{silence} s: {answer:?}");
        assert_eq!(status(&home, row["id"].as_str().unwrap()), expected);
    }
}

#[test]
fn a_reader_names_the_dead_and_writes_nothing() {
    let home = started();
    let row = register(&home, "P");
    reuse_its_number(&home);
    let before = crate::state_snapshot::StateSnapshot::take(&home);
    for arguments in [&["orchestrator", "list"][..], &["item", "list"], &["status"]] {
        let object = object(&home, 0, arguments);
        let warning = object["warnings"][0].as_str().unwrap();
        assert!(warning.contains(row["id"].as_str().unwrap()), "{arguments:?}: {warning}");
        assert_eq!(object["warnings"].as_array().unwrap().len(), 1);
    }
    let list = data(&home, &["orchestrator", "list"]);
    assert_eq!(list["orchestrators"][0]["status"], "crashed", "as it will be");
    assert_eq!(crate::state_snapshot::StateSnapshot::take(&home), before);
    assert_eq!(status(&home, row["id"].as_str().unwrap()), "running");
}

#[test]
fn any_change_clears_the_dead_once() {
    let home = started();
    let row = register(&home, "P");
    let id = row["id"].as_str().unwrap();
    reuse_its_number(&home);
    let object = object(&home, 0, &["item", "add", "SD-1"]);
    let warning = object["warnings"][0].as_str().unwrap();
    assert!(warning.contains(id) && warning.contains("marked crashed"), "{warning}");
    assert_eq!(status(&home, id), "crashed");
    assert_eq!(home.count_events("crashed", id), 1);
    let actor: String = home.query_value("SELECT actor FROM events WHERE kind = 'crashed'", []);
    assert_eq!(actor, FIRST_SESSION);
    let again = crate::fixture::object(&home, 0, &["item", "add", "SD-2"]);
    assert_eq!(again["warnings"], json!([]));
    let text = trueup(&home, &["orchestrator", "list"]).ok().stdout;
    assert!(text.contains("crashed") && text.contains("is gone"), "{text}");
}

#[test]
fn a_refusal_tells_of_the_dead_too() {
    let home = started();
    let row = register(&home, "P");
    reuse_its_number(&home);
    let object = object(&home, 1, &["claim", "SD-9"]);
    let warning = object["warnings"][0].as_str().unwrap();
    assert!(warning.contains(row["id"].as_str().unwrap()), "{warning}");
}

#[test]
fn many_that_find_one_dead_clear_it_once() {
    let home = started();
    let row = register(&home, "P");
    reuse_its_number(&home);
    thread::scope(|scope| {
        for n in 0..16 {
            let home = &home;
            scope.spawn(move || data(home, &["item", "add", &format!("SD-{n}")]));
        }
    });
    assert_eq!(home.count_events("crashed", row["id"].as_str().unwrap()), 1);
}

#[test]
fn a_heartbeat_is_renewed_and_one_for_nobody_is_an_error() {
    let home = started();
    let row = register(&home, "P");
    let id = row["id"].as_str().unwrap();
    home.execute_sql("UPDATE orchestrators SET heartbeat_at = '2020-01-01T00:00:00.000Z'", []);
    let after = data(&home, &["orchestrator", "heartbeat", id]);
    assert_eq!(keys(&after), ["orchestrator"]);
    assert_eq!(keys(&after["orchestrator"]), KEYS);
    assert!(after["orchestrator"]["heartbeat_at"].as_str() >= row["heartbeat_at"].as_str());
    let nobody = ["orchestrator", "heartbeat", "orch-000000000000"];
    refused(&home, "orchestrator_not_found", &nobody);
    data(&home, &["orchestrator", "stop", id]);
    let ended = refused(&home, "orchestrator_ended", &["orchestrator", "heartbeat", id]);
    assert_eq!(ended["data"]["orchestrator"]["status"], "stopped");
}

#[test]
fn a_stop_frees_the_plan_and_says_why() {
    let home = started();
    let row = register(&home, "P");
    let id = row["id"].as_str().unwrap();
    let answer = trueup(&home, &["orchestrator", "stop", id, "--reason", "done"]).ok();
    assert_eq!(answer.stdout, format!("{id} of plan P: running -> stopped\n"));
    let reason: String = home.query_value("SELECT reason FROM orchestrators", []);
    assert_eq!(reason, "done");
    let again = data(&home, &["orchestrator", "stop", id]);
    assert_eq!(keys(&again), ["interrupted", "orchestrator"]);
    assert_eq!(again["orchestrator"]["status"], "stopped", "it is what was asked for");
    assert_eq!(home.count_events("stopped", id), 1);
    assert_eq!(register(&home, "P")["epoch"], 2);
    refused(&home, "orchestrator_not_found", &["orchestrator", "stop", "orch-none"]);
}

#[test]
fn a_repeated_operation_is_answered_as_the_first() {
    let home = started();
    let register = ["orchestrator", "register", "P", "--op-id", "once-0001"];
    let first = data(&home, &register);
    assert_eq!(data(&home, &register), first);
    let id = first["orchestrator"]["id"].as_str().unwrap();
    assert_eq!(home.count_events("started", id), 1);
    let other = ["orchestrator", "register", "Q", "--op-id", "once-0001"];
    refused(&home, "op_id_used", &other);
    let stop = ["orchestrator", "stop", id, "--op-id", "once-0002"];
    assert_eq!(data(&home, &stop), data(&home, &stop));
    assert_eq!(data(&home, &register)["orchestrator"]["status"], "stopped");
    let rows: i64 = home.query_value("SELECT count(*) FROM orchestrators", []);
    assert_eq!(rows, 1);
}

#[test]
fn a_start_of_a_session_clears_the_dead_and_tells_the_model() {
    let home = started();
    let owner = spawn_bystander();
    register(&home, "P");
    home.execute_sql(
        "UPDATE orchestrators SET pid = ?1, pid_started = ?2",
        [owner.pid(), process_start_time(&owner.pid()).to_string()],
    );
    assert!(!home.start_session().ok().context().contains("orchestrator start"));
    let pid = owner.pid();
    drop(owner);
    let context = home.start_session().ok().context();
    assert!(context.contains(&format!("of plan P died (pid {pid}")), "{context}");
    assert!(!home.start_session().ok().context().contains("of plan P"), "told once");
}

#[test]
fn no_command_is_usage_and_no_plan_a_refusal() {
    let home = started();
    for arguments in [
        &["orchestrator", "start", "P"][..],
        &["orchestrator", "start", "P", "--"],
        &["orchestrator", "start", "P", "true"],
        &["orchestrator", "stop", "../x"],
    ] {
        let answer = trueup(&home, arguments);
        assert_eq!(answer.code, Some(2), "{arguments:?}: {answer:?}");
    }
    for plan in ["a b", "docs/", "nonsense", ""] {
        for arguments in [
            &["orchestrator", "register", plan][..],
            &["orchestrator", "start", plan, "--", "true"],
        ] {
            let answer = trueup(&home, arguments);
            assert_eq!(answer.code, Some(1), "{arguments:?}: {answer:?}");
            assert!(answer.stderr.contains("does not exist"), "{answer:?}");
        }
    }
    let rows: i64 = home.query_value("SELECT count(*) FROM orchestrators", []);
    assert_eq!(rows, 0);
}
