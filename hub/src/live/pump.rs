//! The one reader of new events for all clients, on a thread with a connection of its own.
//!
//! The cursor is the truth: whatever wakes the pump, it reads what is behind its cursor, and goes on
//! there after the database was away.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use trueup_core::deadline::Deadline;
use trueup_core::model::{Event, EventFilter};
use trueup_core::store::{CommandStore, Result as StoreResult};

use super::change_watch::ChangeWatch;
use super::feed::Feed;
use super::live_event::{LiveEvent, Selection};
use super::recent_events::RecentEvents;
use crate::database::{Database, OPERATION_PATIENCE};
use crate::event_cursor::load_newest_seq;
use crate::metrics::Metrics;

/// Most events of one read.
const PAGE_EVENTS: u32 = 200;

/// Events that are read at the start, so that the clients of a hub that was restarted find what they
/// missed.
const FIRST_EVENTS: u32 = 1_000;

/// The pause after a database could not be read.
const OUTAGE_PAUSE: Duration = Duration::from_millis(250);

/// How often a database that has nothing new is asked whether it is still the same.
const RESTART_CHECK: Duration = Duration::from_secs(2);

/// Reads what clients find first.
///
/// # Errors
///
/// When the database cannot be read.
pub(super) fn load_recent(store: &mut dyn CommandStore) -> StoreResult<RecentEvents> {
    let filter = EventFilter { limit: FIRST_EVENTS, ..EventFilter::default() };
    let events = store.list_events(&filter)?;
    // What is before the first one may have been more than was asked for.
    let mut recent = RecentEvents::new(events.first().map_or(0, |first| first.seq - 1));
    recent.extend(render_all(&events));
    Ok(recent)
}

/// Reads new events until the hub is stopped.
pub(super) struct Pump {
    pub(super) database: Database,
    pub(super) feed: Arc<Feed>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) shutdown: watch::Receiver<bool>,
}

impl Pump {
    /// Runs on the present thread.
    pub(super) fn run(&self) {
        while !self.is_stopped() {
            // Clients are told nothing: nothing is lost to them, and what is new comes later.
            if self.database.open().and_then(|mut store| self.read_new_events(&mut *store)).is_err()
            {
                thread::sleep(OUTAGE_PAUSE);
            }
        }
    }

    /// Reads new events over one connection until it fails.
    fn read_new_events(&self, store: &mut dyn CommandStore) -> StoreResult<()> {
        let mut changes = ChangeWatch::open(&self.database);
        let mut checked = Instant::now();
        while !self.is_stopped() {
            store.set_deadline(Deadline::after(OPERATION_PATIENCE));
            // Before what it covers is read, so that nothing falls between.
            let seen = changes.mark(store)?;
            while self.read_page(store)? {}
            if checked.elapsed() >= RESTART_CHECK {
                self.check_restart(store)?;
                checked = Instant::now();
            }
            changes.wait(store, seen)?;
        }
        Ok(())
    }

    /// Reads some events behind the cursor; says whether there may be more.
    fn read_page(&self, store: &mut dyn CommandStore) -> StoreResult<bool> {
        let cursor = self.feed.head().newest;
        let events = store.list_events(&Selection::default().filter_after(cursor, PAGE_EVENTS))?;
        if events.is_empty() {
            return Ok(false);
        }
        self.metrics.live_events.inc_by(events.len() as u64);
        self.feed.extend(render_all(&events));
        Ok(events.len() >= PAGE_EVENTS as usize)
    }

    /// Begins anew where the database has fewer events than were read from it: it was replaced by a
    /// copy, and would be silent until it has as many.
    fn check_restart(&self, store: &mut dyn CommandStore) -> StoreResult<()> {
        if load_newest_seq(store)? < self.feed.head().newest {
            self.feed.restart(load_recent(store)?);
        }
        Ok(())
    }

    fn is_stopped(&self) -> bool {
        *self.shutdown.borrow()
    }
}

fn render_all(events: &[Event]) -> Vec<LiveEvent> {
    events.iter().map(LiveEvent::render).collect()
}
