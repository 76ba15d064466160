//! What may be removed once it is old, and what never: the rule alone.
//!
//! Nothing may grow without bound, and nothing may go that somebody still needs: what is held,
//! parked with its work undone, waiting in a local file, or pointed at by what stays.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ItemStatus, SessionId, SessionStatus, Timestamp};

/// How long what ended is kept unless it is said otherwise, in days.
pub const RETENTION_DAYS: u64 = 90;

/// The shortest time that anything is kept, in seconds: the schema refuses to let go of
/// younger events.
pub const SHORTEST_RETENTION: u64 = 24 * 3_600;

/// What ties a session to something that is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tie {
    /// It holds an item.
    Holder,
    /// It was the last to hold an item that is unfinished and free: whoever takes that up is
    /// told what this session did.
    Parked,
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
pub struct SessionRemains {
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
    pub ties: BTreeSet<Tie>,
    /// The sessions that go on where it stopped.
    pub successors: BTreeSet<SessionId>,
}

/// Why a session stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// It did not end.
    Present,
    /// It ended not long enough ago.
    Young,
    /// Something is not done.
    Tied(Tie),
    /// A session that stays goes on where it stopped.
    Predecessor,
    /// The local journal or outbox names it.
    NamedLocally,
}

/// What sessions are measured by.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Only what is older may go.
    pub before: Timestamp,
    /// Sessions that local files name.
    pub named: BTreeSet<SessionId>,
}

impl Retention {
    /// Tells why a session stays, if it does. `gone` are those that go with it.
    pub fn keeps(&self, session: &SessionRemains, gone: &BTreeSet<SessionId>) -> Option<Kept> {
        if session.status.is_present() {
            return Some(Kept::Present);
        }
        if session.heartbeat_at >= self.before {
            return Some(Kept::Young);
        }
        if let Some(tie) = session.ties.first() {
            return Some(Kept::Tied(*tie));
        }
        if !session.successors.is_subset(gone) {
            return Some(Kept::Predecessor);
        }
        self.named
            .contains(&session.id)
            .then_some(Kept::NamedLocally)
    }

    /// Tells whether an event may go. `gone` are the sessions that go before it.
    pub fn lets_go(&self, event: &EventRemains, gone: &BTreeSet<SessionId>) -> bool {
        let done = match &event.subject {
            Subject::Item { status, held } => status.is_finished() && !held,
            Subject::Session(id) => gone.contains(id),
            Subject::Standing => false,
            Subject::Gone => true,
        };
        done && event.at < self.before
    }
}

/// What an event is about, as that stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
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
    Standing,
    /// What is no more, or was never anything but an event.
    Gone,
}

/// An event with all that matters for whether it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRemains {
    /// The event.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// What it is about.
    pub subject: Subject,
}

/// What was removed from the database since this was last noted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PruneTally {
    /// Sessions.
    pub sessions: u64,
    /// Tasks of their lists.
    pub tasks: u64,
    /// Events.
    pub events: u64,
}

impl PruneTally {
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
    pub fn facts(self) -> Value {
        json!({"sessions": self.sessions, "tasks": self.tasks, "events": self.events})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::at;

    fn remains() -> SessionRemains {
        SessionRemains {
            id: "s".parse().unwrap(),
            status: SessionStatus::Ended,
            heartbeat_at: at(-1),
            host: None,
            worktree: None,
            tasks: 0,
            ties: BTreeSet::new(),
            successors: BTreeSet::new(),
        }
    }

    fn retention() -> Retention {
        Retention {
            before: at(0),
            named: BTreeSet::new(),
        }
    }

    #[test]
    fn a_session_goes_when_it_is_old_and_nothing_needs_it() {
        let none = BTreeSet::new();
        for status in [SessionStatus::Ended, SessionStatus::Lost] {
            let old = SessionRemains {
                status,
                ..remains()
            };
            assert_eq!(retention().keeps(&old, &none), None, "{status}");
        }
    }

    #[test]
    fn a_session_stays_that_anything_needs() {
        let next: BTreeSet<SessionId> = ["next".parse().unwrap()].into();
        let mut cases = vec![
            (
                SessionRemains {
                    status: SessionStatus::Idle,
                    ..remains()
                },
                Kept::Present,
            ),
            (
                SessionRemains {
                    status: SessionStatus::Active,
                    ..remains()
                },
                Kept::Present,
            ),
            (
                SessionRemains {
                    heartbeat_at: at(0),
                    ..remains()
                },
                Kept::Young,
            ),
            (
                SessionRemains {
                    successors: next,
                    ..remains()
                },
                Kept::Predecessor,
            ),
        ];
        for tie in [
            Tie::Holder,
            Tie::Parked,
            Tie::Task,
            Tie::Handoff,
            Tie::Run,
            Tie::Ports,
        ] {
            let tied = SessionRemains {
                ties: [tie].into(),
                ..remains()
            };
            cases.push((tied, Kept::Tied(tie)));
        }
        for (session, expected) in cases {
            let kept = retention().keeps(&session, &BTreeSet::new());
            assert_eq!(kept, Some(expected), "{session:?}");
        }
        let named = Retention {
            named: ["s".parse().unwrap()].into(),
            ..retention()
        };
        let kept = named.keeps(&remains(), &BTreeSet::new());
        assert_eq!(kept, Some(Kept::NamedLocally));
    }

    #[test]
    fn a_predecessor_goes_with_the_last_of_its_successors() {
        let ids = |names: &[&str]| -> BTreeSet<SessionId> {
            names.iter().map(|name| name.parse().unwrap()).collect()
        };
        let session = SessionRemains {
            successors: ids(&["a", "b"]),
            ..remains()
        };
        let keeps = |gone: &[&str]| retention().keeps(&session, &ids(gone));
        assert_eq!(keeps(&["a"]), Some(Kept::Predecessor));
        assert_eq!(keeps(&["a", "b", "c"]), None);
    }

    #[test]
    fn an_event_goes_when_it_is_old_and_its_subject_done() {
        let item = |status, held| Subject::Item { status, held };
        let session = |name: &str| Subject::Session(name.parse().unwrap());
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
            (Subject::Standing, false),
            (Subject::Gone, true),
        ] {
            for (age, old) in [(-1, true), (0, false), (1, false)] {
                let event = EventRemains {
                    seq: 1,
                    at: at(age),
                    subject: subject.clone(),
                };
                let lets = retention().lets_go(&event, &gone);
                assert_eq!(lets, goes && old, "{event:?}");
            }
        }
    }
}
