//! Which hand-offs are shown to the agent of a session, and when.

use serde::{Deserialize, Serialize};

use super::handoff_decision::replaced_session;
use super::{Handoff, HandoffStatus};
use crate::model::{Item, Session, SessionId};

/// Why a hand-off is reported, most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffNoticeReason {
    /// It is addressed to this session.
    Addressed,
    /// This session made it, and it was decided.
    Answered,
    /// It is open to any session of the same repository.
    Offered,
}

/// The session that hand-offs may be shown to.
#[derive(Debug, Clone, Copy)]
pub struct HandoffReader<'a> {
    /// The session.
    pub session: &'a Session,
    /// The session that this one continues, if it is registered.
    pub predecessor: Option<&'a Session>,
    /// Whether the session starts, so that its agent knows nothing of what was reported before.
    pub at_session_start: bool,
}

/// Decides whether a hand-off is shown to a session, and why.
///
/// A hand-off that can no longer be accepted, because its item is finished or has changed hands, is
/// not reported.
pub fn decide_handoff_notice(
    handoff: &Handoff,
    item: Option<&Item>,
    reader: &HandoffReader<'_>,
) -> Option<HandoffNoticeReason> {
    if !handoff.status.is_open() {
        let by_another = handoff.decided_by.as_ref() != Some(&handoff.from);
        let news = handoff.told_at.is_none() && by_another && reader.is(&handoff.from);
        return news.then_some(HandoffNoticeReason::Answered);
    }
    find_handoff_offer(handoff, item, reader).filter(|reason| match reason {
        HandoffNoticeReason::Addressed => reader.at_session_start || handoff.shown_at.is_none(),
        _ => reader.at_session_start,
    })
}

/// Finds out whether a session may take what an open hand-off offers, and why: it is for this
/// session, or for anybody and comes from another one in the same repository.
pub fn find_handoff_offer(
    handoff: &Handoff,
    item: Option<&Item>,
    reader: &HandoffReader<'_>,
) -> Option<HandoffNoticeReason> {
    if !handoff.status.is_open() {
        return None;
    }
    item.filter(|item| item.epoch == handoff.epoch && !item.status.is_finished())?;
    match &handoff.to {
        Some(to) => reader.is(to).then_some(HandoffNoticeReason::Addressed),
        None => (handoff.repo == reader.session.repo && !reader.is(&handoff.from))
            .then_some(HandoffNoticeReason::Offered),
    }
}

impl HandoffReader<'_> {
    /// Returns whether an id is that of the session, or of the one that it replaced.
    fn is(&self, id: &SessionId) -> bool {
        *id == self.session.id || Some(id) == replaced_session(self.predecessor)
    }
}

impl Handoff {
    /// Returns whether reporting it has to be recorded, so that it is not reported again and again.
    pub const fn is_unread(&self) -> bool {
        match self.status {
            HandoffStatus::PendingAcceptance | HandoffStatus::Blocked => {
                self.shown_at.is_none() && self.to.is_some()
            }
            HandoffStatus::Accepted | HandoffStatus::Rejected => self.told_at.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::{sample_handoff, sample_item, sample_session, seconds_from_now};
    use crate::model::{Epoch, ItemStatus, SessionStatus};

    /// What `me` is told of a hand-off by `from` of an item that it holds.
    fn notice_reason(handoff: &Handoff, starts: bool) -> Option<HandoffNoticeReason> {
        let mut me = sample_session("me", SessionStatus::Active, 0);
        me.repo = Some("app".to_owned());
        let reader = HandoffReader { session: &me, predecessor: None, at_session_start: starts };
        decide_handoff_notice(
            handoff,
            Some(&sample_item(ItemStatus::Running, Some("from"))),
            &reader,
        )
    }

    #[test]
    fn what_is_for_the_session_is_shown_at_every_start_and_once_at_a_prompt() {
        use HandoffStatus::{Blocked, PendingAcceptance as Pending};
        for status in [Pending, Blocked] {
            let mut one = sample_handoff(status, Some("me"));
            assert_eq!(notice_reason(&one, true), Some(HandoffNoticeReason::Addressed));
            assert_eq!(notice_reason(&one, false), Some(HandoffNoticeReason::Addressed));
            assert!(one.is_unread());
            one.shown_at = Some(seconds_from_now(0));
            assert_eq!(notice_reason(&one, true), Some(HandoffNoticeReason::Addressed));
            assert_eq!(notice_reason(&one, false), None);
            assert!(!one.is_unread());
        }
        assert_eq!(notice_reason(&sample_handoff(Pending, Some("x")), true), None);
    }

    #[test]
    fn what_is_for_anybody_is_shown_at_starts_in_the_same_repository() {
        let mut one = sample_handoff(HandoffStatus::PendingAcceptance, None);
        assert_eq!(notice_reason(&one, true), Some(HandoffNoticeReason::Offered));
        assert_eq!(notice_reason(&one, false), None);
        assert!(!one.is_unread());
        one.repo = Some("other".to_owned());
        assert_eq!(notice_reason(&one, true), None);
        one.repo = Some("app".to_owned());
        one.from = "me".parse().unwrap();
        assert_eq!(notice_reason(&one, true), None, "the sender knows");
    }

    #[test]
    fn a_decision_is_shown_to_the_sender_once() {
        for status in [HandoffStatus::Accepted, HandoffStatus::Rejected] {
            let mut one = sample_handoff(status, Some("x"));
            one.decided_by = Some("x".parse().unwrap());
            assert_eq!(notice_reason(&one, true), None, "it is not the sender");
            one.from = "me".parse().unwrap();
            for starts in [true, false] {
                assert_eq!(notice_reason(&one, starts), Some(HandoffNoticeReason::Answered));
            }
            one.decided_by = Some("me".parse().unwrap());
            assert_eq!(notice_reason(&one, false), None, "the session withdrew it itself");
            one.decided_by = None;
            one.told_at = Some(seconds_from_now(0));
            assert_eq!(notice_reason(&one, true), None);
        }
    }

    #[test]
    fn what_can_no_longer_be_accepted_is_no_news() {
        let one = sample_handoff(HandoffStatus::PendingAcceptance, Some("me"));
        let me = sample_session("me", SessionStatus::Active, 0);
        let reader = HandoffReader { session: &me, predecessor: None, at_session_start: true };
        let mut moved = sample_item(ItemStatus::Running, Some("x"));
        moved.epoch = Epoch(4);
        let finished = sample_item(ItemStatus::Completed, None);
        for item in [None, Some(&moved), Some(&finished)] {
            assert_eq!(decide_handoff_notice(&one, item, &reader), None);
        }
    }

    #[test]
    fn a_successor_is_told_what_was_for_a_session_that_ended() {
        let one = sample_handoff(HandoffStatus::PendingAcceptance, Some("before"));
        let me = sample_session("me", SessionStatus::Active, 0);
        let item = sample_item(ItemStatus::Running, Some("from"));
        for (status, expected) in [
            (SessionStatus::Ended, Some(HandoffNoticeReason::Addressed)),
            (SessionStatus::Active, None),
        ] {
            let before = sample_session("before", status, 0);
            let reader =
                HandoffReader { session: &me, predecessor: Some(&before), at_session_start: true };
            assert_eq!(decide_handoff_notice(&one, Some(&item), &reader), expected, "{status}");
        }
    }
}
