//! Events: the append-only record of every change.

use serde_json::Value;

use super::{Epoch, Timestamp};

/// A row of `events`.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The cursor: grows by every event.
    pub seq: i64,
    /// When, by the database's clock.
    pub at: Timestamp,
    /// Who: a session id, a command's user, or `sql` for a change made behind trueup's back.
    pub actor: String,
    /// What kind of thing: `session` or `item`.
    pub entity: String,
    /// Which one.
    pub key: String,
    /// What happened.
    pub kind: String,
    /// What it was.
    pub before: Value,
    /// What it became.
    pub after: Value,
    /// Under which claim.
    pub epoch: Option<Epoch>,
    /// Why.
    pub reason: Option<String>,
    /// Which write made it.
    pub op_id: Option<String>,
}

/// Which events to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only later than this cursor.
    pub after: i64,
    /// Only of this item.
    pub item: Option<String>,
    /// Only of this session, as actor or as subject.
    pub session: Option<String>,
    /// Only since this time.
    pub since: Option<Timestamp>,
    /// At most so many, the newest; 0 is no limit.
    pub limit: u32,
}
