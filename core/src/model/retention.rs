//! What may be removed once it is old, and what never: the rule alone.
//!
//! Nothing may grow without bound, and nothing may go that somebody still needs: what is held,
//! parked with its work undone, waiting in a local file, or pointed at by what stays.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ItemStatus, SessionId, SessionStatus, Timestamp};

/// How long what ended is kept unless it is said otherwise, in days.
pub const DEFAULT_RETENTION_DAYS: u64 = 90;

/// The shortest time that anything is kept, in seconds: the schema refuses to let go of
/// younger events.
pub const MIN_RETENTION_SECONDS: u64 = 24 * 3_600;

/// What ties a session to something that is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SessionTie {
    /// It holds an item.
    Holder,
    /// It was the last to hold an item that is unfinished and free: whoever takes that up is
    /// told what this session did.
    InterruptedWork,
    /// An unfinished phase or task is its.
    Task,
    /// A hand-off that is open names it.
    Handoff,
    /// A live run of a plan is its.
    Run,
    /// It has ports.
    Ports,
}

/// A session that ended, with all that matters for whether it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedSession {
    /// The session.
    pub id: SessionId,
    /// How it ended.
    pub status: SessionStatus,
    /// Its last sign of life.
    pub heartbeat_at: Timestamp,
    /// Its machine, where its files are.
    pub host: Option<String>,
    /// Its project directory.
    pub worktree: Option<String>,
    /// How many tasks its list has.
    pub tasks: u64,
    /// What it is tied to.
    pub ties: BTreeSet<SessionTie>,
    /// The sessions that go on where it stopped.
    pub successors: BTreeSet<SessionId>,
}

/// Why a session stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeepReason {
    /// It did not end.
    Present,
    /// It ended not long enough ago.
    TooRecent,
    /// Something is not done.
    Tied(SessionTie),
    /// A session that stays goes on where it stopped.
    Predecessor,
    /// The local journal or outbox names it.
    NamedLocally,
}

/// What sessions are measured by.
#[derive(Debug, Clone)]
pub struct RetentionRules {
    /// Only what is older may go.
    pub before: Timestamp,
    /// Sessions that local files name.
    pub named: BTreeSet<SessionId>,
}

impl RetentionRules {
    /// Tells why a session stays, if it does. `gone` are those that go with it.
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
        self.named
            .contains(&session.id)
            .then_some(KeepReason::NamedLocally)
    }

    /// Tells whether an event may go. `gone` are the sessions that go before it.
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

/// What an event is about, as that stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventSubject {
    /// An item, or a phase of one.
    Item {
        /// Where the item stands.
        status: ItemStatus,
        /// Whether somebody holds it.
        held: bool,
    },
    /// A session that is still there.
    Session(SessionId),
    /// Something else that still stands: an open hand-off, a live run, reserved ports.
    StillOpen,
    /// What is no more, or was never anything but an event.
    Gone,
}

/// An event with all that matters for whether it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunableEvent {
    /// The event.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// What it is about.
    pub subject: EventSubject,
}

/// What was removed from the database since this was last noted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PruneCounts {
    /// Sessions.
    pub sessions: u64,
    /// Tasks of their lists.
    pub tasks: u64,
    /// Events.
    pub events: u64,
}

impl PruneCounts {
    /// Adds another.
    #[must_use]
    pub const fn plus(self, more: Self) -> Self {
        Self {
            sessions: self.sessions + more.sessions,
            tasks: self.tasks + more.tasks,
            events: self.events + more.events,
        }
    }

    /// Returns what the note of it shows.
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
        RetentionRules {
            before: seconds_from_now(0),
            named: BTreeSet::new(),
        }
    }

    #[test]
    fn a_session_goes_when_it_is_old_and_nothing_needs_it() {
        let none = BTreeSet::new();
        for status in [SessionStatus::Ended, SessionStatus::Lost] {
            let old = EndedSession {
                status,
                ..remains()
            };
            assert_eq!(retention().keep_reason(&old, &none), None, "{status}");
        }
    }

    #[test]
    fn a_session_stays_that_anything_needs() {
        let next: BTreeSet<SessionId> = ["next".parse().unwrap()].into();
        let mut cases = vec![
            (
                EndedSession {
                    status: SessionStatus::Idle,
                    ..remains()
                },
                KeepReason::Present,
            ),
            (
                EndedSession {
                    status: SessionStatus::Active,
                    ..remains()
                },
                KeepReason::Present,
            ),
            (
                EndedSession {
                    heartbeat_at: seconds_from_now(0),
                    ..remains()
                },
                KeepReason::TooRecent,
            ),
            (
                EndedSession {
                    successors: next,
                    ..remains()
                },
                KeepReason::Predecessor,
            ),
        ];
        for tie in [
            SessionTie::Holder,
            SessionTie::InterruptedWork,
            SessionTie::Task,
            SessionTie::Handoff,
            SessionTie::Run,
            SessionTie::Ports,
        ] {
            let tied = EndedSession {
                ties: [tie].into(),
                ..remains()
            };
            cases.push((tied, KeepReason::Tied(tie)));
        }
        for (session, expected) in cases {
            let kept = retention().keep_reason(&session, &BTreeSet::new());
            assert_eq!(kept, Some(expected), "{session:?}");
        }
        let named = RetentionRules {
            named: ["s".parse().unwrap()].into(),
            ..retention()
        };
        let kept = named.keep_reason(&remains(), &BTreeSet::new());
        assert_eq!(kept, Some(KeepReason::NamedLocally));
    }

    #[test]
    fn a_predecessor_goes_with_the_last_of_its_successors() {
        let ids = |names: &[&str]| -> BTreeSet<SessionId> {
            names.iter().map(|name| name.parse().unwrap()).collect()
        };
        let session = EndedSession {
            successors: ids(&["a", "b"]),
            ..remains()
        };
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
                let event = PrunableEvent {
                    seq: 1,
                    at: seconds_from_now(age),
                    subject: subject.clone(),
                };
                let lets = retention().may_remove_event(&event, &gone);
                assert_eq!(lets, goes && old, "{event:?}");
            }
        }
    }
}
