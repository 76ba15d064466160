//! The schema's rules for the phase queue: plain SQL cannot break them.

use serde_json::Value;
use trueup_core::model::ItemStatus;
use trueup_core::store::{HookStore as _, StuckWorkStore as _};

use super::claim_rules::assert_refuses;
use crate::fixture::{DatabaseFile, new_sqlite};
use crate::requests::{
    add_item, add_queue, apply_step, claim_item, complete_step, first_phase_of, item_key,
    list_events, phase_statuses, register_session, session_step_request, start_step, step_request,
};

/// Item `A` with three phases in a row, of which the first is ready.
fn file_with_three_phases() -> DatabaseFile {
    let mut file = new_sqlite();
    add_queue(&mut file.store, "A", &[&[], &[1], &[2]]);
    file
}

fn set_status_sql(status: &str, number: u32) -> String {
    format!("UPDATE phase_queue SET status = '{status}' WHERE queue_id = 'A:{number}'")
}

#[test]
fn an_illegal_edge_is_refused() {
    let mut file = file_with_three_phases();
    for (status, number) in [("completed", 2), ("failed", 3), ("running", 2), ("ready", 2)] {
        let error = file.open_foreign_connection().execute_batch(&set_status_sql(status, number));
        let error = error.unwrap_err().to_string();
        let known = ["no legal change of status", "once all it depends on"];
        assert!(known.iter().any(|words| error.contains(words)), "{error}");
    }
    apply_step(&mut file.store, &step_request("A:1", complete_step()));
    for status in ["running", "failed", "blocked", "cancelled"] {
        assert_refuses(&file, &set_status_sql(status, 1), "no legal change of status");
    }
    assert_refuses(&file, &set_status_sql("nonsense", 1), "");
}

#[test]
fn going_back_is_a_reopening_with_a_reason() {
    let mut file = file_with_three_phases();
    apply_step(&mut file.store, &step_request("A:1", complete_step()));
    let refused = |more: &str| {
        let sql = format!("UPDATE phase_queue SET status = 'queued'{more} WHERE queue_id = 'A:1'");
        assert_refuses(&file, &sql, "no legal change of status");
    };
    refused("");
    refused(", reopened = reopened + 1, last_op = 'x', last_reason = NULL");
    refused(", reopened = reopened + 1, last_op = 'x', last_reason = ''");
    refused(", reopened = reopened + 1, last_reason = 'y'");
    refused(", last_op = 'x', last_reason = 'y'");
    file.execute_sql(
        "UPDATE phase_queue SET status = 'queued', reopened = reopened + 1, last_actor = 'me',
             last_op = 'x', last_reason = 'y' WHERE queue_id = 'A:1'",
    );
    let all = list_events(&mut file.store);
    let last = all.last().unwrap();
    assert_eq!((last.kind.as_str(), last.reason.as_deref()), ("reopened", Some("y")));
}

#[test]
fn a_held_item_needs_its_epoch_which_is_used_up_by_the_write() {
    let mut file = file_with_three_phases();
    register_session(&mut file.store, "s1");
    claim_item(&mut file.store, "s1", "A");
    assert_refuses(&file, &set_status_sql("running", 1), "the item is held");
    for epoch in [0, 2] {
        let sql = format!(
            "UPDATE phase_queue SET status = 'running', under_epoch = {epoch} WHERE queue_id = 'A:1'"
        );
        assert_refuses(&file, &sql, "the item is held");
    }
    let right = "UPDATE phase_queue SET status = 'running', under_epoch = 1 WHERE queue_id = 'A:1'";
    file.execute_sql(right);
    assert_refuses(&file, &set_status_sql("completed", 1), "the item is held");
    file.execute_sql("UPDATE phase_queue SET under_epoch = 1 WHERE queue_id = 'A:1'");
    assert_refuses(&file, &set_status_sql("completed", 1), "the item is held");
    // Nor can a row be inserted with one.
    file.execute_sql(
        "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, status, under_epoch)
         VALUES ('A:9', 'A', 9, 'ship', 'ready', 1)",
    );
    assert_refuses(&file, &set_status_sql("running", 9), "the item is held");
}

#[test]
fn a_worker_is_registered_and_a_row_keeps_what_it_is() {
    let file = file_with_three_phases();
    assert_refuses(&file, "UPDATE phase_queue SET assigned_to = 'nobody'", "registered session");
    for change in ["item = 'B'", "phase_number = 7", "queue_id = 'x'", "depends_on_phases = '[3]'"]
    {
        let sql = format!("UPDATE phase_queue SET {change} WHERE queue_id = 'A:2'");
        assert_refuses(&file, &sql, "never change");
    }
}

#[test]
fn what_is_added_has_to_make_sense() {
    let mut file = file_with_three_phases();
    add_item(&mut file.store, "B");
    let insert = |verb: &str, values: &str| {
        format!(
            "{verb} INTO phase_queue (queue_id, item, phase_number, current_phase, status,
                 depends_on_phases) VALUES ({values})"
        )
    };
    for (values, words) in [
        ("'B:1', 'B', 1, 'Deploy', 'ready', '[]'", "constraint failed"),
        ("'B:1', 'B', 1, 'plan', 'planned', '[]'", "constraint failed"),
        ("'B:1', 'B', 0, 'plan', 'ready', '[]'", "constraint failed"),
        ("'B:1', 'B', 1, 'plan', 'ready', 'x'", "constraint failed"),
        ("'B:1', 'B', 1, 'plan', 'ready', '{}'", "constraint failed"),
        ("'../x', 'B', 1, 'plan', 'ready', '[]'", "constraint failed"),
        ("'C:1', 'C', 1, 'plan', 'ready', '[]'", "belongs to an item"),
        ("'B:1', 'B', 1, 'plan', 'queued', '[1]'", "there already"),
        ("'B:1', 'B', 1, 'plan', 'queued', '[2]'", "there already"),
        ("'A:4', 'A', 4, 'ship', 'queued', '[\"1\"]'", "there already"),
        ("'A:4', 'A', 4, 'ship', 'ready', '[1]'", "once all it depends on"),
        ("'A:1', 'B', 1, 'plan', 'ready', '[]'", "exists already"),
        ("'x', 'A', 1, 'plan', 'ready', '[]'", "exists already"),
    ] {
        for verb in ["INSERT", "INSERT OR REPLACE", "REPLACE"] {
            assert_refuses(&file, &insert(verb, values), words);
        }
    }
    assert_eq!(phase_statuses(&mut file.store, "A"), "ready queued queued");
}

#[test]
fn unfinished_phases_and_items_with_phases_stay() {
    let mut file = file_with_three_phases();
    let words = "stays while its item has phases to do";
    assert_refuses(&file, "DELETE FROM phase_queue", words);
    apply_step(&mut file.store, &step_request("A:1", complete_step()));
    assert_refuses(&file, "DELETE FROM phase_queue WHERE queue_id = 'A:1'", words);
    assert_refuses(&file, "DELETE FROM work_items", "an item with phases stays");
    for number in [2, 3] {
        apply_step(&mut file.store, &step_request(&format!("A:{number}"), complete_step()));
    }
    file.execute_sql("DELETE FROM phase_queue; DELETE FROM work_items");
    assert!(file.store.load_item(&item_key("A")).unwrap().is_none());
}

#[test]
fn plain_sql_is_stamped_and_reported_like_any_other_change() {
    let mut file = file_with_three_phases();
    let added_phase = first_phase_of(&mut file.store, "A:1");
    file.execute_sql(&set_status_sql("running", 1));
    let running = first_phase_of(&mut file.store, "A:1");
    assert_eq!(running.revision.0, added_phase.revision.0 + 1);
    assert_eq!(running.started_at, Some(running.updated_at));
    file.execute_sql(
        "UPDATE phase_queue SET priority = 10, phase_data = '{\"k\": 1}' WHERE queue_id = 'A:1'",
    );
    let changed = first_phase_of(&mut file.store, "A:1");
    assert_eq!((changed.revision.0, changed.priority), (3, 10));
    assert_eq!(changed.started_at, running.started_at);
    file.execute_sql(&set_status_sql("completed", 1));
    let phase = first_phase_of(&mut file.store, "A:1");
    assert_eq!((phase.status, phase.completed_at), (ItemStatus::Completed, Some(phase.updated_at)));
    let all = list_events(&mut file.store);
    let events_of_row: Vec<_> = all.iter().filter(|e| e.key == "A:1" && e.actor == "sql").collect();
    let kinds: Vec<&str> = events_of_row.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds, ["status", "changed", "status"]);
    assert!(events_of_row.iter().all(|e| e.reason.is_none() && e.op_id.is_none()));
    assert_eq!(events_of_row[1].before["phase_data"], Value::Null);
    assert_eq!(events_of_row[1].after["phase_data"]["k"], 1);
    file.execute_sql("UPDATE phase_queue SET priority = 10 WHERE queue_id = 'A:1'");
    assert_eq!(first_phase_of(&mut file.store, "A:1"), phase, "nothing changed");
}

#[test]
fn what_plain_sql_left_undone_is_done_by_the_next_step() {
    let mut file = file_with_three_phases();
    file.execute_sql(&set_status_sql("running", 1));
    file.execute_sql(&set_status_sql("completed", 1));
    assert_eq!(phase_statuses(&mut file.store, "A"), "completed queued queued");
    let cancel = trueup_core::model::phase::PhaseStep::Cancel { reason: "x".to_owned() };
    let phase = apply_step(&mut file.store, &step_request("A:3", cancel));
    assert_eq!(phase.affected.len(), 1);
    assert_eq!(phase_statuses(&mut file.store, "A"), "completed ready cancelled");
}

#[test]
fn a_session_that_is_gone_may_still_be_named() {
    let mut file = file_with_three_phases();
    register_session(&mut file.store, "s1");
    apply_step(&mut file.store, &session_step_request("s1", "A:1", start_step()));
    file.execute_sql("DELETE FROM claude_sessions");
    apply_step(&mut file.store, &step_request("A:1", complete_step()));
    let row = first_phase_of(&mut file.store, "A:1");
    assert_eq!(row.assigned_to.unwrap().as_str(), "s1");
}

#[test]
fn a_row_nobody_can_read_stops_nobody_elses_sweep() {
    let mut file = file_with_three_phases();
    add_queue(&mut file.store, "B", &[&[]]);
    for text in ["A:1", "B:1"] {
        apply_step(&mut file.store, &step_request(text, start_step()));
    }
    file.execute_sql(
        "UPDATE phase_queue SET updated_at = '2020-01-01T00:00:00.000Z' WHERE status = 'running';
         UPDATE phase_queue SET updated_at = '19' WHERE queue_id = 'A:1'",
    );
    let found = file.store.list_stuck_phases(7_200, 10).unwrap();
    let ids: Vec<&str> = found.iter().map(|stuck| stuck.phase.id.as_str()).collect();
    assert_eq!(ids, ["B:1"]);
}
