//! The task lists of sessions.

use super::engine::{Tx, args};
use super::sessions::check_registered;
use super::statement::statements;
use super::stored_text::stored_text;
use crate::model::SessionId;
use crate::store::{Result, SessionTask};

statements! {
    UPSERT_SESSION_TASK(text, text, text) = @repeated
        "INSERT INTO session_tasks (session_id, task_id, subject) VALUES (?1, ?2, ?3)
         ON CONFLICT (session_id, task_id) DO UPDATE SET subject = excluded.subject";

    LOAD_SESSION_TASK(text, text) =
        "SELECT subject FROM session_tasks WHERE session_id = ?1 AND task_id = ?2";
}

pub(super) fn upsert_task(tx: &mut impl Tx, session: &SessionId, task: &SessionTask) -> Result<()> {
    check_registered(tx, session)?;
    write_task(tx, session, task)
}

/// Inserts or updates a task of a session that is registered.
pub(super) fn write_task(tx: &mut impl Tx, session: &SessionId, task: &SessionTask) -> Result<()> {
    tx.execute(&UPSERT_SESSION_TASK, args![session, task.task, stored_text(&task.subject)])
}

/// Says that [`load_task`] will be asked.
pub(super) fn prefetch_task(tx: &mut impl Tx, session: &SessionId, task_id: &str) {
    tx.prefetch(&LOAD_SESSION_TASK, args![session, task_id]);
}

pub(super) fn load_task(
    tx: &mut impl Tx,
    session: &SessionId,
    task_id: &str,
) -> Result<Option<SessionTask>> {
    tx.row(&LOAD_SESSION_TASK, args![session, task_id], |row| {
        Ok(SessionTask { task: task_id.to_owned(), subject: row.get(0)? })
    })
}
