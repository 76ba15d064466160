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

/// Events of the first read for one client, and most of a later one.
const FIRST_PAGE: u32 = 20;
const MAX_PAGE: u32 = 200;

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
    /// The events of the next read.
    page: u32,
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
        Self {
            feed,
            head,
            old,
            selection,
            cursor: since.unwrap_or(newest),
            restarts,
            page: FIRST_PAGE,
        }
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
    async fn read_old_events(&mut self, newest: i64) -> Message {
        loop {
            // Nobody closes it.
            let _place = self.old.readers.acquire().await;
            let filter = self.selection.filter_after(self.cursor, self.page);
            let read = self.old.pool.run(move |store| {
                let events = store.list_events(&filter)?;
                Ok(events.iter().map(LiveEvent::render).collect::<Vec<_>>())
            });
            if let Ok(events) = read.await {
                let page = write_page(self.cursor, &events, self.page, newest);
                self.page = page.next_size;
                return page.message;
            }
            // The client is told nothing: it goes on when the database is back.
            sleep(OUTAGE_PAUSE).await;
        }
    }
}

/// A page of old events.
struct Page {
    message: Message,
    /// How many events to read next: what does not fit into a message is read again.
    next_size: u32,
}

/// Makes a message of the events behind a cursor, of which so many were asked for. `newest` is an
/// event that was in the database when they were read.
fn write_page(cursor: i64, events: &[LiveEvent], asked: u32, newest: i64) -> Page {
    let mut writer = MessageWriter::new(cursor);
    let fitting = events.iter().take_while(|event| writer.add(event)).count();
    let is_whole = fitting == events.len();
    let fitting = u32::try_from(fitting).unwrap_or(u32::MAX);
    if is_whole && fitting < asked {
        // There are no others up to there.
        writer.skip_to(newest);
    }
    let next_size = if is_whole { asked.saturating_mul(2).min(MAX_PAGE) } else { fitting + 1 };
    Page { message: writer.finish(), next_size }
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
            (page(0, "A"), (500, 40)),
            (page(3, "A"), (500, 40)),
            (page(20, "A"), (20, 40)),
            // The second did not fit, and is read again.
            (page(3, &long), (1, 2)),
        ] {
            let found = write_page(0, &events, 20, 500);
            assert_eq!((found.message.next, found.next_size), expected, "{} events", events.len());
        }
        let found = write_page(0, &page(7, "A"), MAX_PAGE, 5);
        assert_eq!((found.message.next, found.next_size), (7, MAX_PAGE));
    }
}
