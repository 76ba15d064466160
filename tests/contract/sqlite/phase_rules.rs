//! The rules of the phase queue are in the schema: plain SQL cannot break them.

use serde_json::Value;
use trueup_core::model::ItemStatus;
use trueup_core::store::{QueueStore as _, Store as _};

use super::rules::refuses;
use crate::fixture::{File, sqlite};
use crate::request::{
    add, claim, complete, events, key, moved, phase_row, queue, register, start, statuses, step,
    step_of,
};

/// Item `A` with three phases in a row, of which the first is ready.
fn three() -> File {
    let mut file = sqlite();
    queue(&mut file.store, "A", &[&[], &[1], &[2]]);
    file
}

fn set(status: &str, number: u32) -> String {
    format!("UPDATE phase_queue SET status = '{status}' WHERE queue_id = 'A:{number}'")
}

#[test]
fn an_illegal_edge_is_refused() {
    let mut file = three();
    for (status, number) in [
        ("completed", 2),
        ("failed", 3),
        ("running", 2),
        ("ready", 2),
    ] {
        let error = file.stranger().execute_batch(&set(status, number));
        let error = error.unwrap_err().to_string();
        let known = ["no legal change of status", "once all it depends on"];
        assert!(known.iter().any(|words| error.contains(words)), "{error}");
    }
    moved(&mut file.store, &step("A:1", complete()));
    for status in ["running", "failed", "blocked", "cancelled"] {
        refuses(&file, &set(status, 1), "no legal change of status");
    }
    refuses(&file, &set("nonsense", 1), "");
}

#[test]
fn going_back_is_a_reopening_with_a_reason() {
    let mut file = three();
    moved(&mut file.store, &step("A:1", complete()));
    let refused = |more: &str| {
        let sql = format!("UPDATE phase_queue SET status = 'queued'{more} WHERE queue_id = 'A:1'");
        refuses(&file, &sql, "no legal change of status");
    };
    refused("");
    refused(", reopened = reopened + 1, last_op = 'x', last_reason = NULL");
    refused(", reopened = reopened + 1, last_op = 'x', last_reason = ''");
    refused(", reopened = reopened + 1, last_reason = 'y'");
    refused(", last_op = 'x', last_reason = 'y'");
    file.sql(
        "UPDATE phase_queue SET status = 'queued', reopened = reopened + 1, last_actor = 'me',
             last_op = 'x', last_reason = 'y' WHERE queue_id = 'A:1'",
    );
    let all = events(&mut file.store);
    let last = all.last().unwrap();
    assert_eq!(
        (last.kind.as_str(), last.reason.as_deref()),
        ("reopened", Some("y"))
    );
}

#[test]
fn a_held_item_needs_its_epoch_which_is_used_up_by_the_write() {
    let mut file = three();
    register(&mut file.store, "s1");
    claim(&mut file.store, "s1", "A");
    refuses(&file, &set("running", 1), "the item is held");
    for epoch in [0, 2] {
        let sql = format!(
            "UPDATE phase_queue SET status = 'running', under_epoch = {epoch} WHERE queue_id = 'A:1'"
        );
        refuses(&file, &sql, "the item is held");
    }
    let right = "UPDATE phase_queue SET status = 'running', under_epoch = 1 WHERE queue_id = 'A:1'";
    file.sql(right);
    refuses(&file, &set("completed", 1), "the item is held");
    file.sql("UPDATE phase_queue SET under_epoch = 1 WHERE queue_id = 'A:1'");
    refuses(&file, &set("completed", 1), "the item is held");
    // Nor can a row be born with one.
    file.sql(
        "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, status, under_epoch)
         VALUES ('A:9', 'A', 9, 'ship', 'ready', 1)",
    );
    refuses(&file, &set("running", 9), "the item is held");
}

#[test]
fn a_worker_is_registered_and_a_row_keeps_what_it_is() {
    let file = three();
    refuses(
        &file,
        "UPDATE phase_queue SET assigned_to = 'nobody'",
        "registered session",
    );
    for change in [
        "item = 'B'",
        "phase_number = 7",
        "queue_id = 'x'",
        "depends_on_phases = '[3]'",
    ] {
        let sql = format!("UPDATE phase_queue SET {change} WHERE queue_id = 'A:2'");
        refuses(&file, &sql, "never change");
    }
}

#[test]
fn what_is_added_has_to_make_sense() {
    let mut file = three();
    add(&mut file.store, "B");
    let insert = |verb: &str, values: &str| {
        format!(
            "{verb} INTO phase_queue (queue_id, item, phase_number, current_phase, status,
                 depends_on_phases) VALUES ({values})"
        )
    };
    for (values, words) in [
        (
            "'B:1', 'B', 1, 'deploy', 'ready', '[]'",
            "constraint failed",
        ),
        (
            "'B:1', 'B', 1, 'plan', 'planned', '[]'",
            "constraint failed",
        ),
        ("'B:1', 'B', 0, 'plan', 'ready', '[]'", "constraint failed"),
        ("'B:1', 'B', 1, 'plan', 'ready', 'x'", "constraint failed"),
        ("'B:1', 'B', 1, 'plan', 'ready', '{}'", "constraint failed"),
        ("'../x', 'B', 1, 'plan', 'ready', '[]'", "constraint failed"),
        ("'C:1', 'C', 1, 'plan', 'ready', '[]'", "belongs to an item"),
        ("'B:1', 'B', 1, 'plan', 'queued', '[1]'", "there already"),
        ("'B:1', 'B', 1, 'plan', 'queued', '[2]'", "there already"),
        (
            "'A:4', 'A', 4, 'ship', 'queued', '[\"1\"]'",
            "there already",
        ),
        (
            "'A:4', 'A', 4, 'ship', 'ready', '[1]'",
            "once all it depends on",
        ),
        ("'A:1', 'B', 1, 'plan', 'ready', '[]'", "exists already"),
        ("'x', 'A', 1, 'plan', 'ready', '[]'", "exists already"),
    ] {
        for verb in ["INSERT", "INSERT OR REPLACE", "REPLACE"] {
            refuses(&file, &insert(verb, values), words);
        }
    }
    assert_eq!(statuses(&mut file.store, "A"), "ready queued queued");
}

#[test]
fn unfinished_phases_and_items_with_phases_stay() {
    let mut file = three();
    let words = "stays while its item has phases to do";
    refuses(&file, "DELETE FROM phase_queue", words);
    moved(&mut file.store, &step("A:1", complete()));
    refuses(
        &file,
        "DELETE FROM phase_queue WHERE queue_id = 'A:1'",
        words,
    );
    refuses(&file, "DELETE FROM work_items", "an item with phases stays");
    for number in [2, 3] {
        moved(&mut file.store, &step(&format!("A:{number}"), complete()));
    }
    file.sql("DELETE FROM phase_queue; DELETE FROM work_items");
    assert!(file.store.item(&key("A")).unwrap().is_none());
}

#[test]
fn plain_sql_is_stamped_and_told_like_any_other_change() {
    let mut file = three();
    let added = phase_row(&mut file.store, "A:1");
    file.sql(&set("running", 1));
    let running = phase_row(&mut file.store, "A:1");
    assert_eq!(running.revision.0, added.revision.0 + 1);
    assert_eq!(running.started_at, Some(running.updated_at));
    file.sql(
        "UPDATE phase_queue SET priority = 10, phase_data = '{\"k\": 1}' WHERE queue_id = 'A:1'",
    );
    let changed = phase_row(&mut file.store, "A:1");
    assert_eq!((changed.revision.0, changed.priority), (3, 10));
    assert_eq!(changed.started_at, running.started_at);
    file.sql(&set("completed", 1));
    let done = phase_row(&mut file.store, "A:1");
    assert_eq!(
        (done.status, done.completed_at),
        (ItemStatus::Completed, Some(done.updated_at))
    );
    let all = events(&mut file.store);
    let told: Vec<_> = all
        .iter()
        .filter(|e| e.key == "A:1" && e.actor == "sql")
        .collect();
    let kinds: Vec<&str> = told.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds, ["status", "changed", "status"]);
    assert!(told.iter().all(|e| e.reason.is_none() && e.op_id.is_none()));
    assert_eq!(told[1].before["phase_data"], Value::Null);
    assert_eq!(told[1].after["phase_data"]["k"], 1);
    file.sql("UPDATE phase_queue SET priority = 10 WHERE queue_id = 'A:1'");
    assert_eq!(phase_row(&mut file.store, "A:1"), done, "nothing changed");
}

#[test]
fn what_plain_sql_left_undone_is_done_by_the_next_step() {
    let mut file = three();
    file.sql(&set("running", 1));
    file.sql(&set("completed", 1));
    assert_eq!(statuses(&mut file.store, "A"), "completed queued queued");
    let cancel = trueup_core::model::phase::PhaseStep::Cancel {
        reason: "x".to_owned(),
    };
    let done = moved(&mut file.store, &step("A:3", cancel));
    assert_eq!(done.affected.len(), 1);
    assert_eq!(statuses(&mut file.store, "A"), "completed ready cancelled");
}

#[test]
fn a_session_that_is_gone_may_still_be_named() {
    let mut file = three();
    register(&mut file.store, "s1");
    moved(&mut file.store, &step_of("s1", "A:1", start()));
    file.sql("DELETE FROM claude_sessions");
    moved(&mut file.store, &step("A:1", complete()));
    let row = phase_row(&mut file.store, "A:1");
    assert_eq!(row.assigned_to.unwrap().as_str(), "s1");
}

#[test]
fn a_row_nobody_can_read_stops_nobody_elses_sweep() {
    let mut file = three();
    queue(&mut file.store, "B", &[&[]]);
    for text in ["A:1", "B:1"] {
        moved(&mut file.store, &step(text, start()));
    }
    file.sql(
        "UPDATE phase_queue SET updated_at = '2020-01-01T00:00:00.000Z' WHERE status = 'running';
         UPDATE phase_queue SET updated_at = '19' WHERE queue_id = 'A:1'",
    );
    let found = file.store.stuck_phases(7_200, 10).unwrap();
    let ids: Vec<&str> = found.iter().map(|stuck| stuck.phase.id.as_str()).collect();
    assert_eq!(ids, ["B:1"]);
}
