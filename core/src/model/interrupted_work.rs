//! What a session was doing when it lost its item.

use super::{Item, Session, SessionId, Timestamp};

/// Work on an item that its last holder neither finished nor gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterruptedWork {
    /// The session that did it.
    pub session: SessionId,
    /// Its phase.
    pub phase: Option<String>,
    /// Its task.
    pub task: Option<String>,
    /// Its last sign of life while it held the item. The item may have been freed much later.
    pub lost_at: Timestamp,
}

impl InterruptedWork {
    /// Finds such work. A session that gives an item up clears it from its state, so a last holder
    /// that still names it there lost it, at `held_until`.
    pub fn find(item: &Item, last_holder: &Session, held_until: Timestamp) -> Option<Self> {
        let work = last_holder.execution_state().work;
        let same = item.holder.as_ref() == Some(&last_holder.id);
        if same || work.item.as_deref() != Some(item.key.as_str()) {
            return None;
        }
        let lost_at = last_holder.heartbeat_at.min(held_until);
        Some(Self { session: last_holder.id.clone(), phase: work.phase, task: work.task, lost_at })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::fixture::{sample_item, sample_session, seconds_from_now};
    use crate::model::{ItemStatus, SessionStatus};

    fn find_work(state: serde_json::Value) -> Option<InterruptedWork> {
        find_work_held_until(state, seconds_from_now(-5))
    }

    fn find_work_held_until(
        state: serde_json::Value,
        held_until: Timestamp,
    ) -> Option<InterruptedWork> {
        let mut last = sample_session("old", SessionStatus::Lost, 2_000);
        last.metadata.insert("execution_state".to_owned(), state);
        InterruptedWork::find(&sample_item(ItemStatus::Running, Some("new")), &last, held_until)
    }

    #[test]
    fn work_is_parked_where_the_state_still_names_the_item() {
        let found = find_work(json!({"currentSd": "SD-002C", "currentPhase": "EXEC"})).unwrap();
        assert_eq!(
            (found.session.as_str(), found.phase.as_deref(), found.lost_at),
            ("old", Some("EXEC"), seconds_from_now(-2_000)),
            "the last sign of life, and not when the item was freed"
        );
        // Its session lived on after it had lost the item.
        let state = json!({"currentSd": "SD-002C"});
        let found = find_work_held_until(state, seconds_from_now(-9_000)).unwrap();
        assert_eq!(found.lost_at, seconds_from_now(-9_000));
        assert_eq!(find_work(json!({"currentSd": "SD-002B"})), None);
        assert_eq!(find_work(json!({"currentSd": null})), None);
    }

    #[test]
    fn ones_own_work_goes_on_by_itself() {
        let mut me = sample_session("new", SessionStatus::Active, 0);
        let state = json!({"currentSd": "SD-002C", "currentTask": "x"});
        me.metadata.insert("execution_state".to_owned(), state);
        let mine = sample_item(ItemStatus::Running, Some("new"));
        assert_eq!(InterruptedWork::find(&mine, &me, seconds_from_now(0)), None);
    }
}
