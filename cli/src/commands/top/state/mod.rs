//! What the screen shows, and how keys and readings change it. No IO.

mod detail;
mod keys;
mod lists;

use std::collections::VecDeque;

use trueup_core::model::{Event, Timestamp};
use trueup_core::overview::Overview;

use super::messages::{HistorySubject, Reading};

pub(super) use detail::Detail;
pub(super) use lists::{Lists, Pane, WorkLine};

/// Most events that the feed keeps.
const MAX_FEED_EVENTS: usize = 500;

/// What a key leads to beyond another picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    None,
    /// The command ends.
    Quit,
    /// A text goes to the clipboard of the terminal.
    Copy(String),
    /// The events of a thing are asked for.
    LoadHistory(HistorySubject),
}

/// What the keys do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mode {
    /// Move through the rows.
    Browse,
    /// Edit the filter.
    EditFilter,
    /// Look at one row.
    Detail(Detail),
    /// Read what the keys do.
    Help,
}

/// What the screen shows.
#[derive(Debug)]
pub(super) struct ScreenState {
    pub(super) overview: Overview,
    /// The newest events, oldest first.
    pub(super) feed: VecDeque<Event>,
    /// The database's clock, as far as it is known.
    pub(super) now: Timestamp,
    pub(super) mode: Mode,
    pub(super) filter: String,
    pub(super) pane: Pane,
    pub(super) lists: Lists,
    /// What the last key did, until the next one.
    pub(super) notice: Option<String>,
    /// Why the database cannot be read.
    pub(super) failure: Option<String>,
    /// How many rows the pane in front shows, for moving by pages.
    pub(super) page_rows: usize,
}

impl ScreenState {
    pub(super) fn new(overview: Overview) -> Self {
        let mut state = Self {
            now: overview.as_of,
            overview,
            feed: VecDeque::new(),
            mode: Mode::Browse,
            filter: String::new(),
            pane: Pane::Needs,
            lists: Lists::default(),
            notice: None,
            failure: None,
            page_rows: 10,
        };
        // Where nobody is needed, the work is what there is to look at.
        if state.overview.needs_me.is_empty() {
            state.pane = Pane::Work;
        }
        state.refresh_lists();
        state
    }

    /// Takes over a reading.
    pub(super) fn take_reading(&mut self, reading: Reading) {
        self.now = self.now.max(reading.overview.as_of);
        self.overview = reading.overview;
        self.feed.extend(reading.events);
        let excess = self.feed.len().saturating_sub(MAX_FEED_EVENTS);
        self.feed.drain(..excess);
        self.failure = None;
        self.refresh_lists();
    }

    /// Takes over the events of what the detail is about.
    pub(super) fn take_history(&mut self, subject: &HistorySubject, events: Vec<Event>) {
        if let Mode::Detail(detail) = &mut self.mode
            && detail.subject.as_ref() == Some(subject)
        {
            detail.events = Some(events);
        }
    }

    /// Finds out anew which rows there are.
    fn refresh_lists(&mut self) {
        self.lists.refresh(&self.overview, &self.feed, &self.filter);
    }
}
