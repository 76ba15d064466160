//! Reading sessions: one by its id, lists, and those whose lease has expired.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::engine::{Arg, Tx, args};
use super::super::row::Row;
use super::super::statement::{Statement, columns, joined, statements};
use super::unregistered_error;
use crate::model::{MAX_LEASE_SECONDS, SKEW_SECONDS, Session, SessionId, SessionStatus, Timestamp};
use crate::store::{KeyPage, Result, SessionFilter, StoreError};

columns! {
    /// The columns of a session with the item that it holds. Those that only one of the two has
    /// stand without their table, which SQLite reads a tenth faster.
    enum SessionColumn {
        Id = "session_id",
        Repo = "s.repo",
        Worktree = "worktree",
        Host = "host",
        Status = "s.status",
        EndedReason = "ended_reason",
        Predecessor = "predecessor",
        RegisteredAt = "registered_at",
        HeartbeatAt = "heartbeat_at",
        LeaseExpiresAt = "lease_expires_at",
        SilentUntil = "silent_until",
        Revision = "s.revision",
        Acknowledged = "acknowledged_revision",
        Metadata = "s.metadata",
        Item = "key",
        Epoch = "claim_epoch",
        ClaimedAt = "claimed_at",
        ReadAt = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS read_at",
        Lineage = "(SELECT value FROM trueup_meta WHERE key = 'lineage')",
        Process = "pid",
        _Started = "pid_started",
        _Boot = "boot_id",
        _Machine = "machine_id",
        _Namespace = "pid_namespace",
    }
}

pub(in crate::store::sql) const SELECT_SESSION: &str = joined!(
    "SELECT ",
    SessionColumn::SQL,
    " FROM claude_sessions s LEFT JOIN work_items ON holder = session_id WHERE session_id "
);

const LIST_IDS: &str = "SELECT s.session_id FROM claude_sessions s \
     WHERE s.status IN (?1, ?2, ?3, ?4) AND substr(s.session_id, 1, length(?5)) = ?5 ";
const NEWEST_FIRST: &str = "ORDER BY s.heartbeat_at DESC, s.session_id LIMIT ?6";

statements! {
    /// Compiling so wide a statement costs more than running it, and one process may ask for
    /// several sessions.
    LOAD_SESSION(text) = @repeated SELECT_SESSION, "= ?1";
    LOAD_SESSIONS(text) = SELECT_SESSION, "IN (SELECT value FROM json_each(?1))";
    IS_REGISTERED(text) = @repeated
        "SELECT EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = ?1)";

    LIST_SESSION_IDS(text, text, text, text, text, int) = LIST_IDS, NEWEST_FIRST;
    LIST_SESSION_IDS_OF_WORKTREE(text, text, text, text, text, int, text) =
        LIST_IDS, "AND s.worktree = ?7 ", NEWEST_FIRST;
    /// Walks along the ids, and no further than the page.
    LIST_SESSION_IDS_BY_ID(text, text, text, text, text, text, text, int) = LIST_IDS,
        "AND (?6 IS NULL OR s.worktree = ?6) AND s.session_id > ?7 ORDER BY s.session_id LIMIT ?8";
    LIST_PEER_IDS(text, text, int) =
        "SELECT session_id FROM claude_sessions
         WHERE worktree = ?1 AND status IN ('active', 'idle') AND session_id <> ?2
         ORDER BY heartbeat_at DESC, session_id LIMIT ?3";

    /// Reads only the index of the sessions that still have to be swept, not the table.
    LIST_EXPIRED_SESSION_IDS(int, text, text, text) =
        "SELECT session_id FROM claude_sessions
         WHERE swept = 0 AND (lease_expires_at <= ?2 OR status = 'ended'
             OR heartbeat_at > ?3 OR lease_expires_at > ?4)
         ORDER BY lease_expires_at LIMIT ?1";
}

/// Every status that a session can have.
const ALL_STATUSES: &[SessionStatus] =
    &[SessionStatus::Active, SessionStatus::Idle, SessionStatus::Ended, SessionStatus::Lost];

pub(in crate::store::sql) fn session_from_row(row: &dyn Row) -> Result<Session> {
    Ok(Session {
        lineage: row.get(SessionColumn::Lineage)?,
        id: row.get(SessionColumn::Id)?,
        repo: row.get(SessionColumn::Repo)?,
        worktree: row.get(SessionColumn::Worktree)?,
        host: row.get(SessionColumn::Host)?,
        process: row.process(SessionColumn::Process)?,
        status: row.get(SessionColumn::Status)?,
        ended_reason: row.get(SessionColumn::EndedReason)?,
        predecessor: row.get(SessionColumn::Predecessor)?,
        registered_at: row.get(SessionColumn::RegisteredAt)?,
        heartbeat_at: row.get(SessionColumn::HeartbeatAt)?,
        lease_expires_at: row.get(SessionColumn::LeaseExpiresAt)?,
        silent_until: row.lenient_time(SessionColumn::SilentUntil),
        revision: row.get(SessionColumn::Revision)?,
        acknowledged: row.get(SessionColumn::Acknowledged)?,
        metadata: row.json(SessionColumn::Metadata)?,
        item: row.get(SessionColumn::Item)?,
        epoch: row.get(SessionColumn::Epoch).unwrap_or_default(),
        claimed_at: row.lenient_time(SessionColumn::ClaimedAt),
        read_at: row.get(SessionColumn::ReadAt)?,
    })
}

pub(in crate::store::sql) fn load_session(
    tx: &mut impl Tx,
    id: &SessionId,
) -> Result<Option<Session>> {
    tx.row(&LOAD_SESSION, args![id], session_from_row)
}

/// Says that a session will be read.
pub(in crate::store::sql) fn prefetch_session(tx: &mut impl Tx, id: &SessionId) {
    tx.prefetch(&LOAD_SESSION, args![id]);
}

/// Reads a session that an operation needs.
pub(in crate::store::sql) fn load_registered(tx: &mut impl Tx, id: &SessionId) -> Result<Session> {
    load_session(tx, id)?.ok_or_else(|| unregistered_error(id))
}

/// Says that [`is_registered`] will be asked.
pub(in crate::store::sql) fn prefetch_is_registered(tx: &mut impl Tx, id: &SessionId) {
    tx.prefetch(&IS_REGISTERED, args![id]);
}

pub(in crate::store::sql) fn is_registered(tx: &mut impl Tx, id: &SessionId) -> Result<bool> {
    tx.one_row(&IS_REGISTERED, args![id], |row| row.get(0))
}

/// Refuses an operation of a session that is not registered.
pub(in crate::store::sql) fn check_registered(tx: &mut impl Tx, id: &SessionId) -> Result<()> {
    if is_registered(tx, id)? { Ok(()) } else { Err(unregistered_error(id)) }
}

pub(in crate::store::sql) fn list_sessions(
    tx: &mut impl Tx,
    filter: &SessionFilter,
) -> Result<Vec<Session>> {
    if let Some(page) = &filter.page {
        return list_sessions_by_id(tx, filter, page.clone());
    }
    let ids: Vec<String> =
        ask_for_ids(filter, |statement, args| tx.rows(statement, args, |row| row.get(0)))?;
    load_readable_sessions(tx, &ids)
}

/// Lists a page of sessions. It is as long as asked for while there are rows, whatever of them
/// cannot be read: a shorter one is the last.
fn list_sessions_by_id(
    tx: &mut impl Tx,
    filter: &SessionFilter,
    mut page: KeyPage,
) -> Result<Vec<Session>> {
    let mut sessions = Vec::new();
    while page.limit > 0 {
        let part = SessionFilter { page: Some(page.clone()), ..filter.clone() };
        let ids: Vec<String> =
            ask_for_ids(&part, |statement, args| tx.rows(statement, args, |row| row.get(0)))?;
        let Some(last) = ids.last() else {
            break;
        };
        page.after.clone_from(last);
        let readable = load_readable_sessions(tx, &ids)?;
        page.limit -= u32::try_from(readable.len()).unwrap_or(page.limit).min(page.limit);
        sessions.extend(readable);
    }
    Ok(sessions)
}

/// Says that sessions will be listed.
pub(in crate::store::sql) fn prefetch_sessions(tx: &mut impl Tx, filter: &SessionFilter) {
    ask_for_ids(filter, |statement, args| tx.prefetch(statement, args));
}

fn ask_for_ids<T>(
    filter: &SessionFilter,
    ask: impl FnOnce(&'static Statement, &[Arg<'_>]) -> T,
) -> T {
    let wanted = match filter.statuses.as_slice() {
        [] => ALL_STATUSES,
        some => some,
    };
    // The statement has as many places as there are statuses; a repeated one changes nothing.
    let status = |place: usize| wanted.get(place).unwrap_or(&wanted[0]).as_str();
    let limit = match filter.limit {
        0 => i64::MAX,
        limit => i64::from(limit),
    };
    let prefix = filter.prefix.as_deref().unwrap_or_default();
    let (s0, s1, s2, s3) = (status(0), status(1), status(2), status(3));
    if let Some(page) = &filter.page {
        let args = args![s0, s1, s2, s3, prefix, filter.worktree, page.after, page.limit];
        return ask(&LIST_SESSION_IDS_BY_ID, args);
    }
    match &filter.worktree {
        None => ask(&LIST_SESSION_IDS, args![s0, s1, s2, s3, prefix, limit]),
        Some(worktree) => {
            ask(&LIST_SESSION_IDS_OF_WORKTREE, args![s0, s1, s2, s3, prefix, limit, worktree])
        }
    }
}

pub(in crate::store::sql) fn list_peers(
    tx: &mut impl Tx,
    session: &Session,
    limit: u32,
) -> Result<Vec<Session>> {
    let args = args![session.worktree, session.id, limit];
    let ids: Vec<String> = tx.rows(&LIST_PEER_IDS, args, |row| row.get(0))?;
    load_readable_sessions(tx, &ids)
}

/// Says that the other sessions of a worktree will be listed.
pub(in crate::store::sql) fn prefetch_peers(
    tx: &mut impl Tx,
    worktree: Option<&str>,
    session: &SessionId,
    limit: u32,
) {
    tx.prefetch(&LIST_PEER_IDS, args![worktree, session, limit]);
}

pub(in crate::store::sql) fn sessions_with_expired_lease(
    tx: &mut impl Tx,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Session>> {
    let latest_sign = now.plus_seconds(SKEW_SECONDS);
    let latest_lease = latest_sign.plus_seconds(MAX_LEASE_SECONDS);
    let ids: Vec<String> = tx.rows(
        &LIST_EXPIRED_SESSION_IDS,
        args![limit, now.to_string(), latest_sign.to_string(), latest_lease.to_string()],
        |row| row.get(0),
    )?;
    load_readable_sessions(tx, &ids)
}

/// Reads the sessions that a narrow statement named, in its order; mostly it names none.
///
/// A row that others wrote and nobody can read is left out: it is reported when that session is
/// asked for, and must not keep everybody from the list.
fn load_readable_sessions(tx: &mut impl Tx, ids: &[String]) -> Result<Vec<Session>> {
    let readable = |row: &dyn Row| match session_from_row(row) {
        Err(StoreError::Unreadable { .. }) => Ok(None),
        read => read.map(Some),
    };
    let (statement, names): (&'static Statement, String) = match ids {
        [] => return Ok(Vec::new()),
        [id] => (&LOAD_SESSION, id.clone()),
        several => (&LOAD_SESSIONS, json!(several).to_string()),
    };
    let sessions = tx.rows(statement, args![names], readable)?;
    let mut by_id: BTreeMap<String, Session> =
        sessions.into_iter().flatten().map(|session| (session.id.to_string(), session)).collect();
    Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
}
