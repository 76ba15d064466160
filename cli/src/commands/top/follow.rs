//! Reading the database whenever it changes, on a thread of its own.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use trueup_core::deadline::Deadline;
use trueup_core::model::EventFilter;
use trueup_core::overview::{OverviewSite, build_overview, read_overview};
use trueup_core::settings::{Environment, Settings};
use trueup_core::store::{ChangeMark, CommandStore, Result as StoreResult};

use super::messages::{HistorySubject, Message, Reading};
use crate::command_error::CommandResult;
use crate::store_location::StoreLocation;

/// The shortest pause between two readings.
const MIN_PAUSE: Duration = Duration::from_millis(250);

/// A reading is followed by a pause so many times as long as it took. Its share of a processor stays
/// below two percent, however large the database.
const PAUSE_FACTOR: u32 = 60;

/// The longest pause: a person should not look at what is older.
const MAX_PAUSE: Duration = Duration::from_secs(4);

/// After this time everything is read again: whether a session lives changes without a write.
const MAX_AGE: Duration = Duration::from_secs(5);

/// How long one wait for a change takes, during which nothing else is answered.
const WAIT_PATIENCE: Duration = Duration::from_millis(250);

/// The pause after a failure.
const FAILURE_PAUSE: Duration = Duration::from_secs(2);

/// Most events that one reading brings.
const MAX_EVENTS: u32 = 200;

/// What is followed.
pub(super) struct Source {
    pub(super) settings: Settings,
    pub(super) environment: Environment,
    pub(super) site: OverviewSite,
    /// How long one reading may take.
    pub(super) patience: Duration,
}

/// Follows the database until nobody listens any more.
pub(super) fn follow_database(
    source: &Source,
    news: &Sender<Message>,
    requests: &Receiver<HistorySubject>,
) {
    let mut follower = Follower { source, news, requests, cursor: 0 };
    loop {
        let error = match follower.open_and_read() {
            Ok(Ended) => return,
            Err(error) => error,
        };
        if news.send(Message::Failure(error.message)).is_err() {
            return;
        }
        thread::sleep(FAILURE_PAUSE);
    }
}

/// Nobody listens any more.
struct Ended;

struct Follower<'s> {
    source: &'s Source,
    news: &'s Sender<Message>,
    requests: &'s Receiver<HistorySubject>,
    /// The number of the newest event that was told.
    cursor: i64,
}

impl Follower<'_> {
    /// Opens the database, and reads it until nobody listens or it cannot be read.
    fn open_and_read(&mut self) -> CommandResult<Ended> {
        let Source { settings, environment, patience, .. } = self.source;
        let location = StoreLocation::from_settings(settings, environment)?;
        let store = &mut *location.open_until_exit(Deadline::after(*patience))?;
        loop {
            store.set_deadline(Deadline::after(*patience));
            let began = Instant::now();
            // Taken before reading, so that no write in between is missed.
            let mark = store.change_mark()?;
            let reading = self.read(store)?;
            let pause = began.elapsed().saturating_mul(PAUSE_FACTOR).clamp(MIN_PAUSE, MAX_PAUSE);
            let is_told = self.news.send(Message::Reading(Box::new(reading))).is_ok();
            if !is_told || self.pause(store, pause)?.is_some() {
                return Ok(Ended);
            }
            if self.wait_for_change(store, mark, began)?.is_some() {
                return Ok(Ended);
            }
        }
    }

    fn read(&mut self, store: &mut dyn CommandStore) -> StoreResult<Reading> {
        let newer = EventFilter { after: self.cursor, limit: MAX_EVENTS, ..EventFilter::default() };
        let events = store.list_events(&newer)?;
        self.cursor = events.last().map_or(self.cursor, |event| event.seq);
        let readings = read_overview(store, &self.source.site)?;
        Ok(Reading { overview: build_overview(&readings), events })
    }

    /// Reads histories that are asked for, for so long.
    fn pause(&self, store: &mut dyn CommandStore, pause: Duration) -> StoreResult<Option<Ended>> {
        let end = Instant::now() + pause;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.requests.recv_timeout(left) {
                Ok(subject) => {
                    let events = store.list_events(&subject.filter())?;
                    if self.news.send(Message::History(subject, events)).is_err() {
                        return Ok(Some(Ended));
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => return Ok(Some(Ended)),
            }
        }
    }

    /// Waits until somebody has written, or what was read is too old.
    fn wait_for_change(
        &self,
        store: &mut dyn CommandStore,
        mark: ChangeMark,
        began: Instant,
    ) -> StoreResult<Option<Ended>> {
        while began.elapsed() < MAX_AGE {
            store.set_deadline(Deadline::after(self.source.patience));
            if store.wait_for_change(mark, WAIT_PATIENCE)?.is_some() {
                return Ok(None);
            }
            if let Some(ended) = self.pause(store, Duration::ZERO)? {
                return Ok(Some(ended));
            }
        }
        Ok(None)
    }
}
