//! Writes that waited outside the database, in one transaction.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Transaction, params};

use super::errors::{from_sqlite, is_of_one_value};
use super::sessions::signed;
use super::{execute_cached, rows, sessions, tasks, was_done};
use crate::deadline::Deadline;
use crate::model::{Revision, Session, SessionId, Timestamp};
use crate::outbox::Pending;
use crate::store::delivery::{self, Counter};
use crate::store::{
    Delivered, Heartbeat, Newcomer, Provenance, Push, Registration, Result, StoreError, TaskNote,
};

pub(super) fn deliver(
    tx: &Transaction<'_>,
    waiting: &[&Pending],
    newcomer: &Newcomer,
    until: Deadline,
) -> Result<Vec<Delivered>> {
    let mut batch = Batch {
        tx,
        moved_at: BTreeMap::new(),
    };
    let mut delivered = Vec::with_capacity(waiting.len());
    for pending in waiting {
        if !delivered.is_empty() && until.passed() {
            break;
        }
        execute_cached(tx, "SAVEPOINT waiting", [])?;
        let answer = match delivery::deliver(&mut batch, pending, newcomer) {
            // What the rules forbid must keep nothing else from being written.
            Err(error) if is_final(&error) => {
                execute_cached(tx, "ROLLBACK TO waiting", [])?;
                Delivered::Refused(error.to_string())
            }
            other => other?,
        };
        execute_cached(tx, "RELEASE waiting", [])?;
        delivered.push(answer);
    }
    Ok(delivered)
}

/// Tells whether an error is of the write itself or the rows it is about, not of the database.
fn is_final(error: &StoreError) -> bool {
    matches!(error, StoreError::Denied(_) | StoreError::Invalid(_)) || is_of_one_value(error)
}

struct Batch<'t> {
    tx: &'t Transaction<'t>,
    /// Nobody else writes while the transaction lasts, so each session is looked up once.
    moved_at: BTreeMap<SessionId, Option<Timestamp>>,
}

impl Counter for Batch<'_> {
    fn session(&mut self, id: &SessionId) -> Result<Option<Session>> {
        sessions::load(self.tx, id)
    }

    fn register(&mut self, registration: &Registration) -> Result<Session> {
        sessions::register(self.tx, registration)
    }

    fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<()> {
        sessions::heartbeat(self.tx, heartbeat)
    }

    fn is_done(&mut self, by: &Provenance) -> Result<bool> {
        was_done(self.tx, by)
    }

    fn task(&mut self, session: &SessionId, task: &str) -> Result<Option<TaskNote>> {
        tasks::load(self.tx, session, task)
    }

    fn note_task(&mut self, session: &SessionId, note: &TaskNote) -> Result<()> {
        tasks::note(self.tx, session, note)
    }

    fn end(&mut self, id: &SessionId, reason: &str, by: &Provenance) -> Result<()> {
        sessions::end(self.tx, id, reason, by).map(|_| ())
    }

    fn moved(&mut self, id: &SessionId) -> Result<Revision> {
        let sql = "SELECT moved_revision FROM claude_sessions WHERE session_id = ?1";
        let mut statement = self.tx.prepare_cached(sql).map_err(from_sqlite)?;
        let moved: i64 = statement
            .query_row([id.as_str()], |row| row.get(0))
            .map_err(from_sqlite)?;
        Ok(Revision(u64::try_from(moved).unwrap_or(0)))
    }

    fn moved_at(&mut self, id: &SessionId) -> Result<Option<Timestamp>> {
        if let Some(known) = self.moved_at.get(id) {
            return Ok(*known);
        }
        let mut statement = self.tx.prepare_cached(MOVED_AT).map_err(from_sqlite)?;
        let at = statement
            .query_row(params![id.as_str(), delivery::REASON], |row| {
                rows::time(row, 0)
            })
            .optional()
            .map_err(from_sqlite)?;
        self.moved_at.insert(id.clone(), at);
        Ok(at)
    }

    fn push_waited(&mut self, push: &Push, moved: Revision) -> Result<()> {
        sessions::push(self.tx, push)?;
        execute_cached(
            self.tx,
            "UPDATE claude_sessions SET moved_revision = ?2 WHERE session_id = ?1",
            params![push.session.as_str(), signed(moved.0)],
        )?;
        Ok(())
    }
}

/// The newest change of a session's state by anything but a write that waited.
pub(super) const MOVED_AT: &str = "SELECT at FROM events
     WHERE entity = 'session' AND key = ?1 AND kind = 'state' AND reason IS NOT ?2
     ORDER BY seq DESC LIMIT 1";
