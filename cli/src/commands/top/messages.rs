//! What reaches the screen, from whichever thread.

use crossterm::event::KeyEvent;
use trueup_core::model::{Event, EventFilter};
use trueup_core::overview::Overview;

/// Something that happened.
#[derive(Debug)]
pub(super) enum Message {
    /// A key was pressed.
    Key(KeyEvent),
    /// The terminal has another size.
    Resized,
    /// The terminal is gone.
    TerminalClosed,
    /// A signal asks this process to end.
    Signal(i32),
    /// The database was read.
    Reading(Box<Reading>),
    /// The events of a thing were read.
    History(HistorySubject, Vec<Event>),
    /// The database cannot be read.
    Failure(String),
}

/// A reading of the database.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) overview: Overview,
    /// The events since the reading before, oldest first.
    pub(super) events: Vec<Event>,
}

/// Whose events are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HistorySubject {
    Item(String),
    Session(String),
}

/// Most events of a history.
const MAX_HISTORY_EVENTS: u32 = 200;

impl HistorySubject {
    /// Returns which events those are: the newest ones.
    pub(super) fn filter(&self) -> EventFilter {
        let all = EventFilter { limit: MAX_HISTORY_EVENTS, ..EventFilter::default() };
        match self {
            Self::Item(key) => EventFilter { item: Some(key.clone()), ..all },
            Self::Session(id) => EventFilter { session: Some(id.clone()), ..all },
        }
    }
}
