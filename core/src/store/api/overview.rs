//! What an overview of all work is made of.

use serde::{Deserialize, Serialize};

use crate::model::{Attention, DependencyEdge, Event, Handoff, Item, Session, Timestamp};
use crate::store::Result;

/// Which rows an overview is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverviewQuery {
    /// Items that were finished and sessions that were over before this are left out, except lost
    /// sessions whose work nobody has taken up.
    pub finished_since: Timestamp,
}

/// The rows of an overview, all of one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverviewRows {
    /// The database's clock at that moment.
    pub read_at: Timestamp,
    /// The cursor of the newest event.
    pub newest_event: i64,
    /// How many events of the last minute there are, at most [`MAX_COUNTED_EVENTS`].
    pub events_of_last_minute: u64,
    /// The sessions that are present, hold an item, or were over lately; and lost ones whose item
    /// is unfinished and held by nobody.
    pub sessions: Vec<Session>,
    /// The items that are unfinished or were finished lately, by parent, position and key.
    pub items: Vec<Item>,
    /// Which of the unfinished items wait for an item that is not completed.
    pub open_dependencies: Vec<DependencyEdge>,
    /// The hand-offs that are not decided, the newest first.
    pub handoffs: Vec<Handoff>,
    /// What was reported to need a person and still does, without its content, the oldest first.
    pub attention: Vec<Attention>,
    /// The newest event of each of those items, hand-offs and reports, and of the sessions that may
    /// need a person.
    pub latest_events: Vec<Event>,
}

/// Most events that are counted for one minute.
pub const MAX_COUNTED_EVENTS: u64 = 6_000;

/// The operation of an overview.
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`")]
pub trait OverviewStore {
    /// Reads the rows of an overview, in one transaction.
    fn load_overview_rows(&mut self, query: &OverviewQuery) -> Result<OverviewRows>;
}
