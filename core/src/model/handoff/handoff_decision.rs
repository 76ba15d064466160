//! Who may accept or reject a hand-off, and from whom the item comes.

use super::{Handoff, SessionId};
use crate::model::{Epoch, Item, Session};
use serde::{Deserialize, Serialize};

/// Why a hand-off is neither accepted nor rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffRefusal {
    /// No hand-off has this id.
    NotFound,
    /// It was accepted or rejected before.
    Decided,
    /// It is addressed to another session.
    NotAddressed,
    /// The session that made a hand-off cannot accept it.
    OwnHandoff,
    /// Its item does not exist any more.
    ItemNotFound,
    /// Its item is finished.
    ItemFinished,
    /// The sender has lost the item since, or gave it up and another session worked on it.
    StaleEpoch,
}

impl HandoffRefusal {
    /// Returns the stable word for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "handoff_not_found",
            Self::Decided => "handoff_decided",
            Self::NotAddressed => "not_addressed",
            Self::OwnHandoff => "own_handoff",
            Self::ItemNotFound => "item_not_found",
            Self::ItemFinished => "item_finished",
            Self::StaleEpoch => "stale_epoch",
        }
    }
}

/// The refusal of a hand-off that names its sender as the receiver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("session {0} cannot hand off its item to itself")]
pub struct HandoffToItself(pub SessionId);

/// Decides whether a session may hand its item off to another one.
///
/// # Errors
///
/// When both are the same session.
pub fn decide_receiver(sender: &SessionId, receiver: &SessionId) -> Result<(), HandoffToItself> {
    if sender == receiver { Err(HandoffToItself(sender.clone())) } else { Ok(()) }
}

/// From whom the item goes to the session that accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferPath {
    /// The sender still holds it under the epoch of the hand-off.
    FromSender,
    /// The sender gave it up, and nobody has held it since.
    Unheld,
    /// The accepting session holds it already.
    AlreadyHeld,
}

/// The facts that an acceptance is decided from.
#[derive(Debug, Clone, Copy)]
pub struct AcceptanceFacts<'a> {
    /// The hand-off.
    pub handoff: &'a Handoff,
    /// The session that accepts.
    pub session: &'a Session,
    /// The session that this one continues, if it is registered.
    pub predecessor: Option<&'a Session>,
    /// The item, or `None` when it does not exist.
    pub item: Option<&'a Item>,
}

/// Decides an acceptance.
///
/// # Errors
///
/// The reason why the session cannot accept.
pub fn decide_acceptance(facts: &AcceptanceFacts<'_>) -> Result<TransferPath, HandoffRefusal> {
    let handoff = facts.handoff;
    if !handoff.status.is_open() {
        return Err(HandoffRefusal::Decided);
    }
    if handoff.from == facts.session.id {
        return Err(HandoffRefusal::OwnHandoff);
    }
    if !is_addressed_to(handoff, facts.session, facts.predecessor) {
        return Err(HandoffRefusal::NotAddressed);
    }
    let item = facts.item.ok_or(HandoffRefusal::ItemNotFound)?;
    if item.status.is_finished() {
        return Err(HandoffRefusal::ItemFinished);
    }
    if item.holder.as_ref() == Some(&facts.session.id) {
        return Ok(TransferPath::AlreadyHeld);
    }
    if item.epoch != handoff.epoch {
        return Err(HandoffRefusal::StaleEpoch);
    }
    match &item.holder {
        Some(holder) if *holder == handoff.from => Ok(TransferPath::FromSender),
        None => Ok(TransferPath::Unheld),
        // Another holder under the same epoch cannot exist; if it does, it keeps the item.
        Some(_) => Err(HandoffRefusal::StaleEpoch),
    }
}

/// What becomes of an open hand-off when its item is handed on again or given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenHandoffState {
    /// It stays in force: an item has at most one open hand-off.
    InForce,
    /// The claim under which it was made is over and nobody can accept it, so a new hand-off
    /// replaces it.
    Superseded,
}

/// Decides whether an open hand-off of an item prevents another one made under the claim of this
/// epoch.
pub fn decide_open_handoff(open: &Handoff, epoch: Epoch) -> OpenHandoffState {
    if open.epoch == epoch { OpenHandoffState::InForce } else { OpenHandoffState::Superseded }
}

/// Decides a rejection, by the session it is addressed to or by the sender, which withdraws it.
///
/// # Errors
///
/// The reason why the session cannot reject.
pub fn decide_rejection(
    handoff: &Handoff,
    session: &Session,
    predecessor: Option<&Session>,
) -> Result<(), HandoffRefusal> {
    if !handoff.status.is_open() {
        return Err(HandoffRefusal::Decided);
    }
    if handoff.from == session.id || is_addressed_to(handoff, session, predecessor) {
        return Ok(());
    }
    Err(HandoffRefusal::NotAddressed)
}

fn is_addressed_to(handoff: &Handoff, session: &Session, predecessor: Option<&Session>) -> bool {
    let reads = |to: &SessionId| *to == session.id || Some(to) == replaced_session(predecessor);
    handoff.to.as_ref().is_none_or(reads)
}

/// Returns the session whose hand-offs go to the session that continues it: after `/clear` the same
/// user works under a new id. A session that still lives receives its own.
pub(super) fn replaced_session(predecessor: Option<&Session>) -> Option<&SessionId> {
    predecessor.filter(|before| !before.status.is_present()).map(|before| &before.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::{sample_handoff, sample_item, sample_session};
    use crate::model::{HandoffStatus, ItemStatus, SessionStatus};

    #[test]
    fn acceptances() {
        use HandoffRefusal as No;
        use HandoffStatus::{Accepted, Blocked, PendingAcceptance as Pending, Rejected};
        use ItemStatus::{Completed, Running};
        let (from, free) = (Some("from"), None);
        for (status, to, held, epoch, work, expected) in [
            (Pending, Some("me"), from, 3, Running, Ok(TransferPath::FromSender)),
            (Pending, None, from, 3, Running, Ok(TransferPath::FromSender)),
            (Blocked, Some("me"), from, 3, Running, Ok(TransferPath::FromSender)),
            (Pending, Some("me"), free, 3, Running, Ok(TransferPath::Unheld)),
            (Pending, Some("me"), Some("me"), 4, Running, Ok(TransferPath::AlreadyHeld)),
            // Lost and won back, lost, or free after somebody else had it.
            (Pending, Some("me"), from, 5, Running, Err(No::StaleEpoch)),
            (Pending, Some("me"), Some("x"), 4, Running, Err(No::StaleEpoch)),
            (Pending, Some("me"), Some("x"), 3, Running, Err(No::StaleEpoch)),
            (Pending, None, free, 4, Running, Err(No::StaleEpoch)),
            (Pending, Some("me"), free, 3, Completed, Err(No::ItemFinished)),
            (Pending, Some("x"), from, 3, Running, Err(No::NotAddressed)),
            (Accepted, Some("me"), from, 3, Running, Err(No::Decided)),
            (Rejected, None, from, 3, Running, Err(No::Decided)),
        ] {
            let mut item = sample_item(work, held);
            item.epoch = Epoch(epoch);
            let facts = AcceptanceFacts {
                handoff: &sample_handoff(status, to),
                session: &sample_session("me", SessionStatus::Active, 0),
                predecessor: None,
                item: Some(&item),
            };
            let case = format!("{status} to {to:?}, held by {held:?} at {epoch}");
            assert_eq!(decide_acceptance(&facts), expected, "{case}");
        }
    }

    #[test]
    fn its_sender_cannot_accept_it() {
        for to in [None, Some("me")] {
            let facts = AcceptanceFacts {
                handoff: &sample_handoff(HandoffStatus::PendingAcceptance, to),
                session: &sample_session("from", SessionStatus::Active, 0),
                predecessor: None,
                item: Some(&sample_item(ItemStatus::Running, Some("from"))),
            };
            let refusal = decide_acceptance(&facts).unwrap_err();
            assert_eq!(refusal.code(), "own_handoff", "to {to:?}");
        }
    }

    #[test]
    fn the_receiver_is_another_session() {
        let (me, you): (SessionId, SessionId) = ("me".parse().unwrap(), "you".parse().unwrap());
        assert_eq!(decide_receiver(&me, &you), Ok(()));
        let refusal = decide_receiver(&me, &me).unwrap_err();
        assert_eq!(refusal.to_string(), "session me cannot hand off its item to itself");
    }

    #[test]
    fn one_under_the_same_claim_stands() {
        let open = sample_handoff(HandoffStatus::PendingAcceptance, None);
        assert_eq!(decide_open_handoff(&open, open.epoch), OpenHandoffState::InForce);
        let later = Epoch(open.epoch.0 + 1);
        assert_eq!(decide_open_handoff(&open, later), OpenHandoffState::Superseded);
    }

    #[test]
    fn an_item_that_is_gone_is_named() {
        let facts = AcceptanceFacts {
            handoff: &sample_handoff(HandoffStatus::PendingAcceptance, None),
            session: &sample_session("me", SessionStatus::Active, 0),
            predecessor: None,
            item: None,
        };
        let refusal = decide_acceptance(&facts).unwrap_err();
        assert_eq!(refusal.code(), "item_not_found");
    }

    #[test]
    fn a_successor_reads_what_was_for_a_session_that_is_gone() {
        use SessionStatus::{Active, Ended, Idle, Lost};
        let handoff = sample_handoff(HandoffStatus::PendingAcceptance, Some("before"));
        for (status, allowed) in [(Ended, true), (Lost, true), (Active, false), (Idle, false)] {
            let (me, before) =
                (sample_session("me", Active, 0), sample_session("before", status, 0));
            let answer = decide_rejection(&handoff, &me, Some(&before));
            assert_eq!(answer.is_ok(), allowed, "{status}");
        }
    }

    #[test]
    fn rejections() {
        use HandoffStatus::{Accepted, PendingAcceptance as Pending};
        for (status, to, who, expected) in [
            (Pending, Some("me"), "me", Ok(())),
            (Pending, None, "me", Ok(())),
            (Pending, Some("x"), "from", Ok(())),
            (Pending, Some("x"), "me", Err(HandoffRefusal::NotAddressed)),
            (Accepted, Some("me"), "me", Err(HandoffRefusal::Decided)),
        ] {
            let who = sample_session(who, SessionStatus::Active, 0);
            let answer = decide_rejection(&sample_handoff(status, to), &who, None);
            assert_eq!(answer, expected, "{status} to {to:?} by {}", who.id);
        }
    }
}
