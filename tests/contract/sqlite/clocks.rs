//! Rows that a wrong clock dated in the future.

use trueup_core::model::{Field, Value};
use trueup_core::store::{PlanStore as _, QueueStore as _, Store as _};

use crate::fixture::{File, sqlite};
use crate::request::{by, id, moved, phase_row, queue, register, start, step_of};

const STUCK: u64 = 7_200;

fn date(file: &mut File, table: &str, column: &str, modifier: &str) {
    let connection = file.stranger();
    let sql = format!("UPDATE {table} SET {column} = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?1)");
    assert_ne!(connection.execute(&sql, [modifier]).unwrap(), 0);
}

#[test]
fn a_phase_dated_ahead_is_stuck_unless_something_else_lives() {
    let mut file = sqlite();
    queue(&mut file.store, "A", &[&[], &[1]]);
    register(&mut file.store, "s1");
    moved(&mut file.store, &step_of("s1", "A:1", start()));
    date(&mut file, "phase_queue", "updated_at", "+1 year");
    let stuck = |file: &mut File, seconds| file.store.stuck_phases(seconds, 10).unwrap();
    assert_eq!(stuck(&mut file, STUCK), [], "its session lives");
    for beat in ["+1 year", "-1 day"] {
        date(&mut file, "claude_sessions", "heartbeat_at", beat);
        let found = stuck(&mut file, STUCK);
        assert_eq!(found.len(), 1, "{beat}");
        assert!(found[0].silence_seconds() >= STUCK, "{beat}");
    }
    assert_eq!(
        stuck(&mut file, u64::MAX),
        [],
        "by a clock that is not trusted"
    );
    date(&mut file, "phase_queue", "updated_at", "+10 seconds");
    assert_eq!(stuck(&mut file, STUCK), [], "clocks are a little apart");
    date(&mut file, "phase_queue", "updated_at", "+1 year");
    let found = stuck(&mut file, STUCK);
    let failed = file
        .store
        .fail_stuck_phase(&found[0], "stuck", &by("sweep"));
    assert!(failed.unwrap().is_some());
    assert_eq!(phase_row(&mut file.store, "A:1").status.as_str(), "failed");
}

#[test]
fn a_task_of_a_plan_dated_ahead_is_stuck_unless_something_else_lives() {
    let mut file = sqlite();
    let connection = file.stranger();
    register(&mut file.store, "s1");
    connection
        .execute_batch(
            "INSERT INTO plans (plan_id, path) VALUES ('P', '/p.md');
             INSERT INTO plan_tasks (plan_id, id, title, position, status, session)
             VALUES ('P', 't', 'title', 1, 'in_progress', 's1');",
        )
        .unwrap();
    date(&mut file, "plan_tasks", "updated_at", "+1 year");
    let fail = |file: &mut File, seconds| {
        let failed = file.store.fail_stuck_plan_tasks(seconds, &by("sweep"));
        failed.unwrap().len()
    };
    assert_eq!(fail(&mut file, STUCK), 0, "its session lives");
    date(&mut file, "claude_sessions", "heartbeat_at", "+1 year");
    date(&mut file, "claude_sessions", "silent_until", "+1 year");
    assert_eq!(
        fail(&mut file, u64::MAX),
        0,
        "by a clock that is not trusted"
    );
    assert_eq!(fail(&mut file, STUCK), 1);
}

#[test]
fn what_a_state_once_said_is_known() {
    let mut file = sqlite();
    register(&mut file.store, "s1");
    let text = |text: &str| Value::Text(Some(text.to_owned()));
    let connection = file.stranger();
    for task in ["one", "two"] {
        let sql = "UPDATE claude_sessions
             SET metadata = json_set(metadata, '$.execution_state.currentTask', ?1)";
        connection.execute(sql, [task]).unwrap();
    }
    for (field, value, expected) in [
        (Field::Task, text("one"), true),
        (Field::Task, text("two"), true),
        (Field::Task, text("three"), false),
        (Field::Phase, text("one"), false),
        (Field::Task, Value::Text(None), true),
    ] {
        let had = file.store.had_value(&id("s1"), field, &value).unwrap();
        assert_eq!(had, expected, "{field:?} {value:?}");
        assert!(!file.store.had_value(&id("s2"), field, &value).unwrap());
    }
}
