//! `trueup outbox`: what waits is listed, sent and dropped; what was refused is sent once more.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use support::home::{FIRST_SESSION, Home};
use trueup_core::deadline::Deadline;
use trueup_core::fs::FileLock;
use trueup_core::model::{FieldValue, Lineage, Revision, StateField, Timestamp};
use trueup_core::outbox::{
    DrainLimits, DrainTarget, Outbox, PendingChange, PendingWrite, RefusedWrite, SendVerdict,
    WriteOrigin,
};

use crate::fixture::{data, keys, object, refused, started, trueup};

const DROPPED: &str = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
const OTHER: &str = "6f9619ff-0000-4d01-b42d-00cf4fc964ff";

fn outbox_of(home: &Home) -> Outbox {
    Outbox::new(home.trueup_home().join("outbox.jsonl"))
}

fn lineage(home: &Home) -> Lineage {
    Lineage(home.query_value("SELECT value FROM trueup_meta WHERE key = 'lineage'", []))
}

/// A write of the first session that sets the task.
fn task_write(home: &Home, op_id: &str, task: &str) -> PendingWrite {
    let value = FieldValue::Text(Some(task.to_owned()));
    PendingWrite {
        op_id: op_id.to_owned(),
        at: Timestamp::from_millis(1_000),
        session: FIRST_SESSION.parse().unwrap(),
        origin: Some(WriteOrigin {
            database: "address".to_owned(),
            address: None,
            lineage: Some(lineage(home)),
            base: Some(Revision(1)),
            base_lineage: None,
            claim: None,
        }),
        write: PendingChange::State { changes: [(StateField::Task, value)].into(), branch: None },
    }
}

/// A session with two writes that wait and one that was refused.
pub(crate) fn home_with_writes() -> Home {
    let home = started();
    let outbox = outbox_of(&home);
    outbox.put(&task_write(&home, "op-refused", "refused")).unwrap();
    let target = DrainTarget {
        lineage: lineage(&home),
        addresses: BTreeSet::new(),
        adopted: BTreeSet::new(),
    };
    let long = Deadline::after(Duration::from_mins(10));
    let limits = DrainLimits { patience: Duration::from_mins(1), share: long, deadline: long };
    let refuse = |batch: &[&PendingWrite]| {
        Ok::<_, String>(vec![SendVerdict::Refused("no such item".to_owned()); batch.len()])
    };
    assert_eq!(outbox.drain(&target, &limits, refuse).unwrap().refused, 1);
    outbox.put(&task_write(&home, DROPPED, "dropped")).unwrap();
    outbox.put(&task_write(&home, OTHER, "sent")).unwrap();
    home
}

/// Reports the refused write of [`home_with_writes`], as a delivery does.
pub(crate) fn report_refused_write(home: &Home) {
    let record = task_write(home, "op-refused", "refused");
    let refused = RefusedWrite { reason: "no such item".to_owned(), record };
    let report = refused.as_attention(None);
    home.execute_sql(
        "INSERT INTO attention (id, kind, session, line, command) VALUES (?1, ?2, ?3, ?4, ?5)",
        [
            report.id.as_str(),
            report.kind.as_str(),
            FIRST_SESSION,
            &report.line,
            report.command.as_deref().unwrap(),
        ],
    );
}

fn task(home: &Home) -> serde_json::Value {
    home.execution_state()["currentTask"].clone()
}

#[test]
fn what_waits_and_what_was_refused_is_listed() {
    let home = home_with_writes();
    let listed = data(&home, &["outbox", "list"]);
    let records = listed["records"].as_array().unwrap();
    let expected = ["at", "base_revision", "op_id", "operation", "reason", "session_id", "state"];
    assert_eq!(keys(&records[0]), expected);
    let states: Vec<_> =
        records.iter().map(|it| (&it["op_id"], &it["state"], &it["reason"])).collect();
    let (waiting, dead) = (json!("waiting"), json!("dead"));
    assert_eq!(
        states,
        [
            (&json!(DROPPED), &waiting, &json!(null)),
            (&json!(OTHER), &waiting, &json!(null)),
            (&json!("op-refused"), &dead, &json!("no such item")),
        ]
    );
    assert_eq!(records[0]["operation"], "state");
    assert_eq!(records[0]["session_id"], FIRST_SESSION);
    assert_eq!(records[0]["base_revision"], 1);
    let text = trueup(&home, &["outbox", "list"]).ok().stdout;
    assert!(text.contains(DROPPED), "{text}");
    assert!(text.contains("state currentTask=\"refused\"  no such item"), "{text}");
    assert_eq!(data(&home, &["outbox", "list"]), listed, "listing sends nothing");
    let other = data(&home, &["outbox", "list", "--session", "nobody"]);
    assert_eq!(other["records"], json!([]));
    assert_eq!(data(&home, &["outbox", "list", "--session", &FIRST_SESSION[..8]]), listed);
    let empty = trueup(&started(), &["outbox", "list"]).ok().stdout;
    assert_eq!(empty, "nothing waits\n");
}

#[test]
fn a_drain_says_how_many_writes_went_wait_and_died() {
    let home = home_with_writes();
    let drained = data(&home, &["outbox", "drain"]);
    assert_eq!(drained, json!({"sent": 2, "waiting": 0, "refused": 0}));
    assert_eq!(task(&home), "sent");
    assert_eq!(trueup(&home, &["outbox", "drain"]).ok().stdout, "0 sent, 0 waiting, 0 refused\n");
}

#[test]
fn a_drain_without_a_database_fails_and_loses_nothing() {
    let home = home_with_writes();
    let answer = home
        .prepare_run("trueup")
        .env("TRUEUP_DATABASE_URL", "sqlite:/dev/null/trueup.db")
        .args(["outbox", "drain"])
        .wait();
    assert_eq!(answer.code, Some(3), "{}", answer.stderr);
    assert_eq!(data(&home, &["outbox", "list"])["records"].as_array().unwrap().len(), 3);
}

#[test]
fn a_dropped_write_never_arrives() {
    let home = home_with_writes();
    // Nobody can be asked, and two writes begin so.
    assert_eq!(trueup(&home, &["outbox", "drop", DROPPED]).code, Some(2));
    let ambiguous = object(&home, 2, &["outbox", "drop", "6f9619ff", "--yes"]);
    assert_eq!(ambiguous["error"]["code"], "ambiguous_id");
    refused(&home, "write_not_found", &["outbox", "drop", "7", "--yes"]);
    refused(&home, "write_not_found", &["outbox", "drop", "", "--yes"]);
    refused(&home, "write_not_found", &["outbox", "drop", DROPPED, "--yes", "--session", "s2"]);
    let dropped = data(&home, &["outbox", "drop", "6f9619ff-8", "--yes"]);
    assert_eq!(dropped, json!({"dropped": [DROPPED]}));
    data(&home, &["outbox", "drop", "op-refused", "--yes"]);
    let left = data(&home, &["outbox", "list"]);
    assert_eq!(left["records"][0]["op_id"], OTHER);
    assert_eq!(left["records"].as_array().unwrap().len(), 1);
    assert_eq!(data(&home, &["outbox", "drain"])["sent"], 1);
    assert_eq!(task(&home), "sent");
}

#[test]
fn a_refused_write_is_sent_once_more() {
    let home = home_with_writes();
    // A write that waits needs no second try.
    refused(&home, "write_not_found", &["outbox", "retry", DROPPED]);
    assert_eq!(data(&home, &["outbox", "retry", "op-r"]), json!({"retried": ["op-refused"]}));
    assert_eq!(data(&home, &["outbox", "drain"])["sent"], 3);
    assert_eq!(task(&home), "refused", "it went last");
    assert_eq!(data(&home, &["outbox", "list"]), json!({"records": []}));
}

#[test]
fn nothing_is_dropped_while_another_process_sends() {
    let home = home_with_writes();
    let lock = home.trueup_home().join("outbox.lock");
    let lock = FileLock::acquire(&lock, Duration::ZERO).unwrap();
    let answer = home
        .prepare_run("trueup")
        .env("TRUEUP_DEADLINE_MS", "300")
        .args(["outbox", "drop", DROPPED, "--yes"])
        .wait();
    assert_eq!(answer.code, Some(3), "{}", answer.stderr);
    assert!(answer.stderr.contains("another process is sending"), "{}", answer.stderr);
    drop(lock);
    assert_eq!(object(&home, 0, &["outbox", "list"])["data"]["records"][0]["op_id"], DROPPED);
}
