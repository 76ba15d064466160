//! The task lists of sessions.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::errors::from_sqlite;
use super::stored_text::stored_text;
use super::{execute_cached, require_registered, sessions};
use crate::model::SessionId;
use crate::store::{Result, SessionTask};

pub(super) fn upsert_task(
    tx: &Transaction<'_>,
    session: &SessionId,
    note: &SessionTask,
) -> Result<()> {
    require_registered(sessions::load_session(tx, session)?, session)?;
    execute_cached(
        tx,
        "INSERT INTO session_tasks (session_id, task_id, subject) VALUES (?1, ?2, ?3)
         ON CONFLICT (session_id, task_id) DO UPDATE SET subject = excluded.subject",
        params![session.as_str(), note.task, stored_text(&note.subject)],
    )?;
    Ok(())
}

pub(super) fn load_task(
    connection: &Connection,
    session: &SessionId,
    task_id: &str,
) -> Result<Option<SessionTask>> {
    connection
        .query_row(
            "SELECT subject FROM session_tasks WHERE session_id = ?1 AND task_id = ?2",
            params![session.as_str(), task_id],
            |row| {
                Ok(SessionTask {
                    task: task_id.to_owned(),
                    subject: row.get(0)?,
                })
            },
        )
        .optional()
        .map_err(from_sqlite)
}
