//! Decides what old data may be removed.
//!
//! The database must not grow without bound, but nothing may go that somebody still needs: what is
//! held, interrupted work, what a local file names, and what remaining rows refer to.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ItemStatus, SessionId, SessionStatus, Timestamp};

/// How long ended sessions and their events are kept by default, in days.
pub const DEFAULT_RETENTION_DAYS: u64 = 90;

/// The shortest retention, in seconds. The schema refuses to delete younger events.
pub const MIN_RETENTION_SECONDS: u64 = 24 * 3_600;

/// What connects a session with something unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionTie {
    /// It holds an item.
    Holder,
    /// It was the last to hold an unfinished item that is free now, and the next holder is told
    /// what this session did.
    InterruptedWork,
    /// It has an unfinished phase or task.
    Task,
    /// An open hand-off names it.
    Handoff,
    /// It has a live run of a plan.
    Run,
    /// It has reserved ports.
    Ports,
}

/// An ended session, with all that decides whether it may be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedSession {
    /// Its id.
    pub id: SessionId,
    /// Its status.
    pub status: SessionStatus,
    /// Its last sign of life.
    pub heartbeat_at: Timestamp,
    /// Its machine, on which its files are.
    pub host: Option<String>,
    /// Its project directory.
    pub worktree: Option<String>,
    /// How many tasks its list has.
    pub tasks: u64,
    /// Its ties to unfinished things.
    pub ties: BTreeSet<SessionTie>,
    /// The sessions that continue it.
    pub successors: BTreeSet<SessionId>,
}

/// Why a session is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeepReason {
    /// It has not ended.
    Present,
    /// It ended too recently.
    TooRecent,
    /// It is tied to something unfinished.
    Tied(SessionTie),
    /// A session that is kept continues it.
    Predecessor,
    /// The local journal or outbox names it.
    NamedLocally,
}

/// What sessions and events are measured by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RetentionRules {
    /// Only what is older may be removed.
    pub before: Timestamp,
    /// Sessions that local files name.
    pub named: BTreeSet<SessionId>,
}

impl RetentionRules {
    /// Returns why a session is kept, or `None` when it may be removed together with
    /// `removed_sessions`.
    pub fn keep_reason(
        &self,
        session: &EndedSession,
        removed_sessions: &BTreeSet<SessionId>,
    ) -> Option<KeepReason> {
        if session.status.is_present() {
            return Some(KeepReason::Present);
        }
        if session.heartbeat_at >= self.before {
            return Some(KeepReason::TooRecent);
        }
        if let Some(tie) = session.ties.first() {
            return Some(KeepReason::Tied(*tie));
        }
        if !session.successors.is_subset(removed_sessions) {
            return Some(KeepReason::Predecessor);
        }
        self.named.contains(&session.id).then_some(KeepReason::NamedLocally)
    }

    /// Returns whether an event may be removed after `removed_sessions`.
    pub fn may_remove_event(
        &self,
        event: &PrunableEvent,
        removed_sessions: &BTreeSet<SessionId>,
    ) -> bool {
        let done = match &event.subject {
            EventSubject::Item { status, held } => status.is_finished() && !held,
            EventSubject::Session(id) => removed_sessions.contains(id),
            EventSubject::StillOpen => false,
            EventSubject::Gone => true,
        };
        done && event.at < self.before
    }
}

/// What an event is about, as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventSubject {
    /// An item or one of its phases.
    Item {
        /// The status of the item.
        status: ItemStatus,
        /// Whether the item has a holder.
        held: bool,
    },
    /// A session that still exists.
    Session(SessionId),
    /// Something else that is still open: a hand-off, a live run, reserved ports.
    StillOpen,
    /// Something that does not exist any more.
    Gone,
}

/// An event, with all that decides whether it may be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrunableEvent {
    /// Its number.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// What it is about.
    pub subject: EventSubject,
}

/// What was removed from the database since the last note about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PruneCounts {
    /// Sessions.
    pub sessions: u64,
    /// Tasks of removed sessions.
    pub tasks: u64,
    /// Events.
    pub events: u64,
}

impl PruneCounts {
    /// Adds two counts.
    #[must_use]
    pub const fn plus(self, more: Self) -> Self {
        Self {
            sessions: self.sessions + more.sessions,
            tasks: self.tasks + more.tasks,
            events: self.events + more.events,
        }
    }

    /// Returns what the note about the removal records.
    pub fn event_facts(self) -> Value {
        json!({"sessions": self.sessions, "tasks": self.tasks, "events": self.events})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::seconds_from_now;

    fn remains() -> EndedSession {
        EndedSession {
            id: "s".parse().unwrap(),
            status: SessionStatus::Ended,
            heartbeat_at: seconds_from_now(-1),
            host: None,
            worktree: None,
            tasks: 0,
            ties: BTreeSet::new(),
            successors: BTreeSet::new(),
        }
    }

    fn retention() -> RetentionRules {
        RetentionRules { before: seconds_from_now(0), named: BTreeSet::new() }
    }

    #[test]
    fn a_session_goes_when_it_is_old_and_nothing_needs_it() {
        let no_names = BTreeSet::new();
        for status in [SessionStatus::Ended, SessionStatus::Lost] {
            let old = EndedSession { status, ..remains() };
            assert_eq!(retention().keep_reason(&old, &no_names), None, "{status}");
        }
    }

    #[test]
    fn a_session_stays_that_anything_needs() {
        let next: BTreeSet<SessionId> = ["next".parse().unwrap()].into();
        let mut cases = vec![
            (EndedSession { status: SessionStatus::Idle, ..remains() }, KeepReason::Present),
            (EndedSession { status: SessionStatus::Active, ..remains() }, KeepReason::Present),
            (
                EndedSession { heartbeat_at: seconds_from_now(0), ..remains() },
                KeepReason::TooRecent,
            ),
            (EndedSession { successors: next, ..remains() }, KeepReason::Predecessor),
        ];
        for tie in [
            SessionTie::Holder,
            SessionTie::InterruptedWork,
            SessionTie::Task,
            SessionTie::Handoff,
            SessionTie::Run,
            SessionTie::Ports,
        ] {
            let tied = EndedSession { ties: [tie].into(), ..remains() };
            cases.push((tied, KeepReason::Tied(tie)));
        }
        for (session, expected) in cases {
            let reason = retention().keep_reason(&session, &BTreeSet::new());
            assert_eq!(reason, Some(expected), "{session:?}");
        }
        let named = RetentionRules { named: ["s".parse().unwrap()].into(), ..retention() };
        let reason = named.keep_reason(&remains(), &BTreeSet::new());
        assert_eq!(reason, Some(KeepReason::NamedLocally));
    }

    #[test]
    fn a_predecessor_goes_with_the_last_of_its_successors() {
        let ids = |names: &[&str]| -> BTreeSet<SessionId> {
            names.iter().map(|name| name.parse().unwrap()).collect()
        };
        let session = EndedSession { successors: ids(&["a", "b"]), ..remains() };
        let keeps = |gone: &[&str]| retention().keep_reason(&session, &ids(gone));
        assert_eq!(keeps(&["a"]), Some(KeepReason::Predecessor));
        assert_eq!(keeps(&["a", "b", "c"]), None);
    }

    #[test]
    fn an_event_goes_when_it_is_old_and_its_subject_done() {
        let item = |status, held| EventSubject::Item { status, held };
        let session = |name: &str| EventSubject::Session(name.parse().unwrap());
        let gone = BTreeSet::from(["gone".parse().unwrap()]);
        for (subject, goes) in [
            (item(ItemStatus::Completed, false), true),
            (item(ItemStatus::Failed, false), true),
            (item(ItemStatus::Cancelled, false), true),
            (item(ItemStatus::Completed, true), false),
            (item(ItemStatus::Queued, false), false),
            (item(ItemStatus::Ready, false), false),
            (item(ItemStatus::Running, true), false),
            (item(ItemStatus::Blocked, false), false),
            (session("kept"), false),
            (session("gone"), true),
            (EventSubject::StillOpen, false),
            (EventSubject::Gone, true),
        ] {
            for (age, old) in [(-1, true), (0, false), (1, false)] {
                let event =
                    PrunableEvent { seq: 1, at: seconds_from_now(age), subject: subject.clone() };
                let lets = retention().may_remove_event(&event, &gone);
                assert_eq!(lets, goes && old, "{event:?}");
            }
        }
    }
}
