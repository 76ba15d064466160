//! One client's way through the events: from its cursor to the newest, and on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;

use super::feed::{Feed, Head};
use super::live_event::{LiveEvent, Selection};
use super::message::{Message, MessageWriter};
use super::recent_events::Found;
use crate::store_pool::StorePool;

/// Most events of one read for one client.
const PAGE_EVENTS: u32 = 100;

/// The pause after old events could not be read: the database is away or busy.
const OUTAGE_PAUSE: Duration = Duration::from_millis(500);

/// Reads old events for clients who were away long.
#[derive(Clone)]
pub(super) struct OldEvents {
    pub(super) pool: StorePool,
    /// So many clients may read at a time; the other connections are for requests.
    pub(super) readers: Arc<Semaphore>,
}

/// What a client finds next.
#[derive(Debug)]
pub(super) enum Next {
    /// Events.
    Message(Message),
    /// The database began anew, and the cursor means nothing in it.
    Restarted,
}

/// A client's place among the events.
pub(super) struct Follower {
    feed: Arc<Feed>,
    head: watch::Receiver<Head>,
    old: OldEvents,
    selection: Selection,
    cursor: i64,
    restarts: u64,
}

impl Follower {
    /// Begins behind a cursor, or at the newest event.
    pub(super) fn new(
        feed: Arc<Feed>,
        old: OldEvents,
        selection: Selection,
        since: Option<i64>,
    ) -> Self {
        let head = feed.watch_head();
        let Head { newest, restarts } = *head.borrow();
        Self { feed, head, old, selection, cursor: since.unwrap_or(newest), restarts }
    }

    /// The cursor behind everything that the client was given.
    pub(super) const fn cursor(&self) -> i64 {
        self.cursor
    }

    /// Waits for the next events. A wait that is given up loses nothing.
    pub(super) async fn find_next(&mut self) -> Next {
        loop {
            let head = *self.head.borrow_and_update();
            if head.restarts != self.restarts {
                return Next::Restarted;
            }
            let message = match self.feed.find_after(self.cursor, &self.selection) {
                Found::Message(message) => message,
                Found::TooOld => self.read_old_events(head.newest).await,
                Found::UpToDate => {
                    // The feed lives as long as the client.
                    let _ = self.head.changed().await;
                    continue;
                }
            };
            self.cursor = message.next;
            if message.has_events() {
                return Next::Message(message);
            }
        }
    }

    /// Reads events from the database, where they are too old for the memory.
    async fn read_old_events(&self, newest: i64) -> Message {
        loop {
            // Nobody closes it.
            let _place = self.old.readers.acquire().await;
            let filter = self.selection.filter_after(self.cursor, PAGE_EVENTS);
            let read = self.old.pool.run(move |store| {
                let events = store.list_events(&filter)?;
                Ok(events.iter().map(LiveEvent::render).collect::<Vec<_>>())
            });
            if let Ok(events) = read.await {
                return write_page(self.cursor, &events, newest);
            }
            // The client is told nothing: it goes on when the database is back.
            sleep(OUTAGE_PAUSE).await;
        }
    }
}

/// Makes a message of a page of events behind a cursor. `newest` is an event that was in the
/// database when the page was read.
fn write_page(cursor: i64, events: &[LiveEvent], newest: i64) -> Message {
    let mut writer = MessageWriter::new(cursor);
    let is_whole = events.iter().all(|event| writer.add(event));
    if is_whole && events.len() < PAGE_EVENTS as usize {
        // There are no others up to there.
        writer.skip_to(newest);
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::super::live_event::tests::event;
    use super::*;

    #[test]
    fn a_page_that_is_not_full_reaches_to_the_newest_event() {
        let page = |count: i64, key: &str| -> Vec<LiveEvent> {
            (1..=count).map(|seq| LiveEvent::render(&event(seq, key))).collect()
        };
        let long = "x".repeat(50_000);
        for (events, expected) in [
            (page(0, "A"), 500),
            (page(3, "A"), 500),
            (page(100, "A"), 100),
            // The third did not fit, and is read again.
            (page(3, &long), 1),
        ] {
            assert_eq!(write_page(0, &events, 500).next, expected, "{} events", events.len());
        }
        assert_eq!(write_page(0, &page(7, "A"), 5).next, 7);
    }
}
