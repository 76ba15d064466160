//! What the screen shows, and how readings change it.

use std::collections::VecDeque;

use trueup_core::model::{Event, Timestamp};
use trueup_core::overview::Overview;

use super::super::messages::{HistorySubject, Reading};
use super::detail::Detail;
use super::lists::{Lists, Pane, WorkLine};

/// Most events that the feed keeps.
const MAX_FEED_EVENTS: usize = 500;

/// What a key leads to beyond another picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
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
pub(crate) enum Mode {
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
pub(crate) struct ScreenState {
    pub(crate) overview: Overview,
    /// The newest events, oldest first.
    pub(crate) feed: VecDeque<Event>,
    /// The database's clock, as far as it is known.
    pub(crate) now: Timestamp,
    pub(crate) mode: Mode,
    pub(crate) filter: String,
    pub(crate) pane: Pane,
    pub(crate) lists: Lists,
    /// What the last key did, until the next one.
    pub(crate) notice: Option<String>,
    /// Why the database cannot be read.
    pub(crate) failure: Option<String>,
    /// How many rows the pane in front shows, for moving by pages.
    pub(crate) page_rows: usize,
}

impl ScreenState {
    pub(crate) fn new(overview: Overview) -> Self {
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
    pub(crate) fn take_reading(&mut self, reading: Reading) {
        self.now = self.now.max(reading.overview.as_of);
        self.overview = reading.overview;
        self.feed.extend(reading.events);
        let excess = self.feed.len().saturating_sub(MAX_FEED_EVENTS);
        self.feed.drain(..excess);
        self.failure = None;
        self.refresh_lists();
    }

    /// Takes over the events of what the detail is about.
    pub(crate) fn take_history(&mut self, subject: &HistorySubject, events: Vec<Event>) {
        if let Mode::Detail(detail) = &mut self.mode
            && detail.subject.as_ref() == Some(subject)
        {
            detail.events = Some(events);
        }
    }

    /// Makes the detail of the selected row.
    pub(super) fn make_detail(&self) -> Option<Detail> {
        let selected = self.lists.selected(self.pane)?;
        match self.pane {
            Pane::Needs => {
                let place = *self.lists.needs.get(selected)?;
                self.overview.needs_me.get(place).map(Detail::of_need)
            }
            Pane::Work => match self.lists.work.get(selected)? {
                WorkLine::Heading(..) => None,
                WorkLine::Item(place) => self.overview.work.get(*place).map(Detail::of_work),
            },
            Pane::Feed => {
                let place = *self.lists.feed.get(selected)?;
                self.feed.get(place).map(Detail::of_event)
            }
        }
    }

    /// Finds out anew which rows there are.
    pub(super) fn refresh_lists(&mut self) {
        self.lists.refresh(&self.overview, &self.feed, &self.filter);
    }
}
