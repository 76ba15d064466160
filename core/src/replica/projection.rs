//! What a waiting write makes of a replica. The database makes the same of its rows once the write
//! is delivered, unless others changed the session meanwhile.

use std::collections::BTreeMap;

use serde_json::Map;

use super::document::Replica;
use crate::model::{FieldValue, SessionStatus, StateField};
use crate::outbox::PendingChange;
use crate::store::{SessionTask, merge_patch, state_patch};

/// Applies the change of a waiting write.
pub(super) fn project_change(replica: &mut Replica, change: &PendingChange) {
    match change {
        PendingChange::State { changes, branch } => {
            set_fields(replica, changes, branch.as_deref());
        }
        PendingChange::Task { task, subject } => {
            replica.put_task(SessionTask { task: task.clone(), subject: subject.clone() });
        }
        PendingChange::TaskStarted { task } => {
            if let Some(known) = replica.find_task(task) {
                let subject = known.subject.clone();
                set_task(replica, Some(subject));
            }
        }
        PendingChange::TaskFinished { task } => {
            let finished = replica.find_task(task).map(|known| known.subject.clone());
            if finished.is_some() && finished == replica.session.execution_state().work.task {
                set_task(replica, None);
            }
        }
        PendingChange::End { .. } => {
            if replica.session.item.is_some() {
                let interrupted = (StateField::WasInterrupted, FieldValue::Flag(true));
                set_fields(replica, &BTreeMap::from([interrupted]), None);
            }
            replica.session.status = SessionStatus::Ended;
        }
        PendingChange::Resumed => {
            if !replica.session.status.is_present() {
                replica.session.status = SessionStatus::Active;
            }
        }
        PendingChange::Checkpoint { .. }
        | PendingChange::AttentionRaised { .. }
        | PendingChange::AttentionEnded { .. } => {}
    }
}

fn set_task(replica: &mut Replica, task: Option<String>) {
    let change = BTreeMap::from([(StateField::Task, FieldValue::Text(task))]);
    set_fields(replica, &change, None);
}

fn set_fields(
    replica: &mut Replica,
    changes: &BTreeMap<StateField, FieldValue>,
    branch: Option<&str>,
) {
    replica.remember_values();
    let patch = state_patch(&Map::new(), changes, branch);
    merge_patch(&mut replica.session.metadata, patch);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Timestamp;
    use crate::model::fixture::sample_session;

    fn replica() -> Replica {
        let mut session = sample_session("s", SessionStatus::Active, 0);
        session.metadata = json!({"execution_state": {"currentTask": "a", "currentPhase": "P"}})
            .as_object()
            .unwrap()
            .clone();
        Replica::of_session(session, Timestamp::from_millis(0))
    }

    fn task_of(replica: &Replica) -> Option<String> {
        replica.session.execution_state().work.task
    }

    #[test]
    fn a_write_changes_the_fields_that_it_names_and_no_other() {
        let mut replica = replica();
        let changes = BTreeMap::from([(StateField::Task, FieldValue::Text(Some("b".into())))]);
        project_change(&mut replica, &PendingChange::State { changes, branch: Some("x".into()) });
        let work = replica.session.execution_state().work;
        assert_eq!((work.task.as_deref(), work.phase.as_deref()), (Some("b"), Some("P")));
        assert_eq!(replica.session.branch(), Some("x"));
        let former = (StateField::Task, FieldValue::Text(Some("a".into())));
        assert!(replica.former_values.contains(&former));
    }

    #[test]
    fn a_task_is_current_from_its_start_to_its_end() {
        let mut replica = replica();
        let task = |id: &str| id.to_owned();
        let write = PendingChange::TaskStarted { task: task("1") };
        project_change(&mut replica, &write);
        assert_eq!(task_of(&replica).as_deref(), Some("a"), "nobody knows its subject");
        let named = PendingChange::Task { task: task("1"), subject: task("one") };
        project_change(&mut replica, &named);
        project_change(&mut replica, &write);
        assert_eq!(task_of(&replica).as_deref(), Some("one"));
        project_change(&mut replica, &PendingChange::TaskFinished { task: task("2") });
        assert_eq!(task_of(&replica).as_deref(), Some("one"), "another task ended");
        project_change(&mut replica, &PendingChange::TaskFinished { task: task("1") });
        assert_eq!(task_of(&replica), None);
    }

    #[test]
    fn an_end_interrupts_what_is_held() {
        let mut replica = replica();
        replica.session.item = Some("A-1".parse().unwrap());
        project_change(&mut replica, &PendingChange::End { reason: "other".into() });
        assert_eq!(replica.session.status, SessionStatus::Ended);
        assert!(replica.session.execution_state().work.was_interrupted);
        project_change(&mut replica, &PendingChange::Resumed);
        assert_eq!(replica.session.status, SessionStatus::Active);
    }
}
