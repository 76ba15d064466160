//! What the receiver of a hand-off goes on with.

use super::Handoff;
use crate::model::{ExecutionState, Item, Session};
use serde::{Deserialize, Serialize};

/// The phase and the task that a session goes on with when it accepts a hand-off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedWork {
    /// The phase.
    pub phase: Option<String>,
    /// The task, in words.
    pub task: Option<String>,
}

impl ReceivedWork {
    /// Takes phase and task of a state.
    pub fn of_state(state: ExecutionState) -> Self {
        Self { phase: state.work.phase, task: state.work.task }
    }

    /// Takes phase and task of a session.
    pub fn of_session(session: &Session) -> Self {
        Self::of_state(session.execution_state())
    }

    /// Lists what is no longer as it was when the hand-off was made: name, value then, value now.
    pub fn differences<'a>(
        &'a self,
        handoff: &'a Handoff,
    ) -> Vec<(&'static str, Option<&'a str>, Option<&'a str>)> {
        let both = [
            ("phase", handoff.phase.as_deref(), self.phase.as_deref()),
            ("task", handoff.task.as_deref(), self.task.as_deref()),
        ];
        both.into_iter().filter(|(_, then, now)| then != now).collect()
    }
}

/// Decides what the receiver goes on with. A hand-off holds phase and task of the moment it was
/// made. What changed since then is newer: the phase of the item, and what the sender went on to
/// do on it.
pub fn decide_received_work(
    handoff: &Handoff,
    item: Option<&Item>,
    sender: Option<&Session>,
) -> ReceivedWork {
    let sender_state = sender.map(Session::execution_state);
    let is_on_item =
        |state: &ExecutionState| state.work.item.as_deref() == Some(handoff.item.as_str());
    let work = match sender_state.filter(is_on_item) {
        Some(state) => ReceivedWork::of_state(state),
        None => ReceivedWork { phase: handoff.phase.clone(), task: handoff.task.clone() },
    };
    let phase = item.and_then(|item| item.phase.clone()).or(work.phase);
    ReceivedWork { phase, ..work }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::fixture::{sample_handoff, sample_item, sample_session};
    use crate::model::{HandoffStatus, ItemStatus, SessionStatus};

    #[test]
    fn what_is_newer_than_the_hand_off_wins() {
        let mut handoff = sample_handoff(HandoffStatus::PendingAcceptance, None);
        handoff.phase = Some("PLAN".to_owned());
        handoff.task = Some("draft".to_owned());
        let key = handoff.item.as_str();
        for (item_phase, sender_state, expected) in [
            (None, None, (Some("PLAN"), Some("draft"))),
            (Some("EXEC"), None, (Some("EXEC"), Some("draft"))),
            (None, Some(json!({"currentSd": "OTHER"})), (Some("PLAN"), Some("draft"))),
            (
                Some("EXEC"),
                Some(json!({"currentSd": key, "currentPhase": "EXEC", "currentTask": "check"})),
                (Some("EXEC"), Some("check")),
            ),
            (Some("PLAN"), Some(json!({"currentSd": key})), (Some("PLAN"), None)),
            (None, Some(json!({"currentSd": key, "currentPhase": "X"})), (Some("X"), None)),
        ] {
            let mut item = sample_item(ItemStatus::Running, Some("from"));
            item.phase = item_phase.map(str::to_owned);
            let sender = sender_state.clone().map(|state| {
                let mut sender = sample_session("from", SessionStatus::Active, 0);
                sender.metadata.insert("execution_state".to_owned(), state);
                sender
            });
            let work = decide_received_work(&handoff, Some(&item), sender.as_ref());
            let case = format!("item in {item_phase:?}, sender {sender_state:?}");
            assert_eq!((work.phase.as_deref(), work.task.as_deref()), expected, "{case}");
        }
    }

    #[test]
    fn only_what_differs_is_listed() {
        let mut handoff = sample_handoff(HandoffStatus::PendingAcceptance, None);
        handoff.phase = Some("PLAN".to_owned());
        handoff.task = None;
        let work = ReceivedWork { phase: Some("EXEC".to_owned()), task: None };
        assert_eq!(work.differences(&handoff), [("phase", Some("PLAN"), Some("EXEC"))]);
    }
}
