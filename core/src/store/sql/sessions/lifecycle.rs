//! The life of a session: registration, heartbeats with their lease, and the end.

use super::super::NOW;
use super::super::engine::{Tx, args};
use super::super::statement::{joined, statements};
use super::super::stored_text::stored_text;
use super::{METADATA_DEFAULTS, load_registered, seconds_modifier, unregistered_error};
use crate::model::{Session, SessionId, SessionStatus};
use crate::store::{HeartbeatRequest, Provenance, Result, SessionRegistration};

const INSERT_SESSION: &str =
    "INSERT INTO claude_sessions (session_id, repo, worktree, host, pid, pid_started, boot_id,
             machine_id, pid_namespace, predecessor, lease_expires_at, last_actor, last_reason,
             last_op, metadata)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
             strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?12), ?13, ?14, ?15, ";
/// The columns are those of the row that is there, not of the one that was to be inserted.
const OR_RESUME: &str = ")
         ON CONFLICT (session_id) DO UPDATE SET
             repo = coalesce(?2, claude_sessions.repo),
             worktree = coalesce(?3, claude_sessions.worktree),
             host = coalesce(?4, claude_sessions.host), pid = ?5, pid_started = ?6, boot_id = ?7,
             machine_id = ?8, pid_namespace = ?9,
             predecessor = coalesce(claude_sessions.predecessor, ?10), status = 'active',
             metadata = CASE
                 WHEN ?11 IS NULL OR claude_sessions.branch IS NOT DISTINCT FROM ?11
                 THEN claude_sessions.metadata ELSE ";
const RESUME_END: &str = joined!(
    " END,
             ended_reason = NULL, swept = 0, heartbeat_at = ",
    NOW,
    ",
             lease_expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?12),
             last_actor = ?13, last_reason = ?14, last_op = ?15"
);

const SET_HEARTBEAT: &str = joined!(
    "UPDATE claude_sessions SET
             heartbeat_at = CASE WHEN ?2 IS NULL THEN heartbeat_at ELSE ",
    NOW,
    " END,
             lease_expires_at =
                 coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?2), lease_expires_at),
             silent_until = coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?3), silent_until),
             status = coalesce(?4, status), "
);

statements! {
    REGISTER_SESSION(
        text, text, text, text, int, int, text, text, text, text, text, text, text, text, text) =
        INSERT_SESSION,
        "json_insert(json_object('branch', ?11, 'auto_proceed', json('false'),
                 'chain_orchestrators', json('false'), 'execution_state', json('{}')), ",
                 METADATA_DEFAULTS, ")",
        OR_RESUME, "json_set(claude_sessions.metadata, '$.branch', ?11)", RESUME_END
        => postgres
        INSERT_SESSION, "with_metadata_defaults(jsonb_build_object('branch', ?11))",
        OR_RESUME, "claude_sessions.metadata || jsonb_build_object('branch', ?11)", RESUME_END;

    /// A present session that stays present: nothing that an event tells changes.
    RECORD_SIGN_OF_LIFE(text, text, text, text) = @sign_of_life
        SET_HEARTBEAT, "swept = 0
         WHERE session_id = ?1 AND status IN ('active', 'idle')
           AND coalesce(?4, status) IN ('active', 'idle')";
    /// A heartbeat has no operation of its own; a change of status by one is still the session's,
    /// not plain SQL's.
    RECORD_HEARTBEAT(text, text, text, text, text) =
        SET_HEARTBEAT, "
             last_actor = CASE WHEN ?4 IS NULL OR ?4 = status THEN last_actor ELSE ?1 END,
             last_reason = CASE WHEN ?4 IS NULL OR ?4 = status THEN last_reason END,
             last_op = CASE WHEN ?4 IS NULL OR ?4 = status THEN last_op ELSE ?5 END,
             swept = CASE WHEN coalesce(?4, status) IN ('active', 'idle') THEN 0 ELSE swept END
         WHERE session_id = ?1";

    /// Ending an ended session changes nothing, and would leave no trace of the operation.
    RECORD_REPEATED_END(text, text, text, text) =
        "INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
         SELECT ?3, 'session', session_id, 'ended', '{\"status\":\"ended\"}',
                '{\"status\":\"ended\"}', ?2, ?4
         FROM claude_sessions WHERE session_id = ?1 AND status = 'ended'";
    END_SESSION(text, text, text, text) =
        "UPDATE claude_sessions SET status = 'ended', ended_reason = ?2,
             swept = CASE WHEN EXISTS (SELECT 1 FROM work_items WHERE holder = ?1) THEN 0 ELSE 1 END,
             last_actor = ?3, last_reason = ?2, last_op = ?4
         WHERE session_id = ?1";
}

pub(in crate::store::sql) fn register_session(
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
    tx.finish();
    load_registered(tx, &registration.session)
}

pub(in crate::store::sql) fn record_heartbeat(
    tx: &mut impl Tx,
    heartbeat: &HeartbeatRequest,
) -> Result<()> {
    let is_recorded = tx.try_change(
        &RECORD_SIGN_OF_LIFE,
        args![
            heartbeat.session,
            heartbeat.lease_seconds.map(seconds_modifier),
            heartbeat.quiet_seconds.map(seconds_modifier),
            heartbeat.status.map(SessionStatus::as_str),
        ],
    )?;
    if is_recorded { Ok(()) } else { record_heartbeat_of_any(tx, heartbeat) }
}

/// Records a heartbeat of a session that may have ended or been lost.
pub(in crate::store::sql) fn record_heartbeat_of_any(
    tx: &mut impl Tx,
    heartbeat: &HeartbeatRequest,
) -> Result<()> {
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

pub(in crate::store::sql) fn end_session(
    tx: &mut impl Tx,
    id: &SessionId,
    reason: &str,
    provenance: &Provenance,
) -> Result<Session> {
    // An end that is repeated late must not end a session that was resumed since.
    if !tx.is_replay(provenance)? {
        write_end(tx, id, reason, provenance)?;
    }
    tx.finish();
    load_registered(tx, id)
}

/// Ends a session, as one step of an operation that has others.
pub(in crate::store::sql) fn write_end(
    tx: &mut impl Tx,
    id: &SessionId,
    reason: &str,
    provenance: &Provenance,
) -> Result<()> {
    let reason = stored_text(reason);
    let args = args![id, reason, provenance.actor, provenance.op_id];
    tx.execute(&RECORD_REPEATED_END, args)?;
    tx.change(&END_SESSION, args, || unregistered_error(id))
}
