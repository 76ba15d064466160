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

use axum::Router;
use axum::routing::get;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use trueup_core::model::TokenName;
use trueup_core::store::{CommandStore, Result as StoreResult};

use crate::database::Database;
use crate::hub_state::HubState;
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

/// How long clients have to take leave of a hub that is stopped.
const LEAVE_PATIENCE: Duration = Duration::from_secs(6);

/// The two ways to follow the events.
pub(crate) fn routes() -> Router<HubState> {
    Router::new()
        .route("/ws", get(web_socket::open_socket))
        .route("/stream", get(event_stream::open_stream))
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
        pool: StorePool,
        metrics: &Arc<Metrics>,
        shutdown: watch::Receiver<bool>,
    ) -> io::Result<Self> {
        let feed = Arc::new(Feed::new(recent));
        let pump = Pump {
            database: database.clone(),
            feed: Arc::clone(&feed),
            metrics: Arc::clone(metrics),
            shutdown,
        };
        thread::Builder::new().name("events".to_owned()).spawn(move || pump.run())?;
        let readers = Arc::new(Semaphore::new(OLD_EVENT_READERS));
        let places = Arc::new(Places::new(Arc::clone(metrics)));
        Ok(Self { feed, old: OldEvents { pool, readers }, places })
    }

    /// Waits until no client follows any more, for a while.
    pub(crate) async fn wait_for_leave(&self) {
        let _ = timeout(LEAVE_PATIENCE, self.places.wait_until_empty()).await;
    }

    /// The cursor behind the newest event that was read.
    fn newest(&self) -> i64 {
        self.feed.head().newest
    }

    fn take_place(&self, token: TokenName) -> Result<Place, HubError> {
        self.places.take_place(token)
    }

    fn follow_events(&self, selection: Selection, since: Option<i64>) -> Follower {
        Follower::new(Arc::clone(&self.feed), self.old.clone(), selection, since)
    }
}
