//! Removing what is old and done, in short transactions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::engine::{Arg, Tx, args};
use super::row::Row;
use super::statement::{Statement, columns, statements};
use crate::model::{
    EndedSession, EventSubject, PrunableEvent, PruneCounts, RetentionRules, SessionId, SessionTie,
    Timestamp,
};
use crate::store::{Provenance, Result, SessionCursor};

/// The key under which a transaction that prunes says up to which event.
const PRUNED_THROUGH: &str = "pruned_through";

/// The key of what was removed and is not recorded yet.
const REMOVED: &str = "removed";

columns! {
    /// The columns of a session `s` that ended: what it is, and what ties it to something that is
    /// not done.
    enum EndedSessionColumn {
        Id = "s.session_id",
        Status = "s.status",
        HeartbeatAt = "s.heartbeat_at",
        Host = "s.host",
        Worktree = "s.worktree",
        Tasks = "(SELECT count(*) FROM session_tasks WHERE session_id = s.session_id)",
        Holder = "EXISTS (SELECT 1 FROM work_items WHERE holder = s.session_id)",
        // The items it ever worked on are in its events, which stay as long as the item is
        // unfinished; of a change by plain SQL its own state tells.
        InterruptedWork = "EXISTS (SELECT 1 FROM work_items w
             WHERE w.holder IS NULL AND w.status NOT IN ('completed', 'failed', 'cancelled')
               AND w.key IN (SELECT key FROM events WHERE actor = s.session_id AND entity = 'item'
                             UNION SELECT s.metadata -> 'execution_state' ->> 'currentSd')
               AND s.session_id = (
                   SELECT before ->> 'holder' FROM events
                   WHERE entity = 'item' AND key = w.key AND before ->> 'holder' IS NOT NULL
                     AND before ->> 'holder' IS DISTINCT FROM after ->> 'holder'
                   ORDER BY seq DESC LIMIT 1))",
        Task = "EXISTS (SELECT 1 FROM plan_tasks WHERE status = 'in_progress' AND session = s.session_id
             UNION ALL SELECT 1 FROM phase_queue WHERE status = 'running' AND assigned_to = s.session_id)",
        Handoff = "EXISTS (SELECT 1 FROM handoffs WHERE status IN ('pending_acceptance', 'blocked')
             AND s.session_id IN (from_session, to_session))",
        Run = "EXISTS (SELECT 1 FROM orchestrators WHERE status IN ('running', 'stopping')
             AND session_id = s.session_id)",
        Ports = "EXISTS (SELECT 1 FROM port_reservations WHERE session = s.session_id)",
    }
}

const TIES: [(SessionTie, EndedSessionColumn); 6] = [
    (SessionTie::Holder, EndedSessionColumn::Holder),
    (SessionTie::InterruptedWork, EndedSessionColumn::InterruptedWork),
    (SessionTie::Task, EndedSessionColumn::Task),
    (SessionTie::Handoff, EndedSessionColumn::Handoff),
    (SessionTie::Run, EndedSessionColumn::Run),
    (SessionTie::Ports, EndedSessionColumn::Ports),
];

columns! {
    /// The columns of an event `e`: the item it is about with its status and holder, the session,
    /// and whether anything else that it is about is still open.
    enum PrunableEventColumn {
        Seq = "e.seq",
        At = "e.at",
        ItemStatus = "(SELECT status FROM work_items WHERE key = CASE e.entity
            WHEN 'item' THEN e.key
            WHEN 'phase' THEN rtrim(rtrim(e.key, '0123456789'), ':') END)",
        IsItemHeld = "(SELECT holder IS NOT NULL FROM work_items WHERE key = CASE e.entity
            WHEN 'item' THEN e.key
            WHEN 'phase' THEN rtrim(rtrim(e.key, '0123456789'), ':') END)",
        Session = "(SELECT session_id FROM claude_sessions
            WHERE e.entity = 'session' AND session_id = e.key)",
        IsStillOpen = "CASE e.entity
            WHEN 'handoff' THEN EXISTS (SELECT 1 FROM handoffs WHERE id = e.key
                AND status IN ('pending_acceptance', 'blocked'))
            WHEN 'orchestrator' THEN EXISTS (SELECT 1 FROM orchestrators WHERE id = e.key
                AND status IN ('running', 'stopping'))
            WHEN 'plan_task' THEN EXISTS (SELECT 1 FROM plan_tasks
                WHERE plan_id = substr(e.key, 1, instr(e.key, '/') - 1)
                  AND id = substr(e.key, instr(e.key, '/') + 1)
                  AND status IN ('pending', 'in_progress'))
            WHEN 'attention' THEN EXISTS (SELECT 1 FROM attention WHERE id = e.key
                AND ended_at IS NULL)
            WHEN 'port' THEN EXISTS (SELECT 1 FROM port_reservations WHERE id = e.key
                AND host = coalesce(e.after, e.before) ->> 'host')
            ELSE FALSE END",
    }
}

statements! {
    /// The sessions that ended, the youngest first, from a place on.
    LIST_ENDED_SESSION_IDS(text, text, int) =
        "SELECT session_id FROM claude_sessions
         WHERE status IN ('ended', 'lost') AND heartbeat_at <= ?1
           AND (heartbeat_at < ?1 OR session_id < ?2)
         ORDER BY heartbeat_at DESC, session_id DESC LIMIT ?3";
    LOAD_ENDED_SESSIONS(text) =
        "SELECT ", EndedSessionColumn::SQL, " FROM claude_sessions s
         WHERE s.session_id IN (SELECT value FROM json_each(?1))";
    LIST_SUCCESSORS(text) =
        "SELECT predecessor, session_id FROM claude_sessions
         WHERE predecessor IN (SELECT value FROM json_each(?1))";
    DELETE_SESSION_TASKS(text) =
        "DELETE FROM session_tasks WHERE session_id IN (SELECT value FROM json_each(?1))";
    DELETE_SESSIONS(text) =
        "DELETE FROM claude_sessions WHERE session_id IN (SELECT value FROM json_each(?1))";

    LIST_PRUNABLE_EVENTS(int, int) =
        "SELECT ", PrunableEventColumn::SQL, " FROM events e WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    LOAD_PRUNABLE_EVENTS(text) =
        "SELECT ", PrunableEventColumn::SQL, " FROM events e
         WHERE seq IN (SELECT CAST(value AS bigint) FROM json_each(?1)) ORDER BY seq";
    DELETE_EVENTS(text) =
        "DELETE FROM events WHERE seq IN (SELECT CAST(value AS bigint) FROM json_each(?1))";

    /// The callers of operations that leave no event behind.
    DELETE_CALLERS_OF_EVENTS(text) =
        "DELETE FROM callers
         WHERE op_id IN (SELECT op_id FROM events
                         WHERE seq IN (SELECT CAST(value AS bigint) FROM json_each(?1)))
           AND NOT EXISTS (SELECT 1 FROM events e WHERE e.op_id = callers.op_id
                           AND e.seq NOT IN (SELECT CAST(value AS bigint) FROM json_each(?1)))";
    /// The callers of operations that changed nothing, or whose events went before.
    DELETE_STRAY_CALLERS(text) =
        "DELETE FROM callers WHERE recorded_at < ?1
           AND NOT EXISTS (SELECT 1 FROM events e WHERE e.op_id = callers.op_id)";

    DELETE_ENDED_ATTENTION(text) = "DELETE FROM attention WHERE ended_at < ?1";

    LOAD_META(text) = @repeated "SELECT value FROM trueup_meta WHERE key = ?1";
    WRITE_META(text, text) = @repeated
        "INSERT INTO trueup_meta (key, value) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    DELETE_META(text) = @repeated "DELETE FROM trueup_meta WHERE key = ?1";

    RECORD_PRUNED(text, json, text, text) =
        "INSERT INTO events (actor, entity, key, kind, after, reason, op_id)
         SELECT ?1, 'database', value, 'pruned', ?2, ?3, ?4 FROM trueup_meta WHERE key = 'lineage'";
}

pub(super) fn list_ended_sessions(
    tx: &mut impl Tx,
    before: Timestamp,
    after: Option<&SessionCursor>,
    limit: u32,
) -> Result<Vec<EndedSession>> {
    let (time, id) = match after {
        Some((time, id)) => (time.to_string(), id.as_str()),
        None => (before.to_string(), ""),
    };
    let args = args![time, id, limit];
    let ids: Vec<SessionId> = tx.rows(&LIST_ENDED_SESSION_IDS, args, |row| row.get(0))?;
    load_ended_sessions(tx, &ids)
}

/// Reads what decides whether sessions may go, in the order in which they are named.
fn load_ended_sessions(tx: &mut impl Tx, ids: &[SessionId]) -> Result<Vec<EndedSession>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let list = json!(ids).to_string();
    tx.prefetch(&LIST_SUCCESSORS, args![list]);
    let sessions = tx.rows(&LOAD_ENDED_SESSIONS, args![list], ended_session_from_row)?;
    let mut by_id: BTreeMap<SessionId, EndedSession> =
        sessions.into_iter().map(|session| (session.id.clone(), session)).collect();
    let successors: Vec<(SessionId, SessionId)> =
        tx.rows(&LIST_SUCCESSORS, args![list], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (predecessor, successor) in successors {
        if let Some(session) = by_id.get_mut(&predecessor) {
            session.successors.insert(successor);
        }
    }
    Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
}

fn ended_session_from_row(row: &dyn Row) -> Result<EndedSession> {
    let mut ties = BTreeSet::new();
    for (tie, column) in TIES {
        if row.get(column)? {
            ties.insert(tie);
        }
    }
    Ok(EndedSession {
        id: row.get(EndedSessionColumn::Id)?,
        status: row.get(EndedSessionColumn::Status)?,
        heartbeat_at: row.get(EndedSessionColumn::HeartbeatAt)?,
        host: row.get(EndedSessionColumn::Host)?,
        worktree: row.get(EndedSessionColumn::Worktree)?,
        tasks: row.get(EndedSessionColumn::Tasks)?,
        ties,
        successors: BTreeSet::new(),
    })
}

pub(super) fn remove_sessions(
    tx: &mut impl Tx,
    ids: &[SessionId],
    rules: &RetentionRules,
) -> Result<Vec<SessionId>> {
    let (mut removed, mut tasks) = (BTreeSet::new(), 0);
    prefetch_tally(tx);
    let mut in_order = Vec::new();
    for session in load_ended_sessions(tx, ids)? {
        if rules.keep_reason(&session, &removed).is_none() {
            tasks += session.tasks;
            removed.insert(session.id.clone());
            in_order.push(session.id);
        }
    }
    if in_order.is_empty() {
        return Ok(in_order);
    }
    let tally = load_unrecorded_tally(tx)?;
    // The triggers record a removal by anybody else as a change by plain SQL.
    begin_pruning(tx, 0)?;
    let list = json!(in_order).to_string();
    tx.execute(&DELETE_SESSION_TASKS, args![list])?;
    tx.execute(&DELETE_SESSIONS, args![list])?;
    end_pruning(tx)?;
    add_to_tally(
        tx,
        tally,
        PruneCounts {
            sessions: u64::try_from(in_order.len()).unwrap_or(u64::MAX),
            tasks,
            events: 0,
        },
    )?;
    Ok(in_order)
}

fn begin_pruning(tx: &mut impl Tx, through: i64) -> Result<()> {
    write_meta(tx, PRUNED_THROUGH, &through.to_string())
}

fn end_pruning(tx: &mut impl Tx) -> Result<()> {
    tx.execute(&DELETE_META, args![PRUNED_THROUGH])?;
    Ok(())
}

fn write_meta(tx: &mut impl Tx, key: &str, value: &str) -> Result<()> {
    tx.execute(&WRITE_META, args![key, value])?;
    Ok(())
}

pub(super) fn list_prunable_events(
    tx: &mut impl Tx,
    after: i64,
    limit: u32,
) -> Result<Vec<PrunableEvent>> {
    select_events(tx, &LIST_PRUNABLE_EVENTS, args![after, limit])
}

fn prunable_event_from_row(row: &dyn Row) -> Result<PrunableEvent> {
    let subject = match row.get(PrunableEventColumn::ItemStatus)? {
        Some(status) => {
            EventSubject::Item { status, held: row.get(PrunableEventColumn::IsItemHeld)? }
        }
        None => match row.get(PrunableEventColumn::Session)? {
            Some(session) => EventSubject::Session(session),
            None if row.get(PrunableEventColumn::IsStillOpen)? => EventSubject::StillOpen,
            None => EventSubject::Gone,
        },
    };
    Ok(PrunableEvent {
        seq: row.get(PrunableEventColumn::Seq)?,
        // An event that others dated in a form nobody reads is never old.
        at: row.lenient_time(PrunableEventColumn::At).unwrap_or(Timestamp::from_millis(i64::MAX)),
        subject,
    })
}

fn select_events(
    tx: &mut impl Tx,
    statement: &'static Statement,
    args: &[Arg<'_>],
) -> Result<Vec<PrunableEvent>> {
    tx.rows(statement, args, prunable_event_from_row)
}

pub(super) fn remove_events(
    tx: &mut impl Tx,
    events: &[i64],
    rules: &RetentionRules,
) -> Result<u64> {
    let numbers = json!(events).to_string();
    prefetch_tally(tx);
    let events = select_events(tx, &LOAD_PRUNABLE_EVENTS, args![numbers])?;
    let no_names = BTreeSet::new();
    let removable: Vec<i64> = events
        .iter()
        .filter(|event| rules.may_remove_event(event, &no_names))
        .map(|event| event.seq)
        .collect();
    let Some(last) = removable.last() else {
        return Ok(0);
    };
    let tally = load_unrecorded_tally(tx)?;
    begin_pruning(tx, *last)?;
    let removable = json!(removable).to_string();
    tx.execute(&DELETE_CALLERS_OF_EVENTS, args![removable])?;
    let removed = tx.count_changes(&DELETE_EVENTS, args![removable])?;
    end_pruning(tx)?;
    add_to_tally(tx, tally, PruneCounts { events: removed, ..PruneCounts::default() })?;
    Ok(removed)
}

/// Says that [`load_unrecorded_tally`] will be asked.
fn prefetch_tally(tx: &mut impl Tx) {
    tx.prefetch(&LOAD_META, args![REMOVED]);
}

/// Reads what was removed and is not recorded yet.
pub(super) fn load_unrecorded_tally(tx: &mut impl Tx) -> Result<Option<PruneCounts>> {
    let text: Option<String> = tx.row(&LOAD_META, args![REMOVED], |row| row.get(0))?;
    Ok(text.map(|text| {
        let json: Json = serde_json::from_str(&text).unwrap_or_default();
        let count = |key: &str| json[key].as_u64().unwrap_or(0);
        PruneCounts { sessions: count("sessions"), tasks: count("tasks"), events: count("events") }
    }))
}

/// Adds to what was removed and is not recorded yet.
fn add_to_tally(tx: &mut impl Tx, tally: Option<PruneCounts>, more: PruneCounts) -> Result<()> {
    if more == PruneCounts::default() {
        return Ok(());
    }
    let sum = tally.unwrap_or_default().plus(more);
    write_meta(tx, REMOVED, &sum.event_facts().to_string())
}

pub(super) fn record_pruned(
    tx: &mut impl Tx,
    before: Timestamp,
    provenance: &Provenance,
) -> Result<Option<PruneCounts>> {
    let Some(counts) = load_unrecorded_tally(tx)? else {
        return Ok(None);
    };
    if tx.is_replay(provenance)? {
        return Ok(None);
    }
    let mut after = counts.event_facts();
    after["before"] = json!(before);
    tx.execute(
        &RECORD_PRUNED,
        args![provenance.actor, after.to_string(), provenance.reason, provenance.op_id,],
    )?;
    tx.execute(&DELETE_STRAY_CALLERS, args![before.to_string()])?;
    tx.execute(&DELETE_ENDED_ATTENTION, args![before.to_string()])?;
    tx.execute(&DELETE_META, args![REMOVED])?;
    Ok(Some(counts))
}
