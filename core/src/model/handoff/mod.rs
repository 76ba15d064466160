//! Hand-offs: an item passed from one session to another, with what the receiver needs to know.

mod handoff_decision;
mod handoff_elements;
mod handoff_notice;
mod received_work;

use super::{Epoch, HandoffId, HandoffType, ItemKey, Revision, SessionId, Timestamp};
use crate::model::status::UnknownStatus;

pub use handoff_decision::{
    AcceptanceFacts, HandoffRefusal, HandoffToItself, OpenHandoffState, TransferPath,
    decide_acceptance, decide_open_handoff, decide_receiver, decide_rejection,
};
pub use handoff_elements::{HandoffElement, HandoffElements};
pub use handoff_notice::{
    HandoffNoticeReason, HandoffReader, decide_handoff_notice, find_handoff_offer,
};
pub use received_work::{ReceivedWork, decide_received_work};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// The status of a hand-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffStatus {
    /// Nobody has decided yet.
    PendingAcceptance,
    /// The item went to the session that accepted.
    Accepted,
    /// The item stayed with its holder.
    Rejected,
    /// Something prevents a decision for now.
    Blocked,
}

impl HandoffStatus {
    /// Every status.
    pub const ALL: [Self; 4] =
        [Self::PendingAcceptance, Self::Accepted, Self::Rejected, Self::Blocked];

    /// Returns the stored spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingAcceptance => "pending_acceptance",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Blocked => "blocked",
        }
    }

    /// Returns whether it can still be decided.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::PendingAcceptance | Self::Blocked)
    }

    /// Returns whether a hand-off may change from this status to another. A trigger of the schema
    /// enforces the same rule.
    pub fn may_become(self, to: Self) -> bool {
        self == to || self.is_open() && to != Self::PendingAcceptance
    }
}

impl FromStr for HandoffStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| {
            UnknownStatus::new(text, "pending_acceptance, accepted, rejected, blocked")
        })
    }
}

impl fmt::Display for HandoffStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A row of `handoffs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handoff {
    /// Its id.
    pub id: HandoffId,
    /// The kind, such as `PLAN-TO-EXEC`.
    pub kind: HandoffType,
    /// The status.
    pub status: HandoffStatus,
    /// The item that is handed on.
    pub item: ItemKey,
    /// The session that hands it on.
    pub from: SessionId,
    /// The session that is to take it, or `None` when any session may.
    pub to: Option<SessionId>,
    /// The sender's repository, by name.
    pub repo: Option<String>,
    /// The sender's project directory.
    pub worktree: Option<String>,
    /// The sender's branch.
    pub branch: Option<String>,
    /// The phase of the work.
    pub phase: Option<String>,
    /// The task of the work.
    pub task: Option<String>,
    /// The epoch of the sender's claim. A hand-off made under an older epoch gives nothing.
    pub epoch: Epoch,
    /// The texts for the receiver.
    pub elements: HandoffElements,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was accepted or rejected.
    pub decided_at: Option<Timestamp>,
    /// Who accepted or rejected it.
    pub decided_by: Option<SessionId>,
    /// Why it was rejected.
    pub reject_reason: Option<String>,
    /// When it was first shown to the agent of the addressed session.
    pub shown_at: Option<Timestamp>,
    /// When the decision was shown to the sender's agent.
    pub told_at: Option<Timestamp>,
    /// The number of changes.
    pub revision: Revision,
}

impl Handoff {
    /// Returns what an event records of it.
    pub fn event_facts(&self) -> Json {
        let text = |element| self.elements.get(element);
        json!({
            "type": self.kind, "status": self.status, "item": self.item,
            "from_session": self.from, "to_session": self.to, "branch": self.branch,
            "phase": self.phase, "task": self.task,
            "summary": text(HandoffElement::Summary), "deliverables": text(HandoffElement::Deliverables),
            "decisions": text(HandoffElement::Decisions), "known_issues": text(HandoffElement::KnownIssues),
            "resources": text(HandoffElement::Resources), "actions": text(HandoffElement::Actions),
            "decided_by": self.decided_by, "reject_reason": self.reject_reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stored_spelling_reads_back_and_no_other() {
        for status in HandoffStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), serde_json::json!(status.as_str()));
        }
        let error = "done".parse::<HandoffStatus>().unwrap_err().to_string();
        assert!(error.contains("\"done\"") && error.contains("pending_acceptance"));
    }

    #[test]
    fn what_is_decided_stays_decided() {
        use HandoffStatus::{Accepted, Blocked, PendingAcceptance as Pending, Rejected};
        let legal = [
            (Pending, Accepted),
            (Pending, Rejected),
            (Pending, Blocked),
            (Blocked, Accepted),
            (Blocked, Rejected),
        ];
        for from in HandoffStatus::ALL {
            for to in HandoffStatus::ALL {
                let expected = from == to || legal.contains(&(from, to));
                assert_eq!(from.may_become(to), expected, "{from} -> {to}");
            }
        }
    }
}
