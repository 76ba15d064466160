//! What happens, as it happens: `/ws` by WebSocket, `/stream` as server-sent events.
//!
//! One pump reads each event once, for all clients, and renders it once. A client is a cursor: it
//! finds what is behind it in memory, or in the database where that is older. So no client can be
//! given an event twice or miss one, whatever happened to its connection, to the hub or to the
//! database in between; and nothing waits for a client but itself.

mod change_watch;
mod event_stream;
mod feed;
mod follower;
mod live_event;
mod message;
mod places;
mod pump;
mod query;
mod recent_events;
mod subscription;
mod web_socket;

use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use trueup_core::model::TokenName;
use trueup_core::store::{CommandStore, Result as StoreResult};

use crate::access::{Access, TokenDigest};
use crate::database::Database;
use crate::documented_routes::documented_routes;
use crate::event_cursor::{EventCursor, load_newest_seq};
use crate::metrics::Metrics;
use crate::problem::HubError;
use crate::store_pool::StorePool;
use feed::Feed;
use follower::{Follower, OldEvents};
use live_event::Selection;
use places::{Place, Places};
use pump::Pump;
use recent_events::RecentEvents;

/// So many clients read old events from the database at a time.
const OLD_EVENT_READERS: usize = 3;

/// How long looking at a token may take; a database that is away revokes nothing.
const TOKEN_PATIENCE: Duration = Duration::from_secs(1);

/// How long clients have to take leave of a hub that is stopped.
const LEAVE_PATIENCE: Duration = Duration::from_secs(6);

// The two ways to follow the events.
documented_routes! {
    needs Arc<Live>;
    get "/ws" => web_socket::open_socket;
    get "/stream" => event_stream::open_stream;
}

/// The newest events of the database when the hub was started.
pub(crate) struct LiveStart(RecentEvents);

impl LiveStart {
    /// Reads the newest events.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) fn load(store: &mut dyn CommandStore) -> StoreResult<Self> {
        pump::load_recent(store).map(Self)
    }
}

/// The events as they happen, and who follows them.
pub(crate) struct Live {
    feed: Arc<Feed>,
    old: OldEvents,
    places: Arc<Places>,
    parts: LiveParts,
}

/// What following the events needs of the hub.
pub(crate) struct LiveParts {
    /// The connections to the database.
    pub(crate) pool: StorePool,
    /// Who may follow.
    pub(crate) access: Arc<Access>,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// Turns true when the server is being stopped.
    pub(crate) shutdown: watch::Receiver<bool>,
}

impl Live {
    /// Starts the pump, which runs until the hub is stopped.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(crate) fn start(
        LiveStart(recent): LiveStart,
        database: &Database,
        parts: LiveParts,
    ) -> io::Result<Self> {
        let feed = Arc::new(Feed::new(recent));
        let pump = Pump {
            database: database.clone(),
            feed: Arc::clone(&feed),
            metrics: Arc::clone(&parts.metrics),
            shutdown: parts.shutdown.clone(),
        };
        thread::Builder::new().name("events".to_owned()).spawn(move || pump.run())?;
        let readers = Arc::new(Semaphore::new(OLD_EVENT_READERS));
        let places = Arc::new(Places::new(Arc::clone(&parts.metrics)));
        let old = OldEvents { pool: parts.pool.clone(), readers };
        Ok(Self { feed, old, places, parts })
    }

    /// Waits until no client follows any more, for a while.
    pub(crate) async fn wait_for_leave(&self) {
        let _ = timeout(LEAVE_PATIENCE, self.places.wait_until_empty()).await;
    }

    /// The cursor behind the newest event that was read.
    fn newest(&self) -> i64 {
        self.feed.head().newest
    }

    /// Refuses a cursor that no event has reached.
    async fn check_cursor(&self, cursor: EventCursor) -> Result<(), HubError> {
        if cursor.check_reached(self.newest()).is_ok() {
            return Ok(());
        }
        // Another hub of the same database may have been a moment quicker.
        cursor.check_reached(self.parts.pool.run(load_newest_seq).await?)
    }

    /// Tells whether a token is known not to be valid any more.
    async fn is_revoked(&self, token: &TokenDigest) -> bool {
        let found = timeout(TOKEN_PATIENCE, self.parts.access.find_caller(token)).await;
        matches!(found, Ok(Err(HubError::Unauthorized)))
    }

    fn shutdown(&self) -> watch::Receiver<bool> {
        self.parts.shutdown.clone()
    }

    fn count_slow_client(&self) {
        self.parts.metrics.slow_clients.inc();
    }

    fn take_place(&self, token: TokenName) -> Result<Place, HubError> {
        self.places.take_place(token)
    }

    fn follow_events(&self, selection: Selection, since: Option<i64>) -> Follower {
        Follower::new(Arc::clone(&self.feed), self.old.clone(), selection, since)
    }
}
