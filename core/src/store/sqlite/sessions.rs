//! Sessions: registration, leases and state.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params, params};
use serde_json::{Map, Value as Json, json};

use super::errors::from_sqlite;
use super::stored_text::{stored_object, stored_optional_text, stored_text};
use super::{NOW, execute_cached, is_replay, require_registered, rows, unregistered_error};
use crate::model::{
    FieldValue, MAX_LEASE_SECONDS, Revision, SKEW_SECONDS, Session, SessionId, StateField,
};
use crate::store::api::InterruptionMark;
use crate::store::{
    HeartbeatRequest, Provenance, Result, SessionFilter, SessionRegistration, StatePush, StoreError,
};

/// Every key of the contract that a metadata lacks, as arguments of `json_insert`: who reads
/// the column by plain SQL finds them all, absent values as `null`.
const METADATA_DEFAULTS: &str =
    "'$.auto_proceed', json('false'), '$.chain_orchestrators', json('false'),
     '$.execution_state.currentSd', NULL, '$.execution_state.currentPhase', NULL,
     '$.execution_state.currentTask', NULL, '$.execution_state.isActive', json('false'),
     '$.execution_state.wasInterrupted', json('false'), '$.execution_state.lastUpdatedAt', NULL";

pub(super) fn load_session(connection: &Connection, id: &SessionId) -> Result<Option<Session>> {
    let sql = format!(
        "SELECT {} FROM {} WHERE s.session_id = ?1",
        rows::SESSION_COLUMNS,
        rows::SESSION_TABLES
    );
    // Compiling so wide a statement costs more than running it, and one process may ask for
    // several sessions.
    let mut statement = connection.prepare_cached(&sql).map_err(from_sqlite)?;
    statement
        .query_row([id.as_str()], rows::session_from_row)
        .optional()
        .map_err(from_sqlite)
}

pub(super) fn list_sessions(
    connection: &Connection,
    filter: &SessionFilter,
) -> Result<Vec<Session>> {
    let statuses: Vec<String> = filter
        .statuses
        .iter()
        .map(|status| format!("'{status}'"))
        .collect();
    let status = if statuses.is_empty() {
        String::new()
    } else {
        format!("AND s.status IN ({})", statuses.join(", "))
    };
    let worktree = if filter.worktree.is_some() {
        "AND s.worktree = ?1"
    } else {
        "AND ?1 IS NULL"
    };
    let prefix = if filter.prefix.is_some() {
        "AND substr(s.session_id, 1, length(?3)) = ?3"
    } else {
        "AND ?3 IS NULL"
    };
    let limit = if filter.limit == 0 {
        -1
    } else {
        i64::from(filter.limit)
    };
    let sql = format!(
        "SELECT s.session_id FROM claude_sessions s WHERE 1 {worktree} {status} {prefix} \
         ORDER BY s.heartbeat_at DESC, s.session_id LIMIT ?2"
    );
    load_selected_sessions(
        connection,
        &sql,
        params![filter.worktree, limit, filter.prefix],
    )
}

pub(super) fn sessions_with_expired_lease(
    connection: &Connection,
    limit: u32,
) -> Result<Vec<Session>> {
    load_selected_sessions(connection, &expired_lease_sql(), [limit])
}

/// Walks the index of what no sweep has swept, and no table.
pub(super) fn expired_lease_sql() -> String {
    let ahead_of_now = |seconds: u64| {
        let seconds = seconds.saturating_add(SKEW_SECONDS);
        format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+{seconds} seconds')")
    };
    format!(
        "SELECT session_id FROM claude_sessions \
         WHERE swept = 0 AND (lease_expires_at <= {NOW} OR status = 'ended' \
             OR heartbeat_at > {} OR lease_expires_at > {}) \
         ORDER BY lease_expires_at LIMIT ?1",
        ahead_of_now(0),
        ahead_of_now(MAX_LEASE_SECONDS)
    )
}

/// Reads the sessions that a narrow statement names: most often there are none.
fn load_selected_sessions(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Session>> {
    let mut statement = connection.prepare(sql).map_err(from_sqlite)?;
    let ids: Vec<String> = statement
        .query_map(parameters, |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    let mut sessions = Vec::with_capacity(ids.len());
    for id in ids {
        // A row that others wrote and nobody can read is one session's trouble, told when that
        // one is asked for; it must not take the list away from everybody.
        match id.parse().map(|id| load_session(connection, &id)) {
            Ok(Ok(session)) => sessions.extend(session),
            Ok(Err(StoreError::Corrupt(_))) | Err(_) => {}
            Ok(Err(error)) => return Err(error),
        }
    }
    Ok(sessions)
}

pub(super) fn register_session(
    tx: &Transaction<'_>,
    registration: &SessionRegistration,
) -> Result<Session> {
    let process = registration.process.as_ref();
    let started = process
        .and_then(|p| p.started)
        .and_then(|ticks| i64::try_from(ticks).ok());
    let sql = format!(
        "INSERT INTO claude_sessions (session_id, repo, worktree, host, pid, pid_started, boot_id, machine_id, pid_namespace,
             predecessor, metadata, lease_expires_at, last_actor, last_reason, last_op)
         VALUES (:id, :repo, :worktree, :host, :pid, :started, :boot, :machine, :namespace, :predecessor,
             json_insert(json_object('branch', :branch, 'auto_proceed', json('false'),
                 'chain_orchestrators', json('false'), 'execution_state', json('{{}}')), {METADATA_DEFAULTS}),
             strftime('%Y-%m-%dT%H:%M:%fZ', 'now', :lease), :actor, :reason, :op)
         ON CONFLICT (session_id) DO UPDATE SET
             repo = coalesce(:repo, repo), worktree = coalesce(:worktree, worktree),
             host = coalesce(:host, host), pid = :pid, pid_started = :started, boot_id = :boot,
             machine_id = :machine, pid_namespace = :namespace,
             predecessor = coalesce(predecessor, :predecessor), status = 'active',
             metadata = CASE WHEN :branch IS NULL OR branch IS :branch THEN metadata
                             ELSE json_set(metadata, '$.branch', :branch) END,
             ended_reason = NULL, swept = 0, heartbeat_at = {NOW},
             lease_expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', :lease),
             last_actor = :actor, last_reason = :reason, last_op = :op"
    );
    tx.execute(
        &sql,
        named_params! {
            ":id": registration.session.as_str(),
            ":repo": registration.repo,
            ":worktree": registration.worktree,
            ":host": registration.host,
            ":pid": process.map(|p| p.pid),
            ":started": started,
            ":boot": process.and_then(|p| p.place.boot.as_deref()),
            ":machine": process.and_then(|p| p.place.machine.as_deref()),
            ":namespace": process.and_then(|p| p.place.namespace.as_deref()),
            ":predecessor": registration.predecessor.as_ref().map(SessionId::as_str),
            ":branch": registration.branch,
            ":lease": seconds_modifier(registration.lease_seconds),
            ":actor": registration.provenance.actor,
            ":reason": registration.provenance.reason,
            ":op": registration.provenance.op_id,
        },
    )
    .map_err(from_sqlite)?;
    require_registered(
        load_session(tx, &registration.session)?,
        &registration.session,
    )
}

pub(super) fn record_heartbeat(tx: &Transaction<'_>, heartbeat: &HeartbeatRequest) -> Result<()> {
    let sql = format!(
        "UPDATE claude_sessions SET
             heartbeat_at = CASE WHEN ?2 IS NULL THEN heartbeat_at ELSE {NOW} END,
             lease_expires_at =
                 coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?2), lease_expires_at),
             silent_until = coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?3), silent_until),
             status = coalesce(?4, status),
             -- A sign of life has no operation of its own; a change of status by one is still
             -- the session's, not plain SQL's.
             last_actor = CASE WHEN ?4 IS NULL OR ?4 = status THEN last_actor ELSE ?1 END,
             last_reason = CASE WHEN ?4 IS NULL OR ?4 = status THEN last_reason END,
             last_op = CASE WHEN ?4 IS NULL OR ?4 = status THEN last_op
                            ELSE 'heartbeat-' || lower(hex(randomblob(16))) END,
             swept = CASE WHEN coalesce(?4, status) IN ('active', 'idle') THEN 0 ELSE swept END
         WHERE session_id = ?1"
    );
    let changed = tx
        .execute(
            &sql,
            params![
                heartbeat.session.as_str(),
                heartbeat.lease_seconds.map(seconds_modifier),
                heartbeat.quiet_seconds.map(seconds_modifier),
                heartbeat.status.map(crate::model::SessionStatus::as_str),
            ],
        )
        .map_err(from_sqlite)?;
    if changed == 0 {
        return Err(unregistered_error(&heartbeat.session));
    }
    Ok(())
}

/// Writes a duration as a modifier of SQLite's date functions.
fn seconds_modifier(count: u64) -> String {
    format!("+{count} seconds")
}

pub(super) fn push_state(tx: &Transaction<'_>, push: &StatePush) -> Result<Session> {
    if is_replay(tx, &push.provenance)? {
        return require_registered(load_session(tx, &push.session)?, &push.session);
    }
    let mark_columns = match push.mark {
        None => "",
        Some(InterruptionMark::Interrupted) => ", '$.execution_state.lastInterruptedAt', {now}",
        Some(InterruptionMark::Resumed) => {
            ", '$.execution_state.lastResumedAt', {now}, '$.execution_state.resumeCount',
             coalesce(json_extract(metadata, '$.execution_state.resumeCount'), 0) + 1"
        }
        Some(InterruptionMark::HistoryCleared) => {
            ", '$.execution_state.lastInterruptedAt', NULL,
             '$.execution_state.lastResumedAt', NULL, '$.execution_state.resumeCount', 0"
        }
    }
    .replace("{now}", NOW);
    let sql = format!(
        "UPDATE claude_sessions SET
             metadata = json_insert(json_set(json_patch(metadata, :patch),
                 '$.execution_state.lastUpdatedAt', {NOW} {mark_columns}), {METADATA_DEFAULTS}),
             acknowledged_revision = acknowledged_revision
                 + (:acknowledge AND acknowledged_revision = revision),
             last_actor = :actor, last_reason = :reason, last_op = :op
         WHERE session_id = :id AND revision = :base
           AND (:item IS NULL OR EXISTS (SELECT 1 FROM work_items WHERE key = :item
                AND holder = :id AND claim_epoch = :epoch))"
    );
    let fence = push.fencing_token.as_ref();
    let changed = execute_cached(
        tx,
        &sql,
        named_params! {
            ":patch": stored_object(&metadata_patch(push)),
            ":acknowledge": push.acknowledge,
            ":actor": push.provenance.actor,
            ":reason": push.provenance.reason,
            ":op": push.provenance.op_id,
            ":id": push.session.as_str(),
            ":base": to_signed(push.base.0),
            ":item": fence.map(|(item, _)| item.as_str()),
            ":epoch": fence.map(|(_, epoch)| to_signed(epoch.0)),
        },
    )?;
    if changed == 0 {
        let session = require_registered(load_session(tx, &push.session)?, &push.session)?;
        return Err(StoreError::Conflict(if session.revision == push.base {
            "the claim it was made under belongs to another session".to_owned()
        } else {
            format!(
                "it was made from revision {}, but the current one is {}",
                push.base, session.revision
            )
        }));
    }
    // A push that changed nothing raised no revision: what comes next must still be told.
    execute_cached(
        tx,
        "UPDATE claude_sessions SET acknowledged_revision = revision
         WHERE session_id = ?1 AND acknowledged_revision > revision",
        [push.session.as_str()],
    )?;
    if let Some(FieldValue::Text(phase)) = push.changes.get(&StateField::Phase) {
        tx.execute(
            "UPDATE work_items SET phase = ?1, under_epoch = claim_epoch, last_actor = ?2, last_reason = ?3, last_op = ?4
             WHERE holder = ?5 AND phase IS NOT ?1",
            params![
                stored_optional_text(phase.as_ref()),
                push.provenance.actor,
                push.provenance.reason,
                push.provenance.op_id,
                push.session.as_str()
            ],
        )
        .map_err(from_sqlite)?;
    }
    require_registered(load_session(tx, &push.session)?, &push.session)
}

/// Returns the change as a merge patch of the metadata; `null` removes a key.
fn metadata_patch(push: &StatePush) -> Map<String, Json> {
    let mut metadata = Map::new();
    let mut state = Map::new();
    for (field, value) in &push.changes {
        let value = match value {
            FieldValue::Flag(flag) => json!(flag),
            FieldValue::Text(text) => json!(text),
        };
        match field {
            StateField::AutoProceed => metadata.insert("auto_proceed".to_owned(), value),
            StateField::ChainOrchestrators => {
                metadata.insert("chain_orchestrators".to_owned(), value)
            }
            other => state.insert(other.key().to_owned(), value),
        };
    }
    if let Some(branch) = &push.branch {
        metadata.insert("branch".to_owned(), json!(branch));
    }
    // Present even when empty, so that the moment of the change has a place.
    metadata.insert("execution_state".to_owned(), Json::Object(state));
    metadata
}

/// Counters fit SQLite's signed integers; one that does not matches no row.
pub(super) fn to_signed(counter: u64) -> i64 {
    i64::try_from(counter).unwrap_or(-1)
}

pub(super) fn merge_metadata(
    tx: &Transaction<'_>,
    id: &SessionId,
    patch: &Map<String, Json>,
    provenance: &Provenance,
) -> Result<Session> {
    if is_replay(tx, provenance)? {
        return require_registered(load_session(tx, id)?, id);
    }
    patch_metadata(tx, id, patch, provenance)
}

/// Merges as one step of an operation that has others.
pub(super) fn patch_metadata(
    tx: &Transaction<'_>,
    id: &SessionId,
    patch: &Map<String, Json>,
    provenance: &Provenance,
) -> Result<Session> {
    let patched = if patch.contains_key("execution_state") {
        format!("json_insert(json_patch(metadata, ?2), {METADATA_DEFAULTS})")
    } else {
        "json_patch(metadata, ?2)".to_owned()
    };
    tx.execute(
        &format!(
            "UPDATE claude_sessions SET metadata = {patched},
                 last_actor = ?3, last_reason = ?4, last_op = ?5
             WHERE session_id = ?1"
        ),
        params![
            id.as_str(),
            stored_object(patch),
            provenance.actor,
            provenance.reason,
            provenance.op_id
        ],
    )
    .map_err(from_sqlite)?;
    require_registered(load_session(tx, id)?, id)
}

pub(super) fn acknowledge_revision(
    tx: &Transaction<'_>,
    id: &SessionId,
    revision: Revision,
) -> Result<()> {
    let changed = tx
        .execute(
            "UPDATE claude_sessions SET acknowledged_revision =
             max(acknowledged_revision, min(?2, revision)) WHERE session_id = ?1",
            params![id.as_str(), to_signed(revision.0)],
        )
        .map_err(from_sqlite)?;
    if changed == 0 {
        return Err(unregistered_error(id));
    }
    Ok(())
}

pub(super) fn end_session(
    tx: &Transaction<'_>,
    id: &SessionId,
    reason: &str,
    provenance: &Provenance,
) -> Result<Session> {
    // A goodbye that is repeated late must not end a session that was resumed since.
    if is_replay(tx, provenance)? {
        return require_registered(load_session(tx, id)?, id);
    }
    // A second goodbye changes nothing and would leave no trace of having been carried out.
    tx.execute(
        "INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
         SELECT ?3, 'session', session_id, 'ended', json_object('status', status),
                json_object('status', status), ?2, ?4
         FROM claude_sessions WHERE session_id = ?1 AND status = 'ended'",
        params![
            id.as_str(),
            stored_text(reason),
            provenance.actor,
            provenance.op_id
        ],
    )
    .map_err(from_sqlite)?;
    tx.execute(
        "UPDATE claude_sessions SET status = 'ended', ended_reason = ?2,
             swept = NOT EXISTS (SELECT 1 FROM work_items WHERE holder = ?1),
             last_actor = ?3, last_reason = ?2, last_op = ?4
         WHERE session_id = ?1",
        params![
            id.as_str(),
            stored_text(reason),
            provenance.actor,
            provenance.op_id
        ],
    )
    .map_err(from_sqlite)?;
    require_registered(load_session(tx, id)?, id)
}
