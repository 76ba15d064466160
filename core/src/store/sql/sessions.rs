//! Sessions: registration, leases and state.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::NOW;
use super::engine::{Tx, args};
use super::row::Row;
use super::statement::{Statement, columns, joined, statements};
use super::stored_text::{stored_object, stored_optional_text, stored_text};
use crate::model::{
    FieldValue, MAX_LEASE_SECONDS, Revision, SKEW_SECONDS, Session, SessionId, SessionStatus,
    StateField,
};
use crate::store::{
    HeartbeatRequest, InterruptionMark, Provenance, Result, SessionFilter, SessionRegistration,
    StatePush, StoreError,
};

columns! {
    /// The columns of a session with the item that it holds.
    enum SessionColumn {
        Id = "s.session_id",
        Repo = "s.repo",
        Worktree = "s.worktree",
        Host = "s.host",
        Status = "s.status",
        EndedReason = "s.ended_reason",
        Predecessor = "s.predecessor",
        RegisteredAt = "s.registered_at",
        HeartbeatAt = "s.heartbeat_at",
        LeaseExpiresAt = "s.lease_expires_at",
        SilentUntil = "s.silent_until",
        Revision = "s.revision",
        Acknowledged = "s.acknowledged_revision",
        Metadata = "s.metadata",
        Item = "w.key",
        Epoch = "w.claim_epoch",
        ClaimedAt = "w.claimed_at",
        ReadAt = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
        Lineage = "(SELECT value FROM trueup_meta WHERE key = 'lineage')",
        Process = "s.pid",
        _Started = "s.pid_started",
        _Boot = "s.boot_id",
        _Machine = "s.machine_id",
        _Namespace = "s.pid_namespace",
    }
}

const SELECT_SESSION: &str = joined!(
    "SELECT ",
    SessionColumn::SQL,
    " FROM claude_sessions s LEFT JOIN work_items w ON w.holder = s.session_id WHERE s.session_id "
);

/// Every key of a session's metadata that it may lack, as arguments of `json_insert`: a reader of
/// the column by plain SQL finds them all, absent values as `null`.
const METADATA_DEFAULTS: &str = "'$.auto_proceed', json('false'), '$.chain_orchestrators', \
     json('false'), '$.execution_state.currentSd', NULL, '$.execution_state.currentPhase', NULL, \
     '$.execution_state.currentTask', NULL, '$.execution_state.isActive', json('false'), \
     '$.execution_state.wasInterrupted', json('false'), '$.execution_state.lastUpdatedAt', NULL";

const LIST_IDS: &str = "SELECT s.session_id FROM claude_sessions s \
     WHERE s.status IN (?1, ?2, ?3, ?4) AND substr(s.session_id, 1, length(?5)) = ?5 ";
const NEWEST_FIRST: &str = "ORDER BY s.heartbeat_at DESC, s.session_id LIMIT ?6";

const PUSH_START: &str = joined!(
    "UPDATE claude_sessions SET
         metadata = json_insert(json_set(json_patch(metadata, ?1),
             '$.execution_state.lastUpdatedAt', ",
    NOW
);
const PUSH_END: &str = joined!(
    "), ",
    METADATA_DEFAULTS,
    "),
         acknowledged_revision = acknowledged_revision
             + (?2 AND acknowledged_revision = revision),
         last_actor = ?3, last_reason = ?4, last_op = ?5
     WHERE session_id = ?6 AND revision = ?7
       AND (?8 IS NULL OR EXISTS (SELECT 1 FROM work_items WHERE key = ?8
            AND holder = ?6 AND claim_epoch = ?9))"
);

statements! {
    /// Compiling so wide a statement costs more than running it, and one process may ask for
    /// several sessions.
    LOAD_SESSION = @repeated SELECT_SESSION, "= ?1";
    LOAD_SESSIONS = SELECT_SESSION, "IN (SELECT value FROM json_each(?1))";
    IS_REGISTERED = @repeated "SELECT EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = ?1)";

    LIST_SESSION_IDS = LIST_IDS, NEWEST_FIRST;
    LIST_SESSION_IDS_OF_WORKTREE = LIST_IDS, "AND s.worktree = ?7 ", NEWEST_FIRST;

    /// Walks the index of the sessions that no sweep is done with, and no table.
    LIST_EXPIRED_SESSION_IDS =
        "SELECT session_id FROM claude_sessions
         WHERE swept = 0 AND (lease_expires_at <= ", NOW, " OR status = 'ended'
             OR heartbeat_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?2)
             OR lease_expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?3))
         ORDER BY lease_expires_at LIMIT ?1";

    REGISTER_SESSION =
        "INSERT INTO claude_sessions (session_id, repo, worktree, host, pid, pid_started, boot_id,
             machine_id, pid_namespace, predecessor, metadata, lease_expires_at, last_actor,
             last_reason, last_op)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
             json_insert(json_object('branch', ?11, 'auto_proceed', json('false'),
                 'chain_orchestrators', json('false'), 'execution_state', json('{}')), ",
                 METADATA_DEFAULTS, "),
             strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?12), ?13, ?14, ?15)
         ON CONFLICT (session_id) DO UPDATE SET
             repo = coalesce(?2, repo), worktree = coalesce(?3, worktree),
             host = coalesce(?4, host), pid = ?5, pid_started = ?6, boot_id = ?7,
             machine_id = ?8, pid_namespace = ?9,
             predecessor = coalesce(predecessor, ?10), status = 'active',
             metadata = CASE WHEN ?11 IS NULL OR branch IS NOT DISTINCT FROM ?11 THEN metadata
                             ELSE json_set(metadata, '$.branch', ?11) END,
             ended_reason = NULL, swept = 0, heartbeat_at = ", NOW, ",
             lease_expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?12),
             last_actor = ?13, last_reason = ?14, last_op = ?15";

    /// A sign of life has no operation of its own; a change of status by one is still the
    /// session's, not plain SQL's.
    RECORD_HEARTBEAT =
        "UPDATE claude_sessions SET
             heartbeat_at = CASE WHEN ?2 IS NULL THEN heartbeat_at ELSE ", NOW, " END,
             lease_expires_at =
                 coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?2), lease_expires_at),
             silent_until = coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?3), silent_until),
             status = coalesce(?4, status),
             last_actor = CASE WHEN ?4 IS NULL OR ?4 = status THEN last_actor ELSE ?1 END,
             last_reason = CASE WHEN ?4 IS NULL OR ?4 = status THEN last_reason END,
             last_op = CASE WHEN ?4 IS NULL OR ?4 = status THEN last_op ELSE ?5 END,
             swept = CASE WHEN coalesce(?4, status) IN ('active', 'idle') THEN 0 ELSE swept END
         WHERE session_id = ?1";

    PUSH_STATE = @repeated PUSH_START, PUSH_END;
    PUSH_INTERRUPTED_STATE = @repeated
        PUSH_START, ", '$.execution_state.lastInterruptedAt', ", NOW, PUSH_END;
    PUSH_RESUMED_STATE = @repeated
        PUSH_START, ", '$.execution_state.lastResumedAt', ", NOW,
        ", '$.execution_state.resumeCount',
         coalesce(json_extract(metadata, '$.execution_state.resumeCount'), 0) + 1", PUSH_END;
    PUSH_CLEARED_STATE = @repeated
        PUSH_START, ", '$.execution_state.lastInterruptedAt', NULL,
         '$.execution_state.lastResumedAt', NULL, '$.execution_state.resumeCount', 0", PUSH_END;

    /// A push that changed nothing raised no revision: the next change must still be told.
    LIMIT_ACKNOWLEDGED_REVISION = @repeated
        "UPDATE claude_sessions SET acknowledged_revision = revision
         WHERE session_id = ?1 AND acknowledged_revision > revision";

    UPDATE_PHASE_OF_HELD_ITEM =
        "UPDATE work_items SET phase = ?1, under_epoch = claim_epoch, last_actor = ?2,
             last_reason = ?3, last_op = ?4
         WHERE holder = ?5 AND phase IS DISTINCT FROM ?1";

    MERGE_METADATA =
        "UPDATE claude_sessions SET metadata = json_patch(metadata, ?2),
             last_actor = ?3, last_reason = ?4, last_op = ?5
         WHERE session_id = ?1";
    MERGE_METADATA_WITH_STATE =
        "UPDATE claude_sessions SET
             metadata = json_insert(json_patch(metadata, ?2), ", METADATA_DEFAULTS, "),
             last_actor = ?3, last_reason = ?4, last_op = ?5
         WHERE session_id = ?1";
    PATCH_EXECUTION_STATE =
        "UPDATE claude_sessions SET
             metadata = json_insert(json_set(json_patch(metadata, ?2),
                 '$.execution_state.lastUpdatedAt', ", NOW, "), ", METADATA_DEFAULTS, "),
             last_actor = ?3, last_reason = ?4, last_op = ?5
         WHERE session_id = ?1";

    ACKNOWLEDGE_REVISION =
        "UPDATE claude_sessions SET acknowledged_revision =
             max(acknowledged_revision, min(?2, revision))
         WHERE session_id = ?1"
        => postgres "UPDATE claude_sessions SET acknowledged_revision =
             greatest(acknowledged_revision, least(?2, revision))
         WHERE session_id = ?1";

    /// Ending an ended session changes nothing, and would leave no trace of the operation.
    RECORD_REPEATED_END =
        "INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
         SELECT ?3, 'session', session_id, 'ended', json_object('status', status),
                json_object('status', status), ?2, ?4
         FROM claude_sessions WHERE session_id = ?1 AND status = 'ended'";
    END_SESSION =
        "UPDATE claude_sessions SET status = 'ended', ended_reason = ?2,
             swept = NOT EXISTS (SELECT 1 FROM work_items WHERE holder = ?1),
             last_actor = ?3, last_reason = ?2, last_op = ?4
         WHERE session_id = ?1";
}

/// Every status that a session can have.
const ALL_STATUSES: &[SessionStatus] =
    &[SessionStatus::Active, SessionStatus::Idle, SessionStatus::Ended, SessionStatus::Lost];

fn session_from_row(row: &dyn Row) -> Result<Session> {
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

pub(super) fn load_session(tx: &mut impl Tx, id: &SessionId) -> Result<Option<Session>> {
    tx.row(&LOAD_SESSION, args![id], session_from_row)
}

/// Reads a session that an operation needs.
pub(super) fn load_registered(tx: &mut impl Tx, id: &SessionId) -> Result<Session> {
    load_session(tx, id)?.ok_or_else(|| unregistered_error(id))
}

pub(super) fn is_registered(tx: &mut impl Tx, id: &SessionId) -> Result<bool> {
    tx.one_row(&IS_REGISTERED, args![id], |row| row.get(0))
}

/// Refuses an operation of a session that is not registered.
pub(super) fn check_registered(tx: &mut impl Tx, id: &SessionId) -> Result<()> {
    if is_registered(tx, id)? { Ok(()) } else { Err(unregistered_error(id)) }
}

fn unregistered_error(id: &SessionId) -> StoreError {
    StoreError::invalid(format!("session {id} is not registered"))
}

pub(super) fn list_sessions(tx: &mut impl Tx, filter: &SessionFilter) -> Result<Vec<Session>> {
    let wanted = match filter.statuses {
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
    let ids: Vec<String> = match &filter.worktree {
        None => {
            tx.rows(&LIST_SESSION_IDS, args![s0, s1, s2, s3, prefix, limit], |row| row.get(0))?
        }
        Some(worktree) => tx.rows(
            &LIST_SESSION_IDS_OF_WORKTREE,
            args![s0, s1, s2, s3, prefix, limit, worktree],
            |row| row.get(0),
        )?,
    };
    load_readable_sessions(tx, &ids)
}

pub(super) fn sessions_with_expired_lease(tx: &mut impl Tx, limit: u32) -> Result<Vec<Session>> {
    let ids: Vec<String> = tx.rows(
        &LIST_EXPIRED_SESSION_IDS,
        args![
            limit,
            seconds_modifier(SKEW_SECONDS),
            seconds_modifier(MAX_LEASE_SECONDS.saturating_add(SKEW_SECONDS)),
        ],
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

pub(super) fn register_session(
    tx: &mut impl Tx,
    registration: &SessionRegistration,
) -> Result<Session> {
    let process = registration.process.as_ref();
    let started =
        process.and_then(|process| process.started).and_then(|ticks| i64::try_from(ticks).ok());
    tx.execute(
        &REGISTER_SESSION,
        args![
            registration.session,
            registration.repo,
            registration.worktree,
            registration.host,
            process.map(|process| process.pid),
            started,
            process.and_then(|process| process.place.boot.as_deref()),
            process.and_then(|process| process.place.machine.as_deref()),
            process.and_then(|process| process.place.namespace.as_deref()),
            registration.predecessor,
            registration.branch,
            seconds_modifier(registration.lease_seconds),
            registration.provenance.actor,
            registration.provenance.reason,
            registration.provenance.op_id,
        ],
    )?;
    load_registered(tx, &registration.session)
}

pub(super) fn record_heartbeat(tx: &mut impl Tx, heartbeat: &HeartbeatRequest) -> Result<()> {
    let operation = || format!("heartbeat-{}", uuid::Uuid::new_v4().simple());
    tx.change(
        &RECORD_HEARTBEAT,
        args![
            heartbeat.session,
            heartbeat.lease_seconds.map(seconds_modifier),
            heartbeat.quiet_seconds.map(seconds_modifier),
            heartbeat.status.map(SessionStatus::as_str),
            heartbeat.status.map(|_| operation()),
        ],
        || unregistered_error(&heartbeat.session),
    )
}

/// Writes a duration as a modifier of SQLite's date functions.
fn seconds_modifier(count: u64) -> String {
    format!("+{count} seconds")
}

pub(super) fn push_state(tx: &mut impl Tx, push: &StatePush) -> Result<Session> {
    if tx.is_replay(&push.provenance)? {
        return load_registered(tx, &push.session);
    }
    let statement = match push.mark {
        None => &PUSH_STATE,
        Some(InterruptionMark::Interrupted) => &PUSH_INTERRUPTED_STATE,
        Some(InterruptionMark::Resumed) => &PUSH_RESUMED_STATE,
        Some(InterruptionMark::HistoryCleared) => &PUSH_CLEARED_STATE,
    };
    let token = push.fencing_token.as_ref();
    let changed = tx.execute(
        statement,
        args![
            stored_object(&metadata_patch(push)),
            push.acknowledge,
            push.provenance.actor,
            push.provenance.reason,
            push.provenance.op_id,
            push.session,
            push.base,
            token.map(|(item, _)| item),
            token.map(|(_, epoch)| epoch),
        ],
    )?;
    if changed == 0 {
        let session = load_registered(tx, &push.session)?;
        return Err(StoreError::Conflict(if session.revision == push.base {
            "the claim it was made under belongs to another session".to_owned()
        } else {
            format!(
                "it was made from revision {}, but the current one is {}",
                push.base, session.revision
            )
        }));
    }
    tx.execute(&LIMIT_ACKNOWLEDGED_REVISION, args![push.session])?;
    if let Some(FieldValue::Text(phase)) = push.changes.get(&StateField::Phase) {
        tx.execute(
            &UPDATE_PHASE_OF_HELD_ITEM,
            args![
                stored_optional_text(phase.as_ref()),
                push.provenance.actor,
                push.provenance.reason,
                push.provenance.op_id,
                push.session,
            ],
        )?;
    }
    load_registered(tx, &push.session)
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

pub(super) fn merge_metadata(
    tx: &mut impl Tx,
    id: &SessionId,
    patch: &Map<String, Json>,
    provenance: &Provenance,
) -> Result<Session> {
    if !tx.is_replay(provenance)? {
        let statement = if patch.contains_key("execution_state") {
            &MERGE_METADATA_WITH_STATE
        } else {
            &MERGE_METADATA
        };
        write_patch(tx, statement, id, patch, provenance)?;
    }
    load_registered(tx, id)
}

/// Changes a session's execution state, as one step of an operation that has others.
pub(super) fn patch_execution_state(
    tx: &mut impl Tx,
    id: &SessionId,
    state: Json,
    provenance: &Provenance,
) -> Result<()> {
    let patch = Map::from_iter([("execution_state".to_owned(), state)]);
    write_patch(tx, &PATCH_EXECUTION_STATE, id, &patch, provenance)
}

fn write_patch(
    tx: &mut impl Tx,
    statement: &'static Statement,
    id: &SessionId,
    patch: &Map<String, Json>,
    provenance: &Provenance,
) -> Result<()> {
    tx.change(
        statement,
        args![id, stored_object(patch), provenance.actor, provenance.reason, provenance.op_id,],
        || unregistered_error(id),
    )
}

pub(super) fn acknowledge_revision(
    tx: &mut impl Tx,
    id: &SessionId,
    revision: Revision,
) -> Result<()> {
    tx.change(&ACKNOWLEDGE_REVISION, args![id, revision], || unregistered_error(id))
}

pub(super) fn end_session(
    tx: &mut impl Tx,
    id: &SessionId,
    reason: &str,
    provenance: &Provenance,
) -> Result<Session> {
    // An end that is repeated late must not end a session that was resumed since.
    if !tx.is_replay(provenance)? {
        let reason = stored_text(reason);
        let args = args![id, reason, provenance.actor, provenance.op_id];
        tx.execute(&RECORD_REPEATED_END, args)?;
        tx.change(&END_SESSION, args, || unregistered_error(id))?;
    }
    load_registered(tx, id)
}
