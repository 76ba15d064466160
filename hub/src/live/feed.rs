//! Where the pump leaves events, and clients find them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::live_event::{LiveEvent, Selection};
use super::recent_events::{Found, RecentEvents};

/// How far the events reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The cursor behind the newest event.
    pub(super) newest: i64,
    /// How often the database began anew: it was replaced by an older one.
    pub(super) restarts: u64,
}

/// The newest events, shared by the pump and all clients.
#[derive(Debug)]
pub(super) struct Feed {
    recent: Mutex<RecentEvents>,
    head: watch::Sender<Head>,
}

impl Feed {
    /// Begins with the newest events of the database.
    pub(super) fn new(recent: RecentEvents) -> Self {
        let head = Head { newest: recent.newest(), restarts: 0 };
        Self { recent: Mutex::new(recent), head: watch::Sender::new(head) }
    }

    /// Changes when there is something new.
    pub(super) fn watch_head(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// How far the events reach now.
    pub(super) fn head(&self) -> Head {
        *self.head.borrow()
    }

    /// Adds the events that follow.
    pub(super) fn extend(&self, events: Vec<LiveEvent>) {
        let mut recent = self.lock();
        recent.extend(events);
        let newest = recent.newest();
        drop(recent);
        self.head.send_modify(|head| head.newest = newest);
    }

    /// Begins anew in a database whose events do not follow those before.
    pub(super) fn restart(&self, recent: RecentEvents) {
        let newest = recent.newest();
        *self.lock() = recent;
        self.head.send_modify(|head| *head = Head { newest, restarts: head.restarts + 1 });
    }

    /// Finds the next message for a client at a cursor.
    pub(super) fn find_after(&self, cursor: i64, selection: &Selection) -> Found {
        self.lock().find_after(cursor, selection)
    }

    fn lock(&self) -> MutexGuard<'_, RecentEvents> {
        // Each change of what is kept is whole.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
