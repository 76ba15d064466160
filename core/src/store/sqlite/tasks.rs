//! The task lists of sessions.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::errors::from_sqlite;
use super::free::free;
use super::{execute_cached, registered, sessions};
use crate::model::SessionId;
use crate::store::{Result, TaskNote};

pub(super) fn note(tx: &Transaction<'_>, session: &SessionId, note: &TaskNote) -> Result<()> {
    registered(sessions::load(tx, session)?, session)?;
    execute_cached(
        tx,
        "INSERT INTO session_tasks (session_id, task_id, subject) VALUES (?1, ?2, ?3)
         ON CONFLICT (session_id, task_id) DO UPDATE SET subject = excluded.subject",
        params![session.as_str(), note.task, free(&note.subject)],
    )?;
    Ok(())
}

pub(super) fn load(
    connection: &Connection,
    session: &SessionId,
    task: &str,
) -> Result<Option<TaskNote>> {
    connection
        .query_row(
            "SELECT subject FROM session_tasks WHERE session_id = ?1 AND task_id = ?2",
            params![session.as_str(), task],
            |row| {
                Ok(TaskNote {
                    task: task.to_owned(),
                    subject: row.get(0)?,
                })
            },
        )
        .optional()
        .map_err(from_sqlite)
}
