//! Fills a database with the rows of months of use.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::BenchError;
use crate::world::{MEASURED_SESSIONS, Size};

/// Directories the sessions of a full installation are spread over: those measured, and some.
const WORKTREES: u32 = 12;

/// Fills the database: of the sessions one in twenty is at work and holds an item, one in
/// twenty was lost, the others ended; each session measured holds an item.
pub(crate) fn fill_database(database: &Path, size: Size, root: &Path) -> Result<(), BenchError> {
    let mut connection = Connection::open(database)?;
    let tx = connection.transaction()?;
    insert_sessions(&tx, size.sessions, root)?;
    insert_items(&tx, size)?;
    for (number, session) in MEASURED_SESSIONS.iter().enumerate() {
        hold_item(&tx, session, number)?;
    }
    tx.commit()?;
    // A file as an idle installation leaves it.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn insert_sessions(connection: &Connection, count: u32, root: &Path) -> Result<(), BenchError> {
    let mut insert = connection.prepare(
        "INSERT INTO claude_sessions (session_id, metadata, repo, worktree, host, pid, pid_started,
             boot_id, status, ended_reason, registered_at, heartbeat_at, lease_expires_at, revision,
             acknowledged_revision, swept, last_actor, last_op)
         VALUES (?1, json_object('branch', 'main', 'execution_state', json_object(
                 'currentSd', ?2, 'currentPhase', 'EXEC', 'currentTask', 'an earlier task',
                 'isActive', json('true'), 'wasInterrupted', json('false'))),
             'app', ?3, 'another-host', 4242, 99, 'another-boot', ?4, ?5,
             strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?6), strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?6),
             strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?7), 3, 3, ?8, 'seed', 'seed-' || ?1)",
    )?;
    // The sessions measured are registered already.
    let known = u32::try_from(MEASURED_SESSIONS.len()).unwrap_or(u32::MAX);
    for number in 0..count.saturating_sub(known) {
        let at_work = is_at_work(number);
        let (status, reason) = match number % 20 {
            _ if at_work => ("active", None),
            1 => ("lost", None),
            _ => ("ended", Some("prompt_input_exit")),
        };
        let worktree = number % WORKTREES;
        let measured = MEASURED_SESSIONS.get(worktree as usize).filter(|_| !at_work);
        let worktree = match measured {
            Some(name) => root.join(name),
            None => root.join(format!("project-{worktree}")),
        };
        let since = if at_work { 60 } else { 86_400 + i64::from(number) * 600 };
        insert.execute(params![
            format!("seed-{number:06}"),
            format!("SD-{:06}", number % 900),
            worktree.to_string_lossy(),
            status,
            reason,
            format!("-{since} seconds"),
            // Long enough for any run.
            format!("{} seconds", if at_work { 86_400 } else { 900 - since }),
            i32::from(!at_work),
        ])?;
    }
    Ok(())
}

const fn is_at_work(number: u32) -> bool {
    number % 20 == 7
}

fn insert_items(connection: &Connection, size: Size) -> Result<(), BenchError> {
    let mut insert = connection.prepare(
        "INSERT INTO work_items (key, title, kind, status, phase, holder, claim_epoch, claimed_at,
             last_actor, last_op)
         VALUES (?1, ?2, 'task', ?3, ?4, ?5, ?6, CASE WHEN ?5 IS NOT NULL
             THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now') END, 'seed', 'seed-' || ?1)",
    )?;
    let known = u32::try_from(MEASURED_SESSIONS.len()).unwrap_or(u32::MAX);
    let mut workers = (0..size.sessions.saturating_sub(known)).filter(|n| is_at_work(*n));
    // A store of one item has it for the first session measured.
    for number in known..size.items {
        let holder = if number % 10 == 0 { workers.next() } else { None };
        let (status, phase) = match (holder, number % 4) {
            (Some(_), _) => ("running", "EXEC"),
            (None, 0) => ("queued", "LEAD"),
            _ => ("completed", "DONE"),
        };
        insert.execute(params![
            format!("SD-{number:06}"),
            format!("Work item number {number} of the benchmark"),
            status,
            phase,
            holder.map(|number| format!("seed-{number:06}")),
            i32::from(holder.is_some()),
        ])?;
    }
    Ok(())
}

/// Gives a measured session an item and the state that goes with it.
fn hold_item(connection: &Connection, session: &str, number: usize) -> Result<(), BenchError> {
    let key = format!("SD-{number:06}");
    connection.execute(
        "INSERT INTO work_items (key, title, status, phase, last_actor, last_op)
         VALUES (?1, 'The item of a session measured', 'ready', 'EXEC', 'seed', 'add-' || ?1)",
        [&key],
    )?;
    connection.execute(
        "UPDATE work_items SET holder = ?1, status = 'running', last_actor = 'seed',
             last_op = 'hold-' || ?2 WHERE key = ?2",
        [session, &key],
    )?;
    connection.execute(
        "UPDATE claude_sessions SET metadata = json_set(metadata, '$.execution_state', json_object(
             'currentSd', ?2, 'currentPhase', 'EXEC', 'currentTask', 'measure it',
             'isActive', json('true'), 'wasInterrupted', json('false'),
             'lastUpdatedAt', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))
         WHERE session_id = ?1",
        [session, &key],
    )?;
    Ok(())
}

/// Changes a session's state in the database only, so that its cache is stale.
pub(crate) fn advance_database(database: &Path, session: &str) -> Result<(), BenchError> {
    let connection = Connection::open(database)?;
    connection.execute(
        "UPDATE claude_sessions SET metadata = json_set(metadata,
             '$.execution_state.currentPhase', 'VERIFY',
             '$.execution_state.currentTask', 'what the database says')
         WHERE session_id = ?1",
        [session],
    )?;
    connection.execute(
        "UPDATE work_items SET phase = 'VERIFY', under_epoch = claim_epoch WHERE holder = ?1",
        [session],
    )?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}
