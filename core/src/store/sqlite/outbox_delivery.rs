//! Writes that waited outside the database, in one transaction.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Transaction, params};

use super::errors::{from_sqlite, is_unreadable_value};
use super::sessions::to_signed;
use super::{execute_cached, is_replay, rows, session_tasks, sessions};
use crate::deadline::Deadline;
use crate::model::{Revision, Session, SessionId, Timestamp};
use crate::outbox::PendingWrite;
use crate::store::delivery::{self, DeliveryTarget};
use crate::store::{
    DeliveryOutcome, HeartbeatRequest, Provenance, RegistrationDefaults, Result,
    SessionRegistration, SessionTask, StatePush, StoreError,
};

pub(super) fn deliver_pending(
    tx: &Transaction<'_>,
    pending_writes: &[&PendingWrite],
    registration_defaults: &RegistrationDefaults,
    deadline: Deadline,
) -> Result<Vec<DeliveryOutcome>> {
    let mut batch = PendingBatch {
        tx,
        foreign_changed_at: BTreeMap::new(),
    };
    let mut outcomes = Vec::with_capacity(pending_writes.len());
    for pending in pending_writes {
        if !outcomes.is_empty() && deadline.has_passed() {
            break;
        }
        execute_cached(tx, "SAVEPOINT waiting", [])?;
        let outcome = match delivery::deliver_write(&mut batch, pending, registration_defaults) {
            // What the rules forbid must keep nothing else from being written.
            Err(error) if is_permanent(&error) => {
                execute_cached(tx, "ROLLBACK TO waiting", [])?;
                DeliveryOutcome::Refused(error.to_string())
            }
            other => other?,
        };
        execute_cached(tx, "RELEASE waiting", [])?;
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Tells whether an error is of the write itself or the rows it is about, not of the database.
fn is_permanent(error: &StoreError) -> bool {
    matches!(error, StoreError::Denied(_) | StoreError::Invalid(_)) || is_unreadable_value(error)
}

struct PendingBatch<'t> {
    tx: &'t Transaction<'t>,
    /// Nobody else writes while the transaction lasts, so each session is looked up once.
    foreign_changed_at: BTreeMap<SessionId, Option<Timestamp>>,
}

impl DeliveryTarget for PendingBatch<'_> {
    fn load_session(&mut self, id: &SessionId) -> Result<Option<Session>> {
        sessions::load_session(self.tx, id)
    }

    fn register_session(&mut self, registration: &SessionRegistration) -> Result<Session> {
        sessions::register_session(self.tx, registration)
    }

    fn record_heartbeat(&mut self, heartbeat: &HeartbeatRequest) -> Result<()> {
        sessions::record_heartbeat(self.tx, heartbeat)
    }

    fn is_replay(&mut self, by: &Provenance) -> Result<bool> {
        is_replay(self.tx, by)
    }

    fn load_task(&mut self, session: &SessionId, task: &str) -> Result<Option<SessionTask>> {
        session_tasks::load_task(self.tx, session, task)
    }

    fn upsert_task(&mut self, session: &SessionId, note: &SessionTask) -> Result<()> {
        session_tasks::upsert_task(self.tx, session, note)
    }

    fn end_session(&mut self, id: &SessionId, reason: &str, by: &Provenance) -> Result<()> {
        sessions::end_session(self.tx, id, reason, by).map(|_| ())
    }

    fn foreign_revision(&mut self, id: &SessionId) -> Result<Revision> {
        let sql = "SELECT moved_revision FROM claude_sessions WHERE session_id = ?1";
        let mut statement = self.tx.prepare_cached(sql).map_err(from_sqlite)?;
        let revision: i64 = statement
            .query_row([id.as_str()], |row| row.get(0))
            .map_err(from_sqlite)?;
        Ok(Revision(u64::try_from(revision).unwrap_or(0)))
    }

    fn foreign_changed_at(&mut self, id: &SessionId) -> Result<Option<Timestamp>> {
        if let Some(cached) = self.foreign_changed_at.get(id) {
            return Ok(*cached);
        }
        let mut statement = self
            .tx
            .prepare_cached(FOREIGN_CHANGE_TIME)
            .map_err(from_sqlite)?;
        let at = statement
            .query_row(params![id.as_str(), delivery::DELIVERY_REASON], |row| {
                rows::parse_time(row, 0)
            })
            .optional()
            .map_err(from_sqlite)?;
        self.foreign_changed_at.insert(id.clone(), at);
        Ok(at)
    }

    fn push_delivered(&mut self, push: &StatePush, moved: Revision) -> Result<()> {
        sessions::push_state(self.tx, push)?;
        execute_cached(
            self.tx,
            "UPDATE claude_sessions SET moved_revision = ?2 WHERE session_id = ?1",
            params![push.session.as_str(), to_signed(moved.0)],
        )?;
        Ok(())
    }
}

/// The newest change of a session's state by anything but a write that waited.
pub(super) const FOREIGN_CHANGE_TIME: &str = "SELECT at FROM events
     WHERE entity = 'session' AND key = ?1 AND kind = 'state' AND reason IS NOT ?2
     ORDER BY seq DESC LIMIT 1";
