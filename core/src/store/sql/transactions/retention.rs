//! Removing what retention no longer keeps.

use super::super::engine::Engine;
use super::super::{SqlStore, retention};
use crate::model::{
    EndedSession, PrunableEvent, PruneCounts, RetentionRules, SessionId, Timestamp,
};
use crate::store::{Provenance, Result, RetentionStore, SessionCursor};

impl<E: Engine> RetentionStore for SqlStore<E> {
    fn list_ended_sessions(
        &mut self,
        before: Timestamp,
        after: Option<&SessionCursor>,
        limit: u32,
    ) -> Result<Vec<EndedSession>> {
        self.engine.read(|tx| retention::list_ended_sessions(tx, before, after, limit))
    }

    fn remove_sessions(
        &mut self,
        sessions: &[SessionId],
        rules: &RetentionRules,
    ) -> Result<Vec<SessionId>> {
        self.engine.write(|tx| retention::remove_sessions(tx, sessions, rules))
    }

    fn list_event_remains(&mut self, after: i64, limit: u32) -> Result<Vec<PrunableEvent>> {
        self.engine.read(|tx| retention::list_prunable_events(tx, after, limit))
    }

    fn remove_events(&mut self, events: &[i64], rules: &RetentionRules) -> Result<u64> {
        self.engine.write(|tx| retention::remove_events(tx, events, rules))
    }

    fn record_pruned(
        &mut self,
        before: Timestamp,
        provenance: &Provenance,
    ) -> Result<Option<PruneCounts>> {
        // Usually there is nothing to record, and reading takes no ticket in the queue of writers.
        if self.engine.read(|tx| retention::load_unrecorded_tally(tx))?.is_none() {
            return Ok(None);
        }
        self.engine.write(|tx| retention::record_pruned(tx, before, provenance))
    }
}
