//! Removing old sessions and events.

use super::{ClockStore, HookStore, Provenance};
use crate::model::{
    EndedSession, PrunableEvent, PruneCounts, RetentionRules, SessionId, Timestamp,
};
use crate::store::Result;

/// A place in the list of ended sessions, behind which the next page starts.
pub type SessionCursor = (Timestamp, SessionId);

/// The operations that remove old sessions and events. What is removed is counted in the same
/// transaction, until the count is recorded as an event.
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`")]
pub trait RetentionStore: HookStore + ClockStore {
    /// Lists sessions that ended or were lost and gave their last sign of life before a time, the
    /// youngest first, so that a session comes before its predecessor.
    fn list_ended_sessions(
        &mut self,
        before: Timestamp,
        after: Option<&SessionCursor>,
        limit: u32,
    ) -> Result<Vec<EndedSession>>;

    /// Removes sessions with their task lists, but only those that the rules allow at the time of
    /// the transaction. Returns the removed ones.
    fn remove_sessions(
        &mut self,
        sessions: &[SessionId],
        retention: &RetentionRules,
    ) -> Result<Vec<SessionId>>;

    /// Lists events after a cursor, the oldest first.
    fn list_event_remains(&mut self, after: i64, limit: u32) -> Result<Vec<PrunableEvent>>;

    /// Removes events, but only those that the rules allow at the time of the transaction. Returns
    /// how many were removed.
    fn remove_events(&mut self, events: &[i64], retention: &RetentionRules) -> Result<u64>;

    /// Records in one event how much was removed since the last such event; returns that, or
    /// nothing when nothing was. The count includes removals by processes that were killed before
    /// they recorded them.
    fn record_pruned(
        &mut self,
        before: Timestamp,
        provenance: &Provenance,
    ) -> Result<Option<PruneCounts>>;
}
