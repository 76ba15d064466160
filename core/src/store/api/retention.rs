//! Removing what is old and done.

use super::Provenance;
use crate::model::{
    EndedSession, PrunableEvent, PruneCounts, RetentionRules, SessionId, Timestamp,
};
use crate::store::Result;

/// A place in the list of ended sessions, from which it goes on.
pub type SessionCursor = (Timestamp, SessionId);

/// Old sessions and events. What is removed is counted with it, in the same transaction, until
/// it is noted.
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`")]
pub trait RetentionStore {
    /// Lists sessions that ended or were lost and gave their last sign of life before a time,
    /// the youngest first, so that who went on comes before whom it went on from.
    fn list_ended_sessions(
        &mut self,
        before: Timestamp,
        after: Option<&SessionCursor>,
        limit: u32,
    ) -> Result<Vec<EndedSession>>;

    /// Removes sessions with their task lists, but only those that by the time of the
    /// transaction may still go. Returns which were removed.
    fn remove_sessions(
        &mut self,
        sessions: &[SessionId],
        retention: &RetentionRules,
    ) -> Result<Vec<SessionId>>;

    /// Lists events after a cursor, the oldest first.
    fn list_event_remains(&mut self, after: i64, limit: u32) -> Result<Vec<PrunableEvent>>;

    /// Removes events, but only those that by the time of the transaction may still go.
    /// Returns how many were removed.
    fn remove_events(&mut self, events: &[i64], retention: &RetentionRules) -> Result<u64>;

    /// Notes in one event what was removed since the last note; returns that, or nothing when
    /// nothing was. What a process removed that was killed before it noted it is in the next.
    fn record_pruned(
        &mut self,
        before: Timestamp,
        provenance: &Provenance,
    ) -> Result<Option<PruneCounts>>;
}
