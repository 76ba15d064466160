//! Rows into values. A stored text that is no value of its type is a damaged row, named.

use std::str::FromStr;

use rusqlite::types::Type;
use rusqlite::{Error, Row};

use crate::model::{
    Epoch, Item, ItemKey, Lineage, Orchestrator, PortSlot, ProcessId, ProcessPlace, Revision,
    RunEnd, Session, Timestamp,
};
use crate::store::LastHolder;
use crate::text;

pub(super) type RowResult<T> = rusqlite::Result<T>;

pub(super) fn unreadable_column(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

pub(super) fn parse_column<T>(row: &Row<'_>, column: usize) -> RowResult<T>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    row.get_ref(column)?
        .as_str()
        .map_err(Error::from)?
        .parse()
        .map_err(|error| unreadable_column(column, error))
}

pub(super) fn parse_optional_column<T>(row: &Row<'_>, column: usize) -> RowResult<Option<T>>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => parse_column(row, column).map(Some),
    }
}

/// Reads a time that may be absent; one that others wrote in a form nobody reads is absent.
pub(super) fn parse_lenient_time(row: &Row<'_>, column: usize) -> Option<Timestamp> {
    parse_optional_column(row, column).unwrap_or_default()
}

pub(super) fn parse_time(row: &Row<'_>, column: usize) -> RowResult<Timestamp> {
    parse_column(row, column)
}

pub(super) fn parse_count(row: &Row<'_>, column: usize) -> RowResult<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|error| unreadable_column(column, error))
}

/// Reads when and where a process of this number started, from `pid_started, boot_id,
/// machine_id, pid_namespace`.
fn parse_process_with_pid(row: &Row<'_>, pid: u32, first: usize) -> RowResult<ProcessId> {
    let started: Option<i64> = row.get(first)?;
    Ok(ProcessId {
        pid,
        started: started.and_then(|ticks| u64::try_from(ticks).ok()),
        place: ProcessPlace {
            boot: row.get(first + 1)?,
            machine: row.get(first + 2)?,
            namespace: row.get(first + 3)?,
        },
    })
}

/// Reads a process that may be absent from its number and the four columns of [`incarnation`] behind it.
pub(super) fn parse_process(row: &Row<'_>, column: usize) -> RowResult<Option<ProcessId>> {
    let pid: Option<u32> = row.get(column)?;
    pid.map(|pid| parse_process_with_pid(row, pid, column + 1))
        .transpose()
}

/// Reads a slot by its backend's port.
pub(super) fn parse_slot(row: &Row<'_>, column: usize) -> RowResult<PortSlot> {
    let port: u16 = row.get(column)?;
    PortSlot::from_backend_port(port).ok_or(Error::IntegralValueOutOfRange(column, i64::from(port)))
}

pub(super) fn parse_revision(row: &Row<'_>, column: usize) -> RowResult<Revision> {
    parse_count(row, column).map(Revision)
}

pub(super) fn parse_json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
) -> RowResult<T> {
    let value = row.get_ref(column)?.as_str().map_err(Error::from)?;
    // Others write keys of their own into these, with whatever tool.
    text::lenient_json::from_str(value).map_err(|error| unreadable_column(column, error))
}

/// The columns [`session`] reads, of `claude_sessions s` left-joined to `work_items w`.
pub(super) const SESSION_COLUMNS: &str = "s.session_id, s.repo, s.worktree, s.host, s.status, s.ended_reason, s.predecessor, s.registered_at, s.heartbeat_at, \
     s.lease_expires_at, s.silent_until, s.revision, s.acknowledged_revision, s.metadata, w.key, \
     w.claim_epoch, w.claimed_at, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), \
     (SELECT value FROM trueup_meta WHERE key = 'lineage'), \
     s.pid, s.pid_started, s.boot_id, s.machine_id, s.pid_namespace";

/// The join that goes with [`SESSION`].
pub(super) const SESSION_TABLES: &str =
    "claude_sessions s LEFT JOIN work_items w ON w.holder = s.session_id";

pub(super) fn session_from_row(row: &Row<'_>) -> RowResult<Session> {
    Ok(Session {
        lineage: Lineage(row.get(18)?),
        id: parse_column(row, 0)?,
        repo: row.get(1)?,
        worktree: row.get(2)?,
        host: row.get(3)?,
        process: parse_process(row, 19)?,
        status: parse_column(row, 4)?,
        ended_reason: row.get(5)?,
        predecessor: parse_optional_column(row, 6)?,
        registered_at: parse_time(row, 7)?,
        heartbeat_at: parse_time(row, 8)?,
        lease_expires_at: parse_time(row, 9)?,
        silent_until: parse_lenient_time(row, 10),
        revision: parse_revision(row, 11)?,
        acknowledged: Revision(parse_count(row, 12)?),
        metadata: parse_json(row, 13)?,
        item: parse_optional_column(row, 14)?,
        epoch: row
            .get::<_, Option<i64>>(15)?
            .and_then(|e| u64::try_from(e).ok())
            .map(Epoch),
        claimed_at: parse_lenient_time(row, 16),
        read_at: parse_time(row, 17)?,
    })
}

/// The columns [`item`] reads, of `work_items`.
pub(super) const ITEM_COLUMNS: &str = "key, title, kind, parent, position, repo, status, phase, holder, \
     claim_epoch, claimed_at, error_message, evidence, revision, created_at, updated_at, \
     completed_at, requires_evidence, open_dependencies, \
     (SELECT group_concat(depends_on, ' ') FROM item_dependencies WHERE item = key)";

/// Reads a holder and until when it was one.
pub(super) fn last_holder_from_row(row: &Row<'_>) -> RowResult<LastHolder> {
    Ok(LastHolder {
        session: parse_column(row, 0)?,
        until: parse_time(row, 1)?,
    })
}

/// Reads keys joined by spaces, which none contains, in order.
fn parse_keys(row: &Row<'_>, column: usize) -> RowResult<Vec<ItemKey>> {
    let joined: Option<String> = row.get(column)?;
    let keys = joined
        .as_deref()
        .unwrap_or_default()
        .split_ascii_whitespace();
    let keys: Result<Vec<ItemKey>, _> = keys.map(str::parse).collect();
    let mut keys = keys.map_err(|error| unreadable_column(column, error))?;
    keys.sort();
    Ok(keys)
}

pub(super) fn item_from_row(row: &Row<'_>) -> RowResult<Item> {
    Ok(Item {
        key: parse_column(row, 0)?,
        title: row.get(1)?,
        kind: row.get(2)?,
        parent: parse_optional_column(row, 3)?,
        position: row.get(4)?,
        repo: row.get(5)?,
        status: parse_column(row, 6)?,
        phase: row.get(7)?,
        holder: parse_optional_column(row, 8)?,
        epoch: Epoch(parse_count(row, 9)?),
        claimed_at: parse_lenient_time(row, 10),
        error_message: row.get(11)?,
        evidence: row.get(12)?,
        requires_evidence: row.get(17)?,
        depends_on: parse_keys(row, 19)?,
        open_dependencies: parse_count(row, 18)?,
        revision: parse_revision(row, 13)?,
        created_at: parse_time(row, 14)?,
        updated_at: parse_time(row, 15)?,
        completed_at: parse_lenient_time(row, 16),
    })
}

/// The columns [`orchestrator`] reads, of `orchestrators`.
pub(super) const ORCHESTRATOR_COLUMNS: &str = "id, plan_id, session_id, host, \
     supervised, status, started_at, heartbeat_at, stopped_at, exit_code, signal, reason, epoch, \
     revision, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), \
     pid, pid_started, boot_id, machine_id, pid_namespace";

pub(super) fn orchestrator_from_row(row: &Row<'_>) -> RowResult<Orchestrator> {
    Ok(Orchestrator {
        id: parse_column(row, 0)?,
        plan: parse_column(row, 1)?,
        session: parse_optional_column(row, 2)?,
        host: row.get(3)?,
        process: parse_process_with_pid(row, row.get(15)?, 16)?,
        supervised: row.get(4)?,
        status: parse_column(row, 5)?,
        started_at: parse_time(row, 6)?,
        heartbeat_at: parse_time(row, 7)?,
        stopped_at: parse_lenient_time(row, 8),
        end: RunEnd {
            exit_code: row.get(9)?,
            signal: row.get(10)?,
        },
        reason: row.get(11)?,
        epoch: Epoch(parse_count(row, 12)?),
        revision: Revision(parse_count(row, 13)?),
        read_at: parse_time(row, 14)?,
    })
}
