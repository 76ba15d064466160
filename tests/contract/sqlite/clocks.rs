//! Rows that a wrong clock dated in the future.

use trueup_core::model::{FieldValue, StateField};
use trueup_core::store::{HookStore as _, StuckWorkStore as _};

use crate::fixture::{DatabaseFile, new_sqlite};
use crate::requests::{
    add_queue, apply_step, first_phase_of, new_provenance, register_session, session_id,
    session_step_request, start_step,
};

const STUCK_SECONDS: u64 = 7_200;

fn shift_column(file: &mut DatabaseFile, table: &str, column: &str, modifier: &str) {
    let connection = file.open_foreign_connection();
    let sql = format!("UPDATE {table} SET {column} = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?1)");
    assert_ne!(connection.execute(&sql, [modifier]).unwrap(), 0);
}

#[test]
fn a_phase_dated_ahead_is_stuck_unless_something_else_lives() {
    let mut file = new_sqlite();
    add_queue(&mut file.store, "A", &[&[], &[1]]);
    register_session(&mut file.store, "s1");
    apply_step(&mut file.store, &session_step_request("s1", "A:1", start_step()));
    shift_column(&mut file, "phase_queue", "updated_at", "+1 year");
    let stuck =
        |file: &mut DatabaseFile, seconds| file.store.list_stuck_phases(seconds, 10).unwrap();
    assert_eq!(stuck(&mut file, STUCK_SECONDS), [], "its session lives");
    for beat in ["+1 year", "-1 day"] {
        shift_column(&mut file, "claude_sessions", "heartbeat_at", beat);
        let found = stuck(&mut file, STUCK_SECONDS);
        assert_eq!(found.len(), 1, "{beat}");
        assert!(found[0].silence_seconds() >= STUCK_SECONDS, "{beat}");
    }
    assert_eq!(stuck(&mut file, u64::MAX), [], "by a clock that is not trusted");
    shift_column(&mut file, "phase_queue", "updated_at", "+10 seconds");
    assert_eq!(stuck(&mut file, STUCK_SECONDS), [], "clocks are a little apart");
    shift_column(&mut file, "phase_queue", "updated_at", "+1 year");
    let found = stuck(&mut file, STUCK_SECONDS);
    let failed_phase = file.store.fail_stuck_phase(&found[0], "stuck", &new_provenance("sweep"));
    assert!(failed_phase.unwrap().is_some());
    assert_eq!(first_phase_of(&mut file.store, "A:1").status.as_str(), "failed");
}

#[test]
fn a_task_of_a_plan_dated_ahead_is_stuck_unless_something_else_lives() {
    let mut file = new_sqlite();
    let connection = file.open_foreign_connection();
    register_session(&mut file.store, "s1");
    connection
        .execute_batch(
            "INSERT INTO plans (plan_id, path) VALUES ('P', '/p.md');
             INSERT INTO plan_tasks (plan_id, id, title, position, status, session)
             VALUES ('P', 't', 'title', 1, 'in_progress', 's1');",
        )
        .unwrap();
    shift_column(&mut file, "plan_tasks", "updated_at", "+1 year");
    let fail = |file: &mut DatabaseFile, seconds| {
        let failed_tasks = file.store.fail_stuck_plan_tasks(seconds, &new_provenance("sweep"));
        failed_tasks.unwrap().len()
    };
    assert_eq!(fail(&mut file, STUCK_SECONDS), 0, "its session lives");
    shift_column(&mut file, "claude_sessions", "heartbeat_at", "+1 year");
    shift_column(&mut file, "claude_sessions", "silent_until", "+1 year");
    assert_eq!(fail(&mut file, u64::MAX), 0, "by a clock that is not trusted");
    assert_eq!(fail(&mut file, STUCK_SECONDS), 1);
}

#[test]
fn what_a_state_once_said_is_known() {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    let text = |text: &str| FieldValue::Text(Some(text.to_owned()));
    let connection = file.open_foreign_connection();
    for task in ["one", "two"] {
        let sql = "UPDATE claude_sessions
             SET metadata = json_set(metadata, '$.execution_state.currentTask', ?1)";
        connection.execute(sql, [task]).unwrap();
    }
    for (field, value, expected) in [
        (StateField::Task, text("one"), true),
        (StateField::Task, text("two"), true),
        (StateField::Task, text("three"), false),
        (StateField::Phase, text("one"), false),
        (StateField::Task, FieldValue::Text(None), true),
    ] {
        let had = file.store.had_state_value(&session_id("s1"), field, &value).unwrap();
        assert_eq!(had, expected, "{field:?} {value:?}");
        assert!(!file.store.had_state_value(&session_id("s2"), field, &value).unwrap());
    }
}
