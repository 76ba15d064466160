//! Removing what is old and done, in short transactions.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::{Value as Json, json};

use super::errors::from_sqlite;
use super::{SqliteStore, is_replay, rows};
use crate::model::{
    EndedSession, EventSubject, PrunableEvent, PruneCounts, RetentionRules, SessionId, SessionTie,
    Timestamp,
};
use crate::store::{Provenance, Result, RetentionStore, SessionCursor};

impl RetentionStore for SqliteStore {
    fn list_ended_sessions(
        &mut self,
        before: Timestamp,
        after: Option<&SessionCursor>,
        limit: u32,
    ) -> Result<Vec<EndedSession>> {
        let ids = list_ended_session_ids(&self.connection, before, after, limit)?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(load_session_remains(&self.connection, &id)?);
        }
        Ok(found)
    }

    fn remove_sessions(
        &mut self,
        sessions: &[SessionId],
        retention: &RetentionRules,
    ) -> Result<Vec<SessionId>> {
        self.run_write(|tx| remove_sessions(tx, sessions, retention))
    }

    fn list_event_remains(&mut self, after: i64, limit: u32) -> Result<Vec<PrunableEvent>> {
        list_event_remains(&self.connection, &event_page_sql(), params![after, limit])
    }

    fn remove_events(&mut self, events: &[i64], retention: &RetentionRules) -> Result<u64> {
        self.run_write(|tx| remove_events(tx, events, retention))
    }

    fn record_pruned(
        &mut self,
        before: Timestamp,
        provenance: &Provenance,
    ) -> Result<Option<PruneCounts>> {
        if load_unrecorded_tally(&self.connection)?.is_none() {
            return Ok(None);
        }
        self.run_write(|tx| record_pruned(tx, before, provenance))
    }
}

/// The key under which a transaction that prunes says up to which event.
const PRUNED_THROUGH: &str = "pruned_through";

/// The key of what was removed and not noted yet.
const REMOVED: &str = "removed";

/// The sessions that ended, the youngest first, from a place on.
pub(super) const ENDED_SESSIONS: &str = "SELECT session_id FROM claude_sessions
     WHERE status IN ('ended', 'lost') AND heartbeat_at <= ?1
       AND (heartbeat_at < ?1 OR session_id < ?2)
     ORDER BY heartbeat_at DESC, session_id DESC LIMIT ?3";

fn list_ended_session_ids(
    connection: &Connection,
    before: Timestamp,
    after: Option<&SessionCursor>,
    limit: u32,
) -> Result<Vec<SessionId>> {
    let (time, id) = match after {
        Some((time, id)) => (time.to_string(), id.as_str()),
        None => (before.to_string(), ""),
    };
    let mut statement = connection.prepare(ENDED_SESSIONS).map_err(from_sqlite)?;
    statement
        .query_map(params![time, id, limit], |row| rows::parse_column(row, 0))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

/// What ties a session `s` to something that is not done.
const SESSION_TIES: [(SessionTie, &str); 6] = [
    (
        SessionTie::Holder,
        "SELECT 1 FROM work_items WHERE holder = s.session_id",
    ),
    // Those it ever worked on are in its events, which stay as long as the item is unfinished;
    // of a change by plain SQL its own state tells.
    (
        SessionTie::InterruptedWork,
        "SELECT 1 FROM work_items w
         WHERE w.holder IS NULL AND w.status NOT IN ('completed', 'failed', 'cancelled')
           AND w.key IN (SELECT key FROM events WHERE actor = s.session_id AND entity = 'item'
                         UNION SELECT s.metadata ->> '$.execution_state.currentSd')
           AND s.session_id = (
               SELECT before ->> 'holder' FROM events
               WHERE entity = 'item' AND key = w.key AND before ->> 'holder' IS NOT NULL
                 AND before ->> 'holder' IS NOT after ->> 'holder'
               ORDER BY seq DESC LIMIT 1)",
    ),
    (
        SessionTie::Task,
        "SELECT 1 FROM plan_tasks WHERE status = 'in_progress' AND session = s.session_id
         UNION ALL SELECT 1 FROM phase_queue WHERE status = 'running' AND assigned_to = s.session_id",
    ),
    (
        SessionTie::Handoff,
        "SELECT 1 FROM handoffs WHERE status IN ('pending_acceptance', 'blocked')
           AND s.session_id IN (from_session, to_session)",
    ),
    (
        SessionTie::Run,
        "SELECT 1 FROM orchestrators WHERE status IN ('running', 'stopping')
           AND session_id = s.session_id",
    ),
    (
        SessionTie::Ports,
        "SELECT 1 FROM port_reservations WHERE session = s.session_id",
    ),
];

pub(super) fn session_remains_sql() -> String {
    let ties: Vec<String> = SESSION_TIES
        .iter()
        .map(|(_, sql)| format!("EXISTS ({sql})"))
        .collect();
    format!(
        "SELECT s.session_id, s.status, s.heartbeat_at, s.host, s.worktree,
             (SELECT count(*) FROM session_tasks WHERE session_id = s.session_id), {}
         FROM claude_sessions s WHERE s.session_id = ?1",
        ties.join(", ")
    )
}

fn load_session_remains(connection: &Connection, id: &SessionId) -> Result<Option<EndedSession>> {
    let mut statement = connection
        .prepare_cached(&session_remains_sql())
        .map_err(from_sqlite)?;
    let remains = statement
        .query_row([id.as_str()], |row| {
            let mut ties = BTreeSet::new();
            for (column, (tie, _)) in (6..).zip(&SESSION_TIES) {
                if row.get(column)? {
                    ties.insert(*tie);
                }
            }
            Ok(EndedSession {
                id: rows::parse_column(row, 0)?,
                status: rows::parse_column(row, 1)?,
                heartbeat_at: rows::parse_time(row, 2)?,
                host: row.get(3)?,
                worktree: row.get(4)?,
                tasks: rows::parse_count(row, 5)?,
                ties,
                successors: BTreeSet::new(),
            })
        })
        .optional()
        .map_err(from_sqlite)?;
    let Some(mut remains) = remains else {
        return Ok(None);
    };
    let mut statement = connection
        .prepare_cached("SELECT session_id FROM claude_sessions WHERE predecessor = ?1")
        .map_err(from_sqlite)?;
    remains.successors = statement
        .query_map([id.as_str()], |row| rows::parse_column(row, 0))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    Ok(Some(remains))
}

fn remove_sessions(
    tx: &Transaction<'_>,
    sessions: &[SessionId],
    retention: &RetentionRules,
) -> Result<Vec<SessionId>> {
    let mut removed = Vec::new();
    let mut tasks = 0;
    // A removal by us is no change behind our back.
    begin_pruning(tx, 0)?;
    for id in sessions {
        let Some(remains) = load_session_remains(tx, id)? else {
            continue;
        };
        // Those removed before it in this transaction are gone from its successors already.
        if retention.keep_reason(&remains, &BTreeSet::new()).is_some() {
            continue;
        }
        tasks += remains.tasks;
        delete_of_session(tx, "DELETE FROM session_tasks WHERE session_id = ?1", id)?;
        delete_of_session(tx, "DELETE FROM claude_sessions WHERE session_id = ?1", id)?;
        removed.push(id.clone());
    }
    end_pruning(tx)?;
    add_to_tally(
        tx,
        PruneCounts {
            sessions: to_count(removed.len()),
            tasks,
            events: 0,
        },
    )?;
    Ok(removed)
}

fn delete_of_session(tx: &Transaction<'_>, sql: &str, id: &SessionId) -> Result<()> {
    tx.execute(sql, [id.as_str()]).map_err(from_sqlite)?;
    Ok(())
}

fn to_count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn begin_pruning(tx: &Transaction<'_>, seq: i64) -> Result<()> {
    write_meta(tx, PRUNED_THROUGH, &seq.to_string())
}

fn end_pruning(tx: &Transaction<'_>) -> Result<()> {
    tx.execute("DELETE FROM trueup_meta WHERE key = ?1", [PRUNED_THROUGH])
        .map_err(from_sqlite)?;
    Ok(())
}

fn write_meta(tx: &Transaction<'_>, key: &str, value: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO trueup_meta (key, value) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [key, value],
    )
    .map_err(from_sqlite)?;
    Ok(())
}

/// The columns [`remains_of_event`] reads, of `events e`: the item it is about with its
/// status and holder, the session, and whether anything else that it is about still stands.
const EVENT_REMAINS_COLUMNS: &str = "e.seq, e.at,
    (SELECT status FROM work_items WHERE key = CASE e.entity
        WHEN 'item' THEN e.key
        WHEN 'phase' THEN rtrim(rtrim(e.key, '0123456789'), ':') END),
    (SELECT holder IS NOT NULL FROM work_items WHERE key = CASE e.entity
        WHEN 'item' THEN e.key
        WHEN 'phase' THEN rtrim(rtrim(e.key, '0123456789'), ':') END),
    (SELECT session_id FROM claude_sessions WHERE e.entity = 'session' AND session_id = e.key),
    CASE e.entity
        WHEN 'handoff' THEN EXISTS (SELECT 1 FROM handoffs WHERE id = e.key
            AND status IN ('pending_acceptance', 'blocked'))
        WHEN 'orchestrator' THEN EXISTS (SELECT 1 FROM orchestrators WHERE id = e.key
            AND status IN ('running', 'stopping'))
        WHEN 'plan_task' THEN EXISTS (SELECT 1 FROM plan_tasks
            WHERE plan_id = substr(e.key, 1, instr(e.key, '/') - 1)
              AND id = substr(e.key, instr(e.key, '/') + 1)
              AND status IN ('pending', 'in_progress'))
        WHEN 'port' THEN EXISTS (SELECT 1 FROM port_reservations WHERE id = e.key
            AND host = coalesce(e.after, e.before) ->> 'host')
        ELSE 0 END";

pub(super) fn event_page_sql() -> String {
    format!("SELECT {EVENT_REMAINS_COLUMNS} FROM events e WHERE seq > ?1 ORDER BY seq LIMIT ?2")
}

fn event_remains_from_row(row: &Row<'_>) -> rusqlite::Result<PrunableEvent> {
    let subject = match rows::parse_optional_column(row, 2)? {
        Some(status) => EventSubject::Item {
            status,
            held: row.get(3)?,
        },
        None => match rows::parse_optional_column(row, 4)? {
            Some(session) => EventSubject::Session(session),
            None if row.get(5)? => EventSubject::StillOpen,
            None => EventSubject::Gone,
        },
    };
    Ok(PrunableEvent {
        seq: row.get(0)?,
        // One that others dated in a form nobody reads is never old.
        at: rows::parse_lenient_time(row, 1).unwrap_or(Timestamp::from_millis(i64::MAX)),
        subject,
    })
}

fn list_event_remains(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<PrunableEvent>> {
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    statement
        .query_map(parameters, event_remains_from_row)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

fn remove_events(tx: &Transaction<'_>, events: &[i64], retention: &RetentionRules) -> Result<u64> {
    let sql = format!(
        "SELECT {EVENT_REMAINS_COLUMNS} FROM events e WHERE seq IN (SELECT value FROM json_each(?1)) ORDER BY seq"
    );
    let found = list_event_remains(tx, &sql, [json!(events).to_string()])?;
    let none = BTreeSet::new();
    let removable: Vec<i64> = found
        .iter()
        .filter(|event| retention.may_remove_event(event, &none))
        .map(|event| event.seq)
        .collect();
    let Some(last) = removable.last() else {
        return Ok(0);
    };
    begin_pruning(tx, *last)?;
    let deleted = tx
        .execute(
            "DELETE FROM events WHERE seq IN (SELECT value FROM json_each(?1))",
            [json!(removable).to_string()],
        )
        .map_err(from_sqlite)?;
    end_pruning(tx)?;
    let events = to_count(deleted);
    add_to_tally(
        tx,
        PruneCounts {
            events,
            ..PruneCounts::default()
        },
    )?;
    Ok(events)
}

/// Reads what was removed and not noted yet.
fn load_unrecorded_tally(connection: &Connection) -> Result<Option<PruneCounts>> {
    let text: Option<String> = connection
        .query_row(
            "SELECT value FROM trueup_meta WHERE key = ?1",
            [REMOVED],
            |row| row.get(0),
        )
        .optional()
        .map_err(from_sqlite)?;
    Ok(text.map(|text| {
        let json: Json = serde_json::from_str(&text).unwrap_or_default();
        let count = |key: &str| json[key].as_u64().unwrap_or(0);
        PruneCounts {
            sessions: count("sessions"),
            tasks: count("tasks"),
            events: count("events"),
        }
    }))
}

/// Adds to what was removed and is not noted yet.
fn add_to_tally(tx: &Transaction<'_>, more: PruneCounts) -> Result<()> {
    if more == PruneCounts::default() {
        return Ok(());
    }
    let sum = load_unrecorded_tally(tx)?.unwrap_or_default().plus(more);
    write_meta(tx, REMOVED, &sum.event_facts().to_string())
}

fn record_pruned(
    tx: &Transaction<'_>,
    before: Timestamp,
    provenance: &Provenance,
) -> Result<Option<PruneCounts>> {
    let Some(tally) = load_unrecorded_tally(tx)? else {
        return Ok(None);
    };
    if is_replay(tx, provenance)? {
        return Ok(None);
    }
    let mut after = tally.event_facts();
    after["before"] = json!(before);
    tx.execute(
        "INSERT INTO events (actor, entity, key, kind, after, reason, op_id)
         SELECT ?1, 'database', value, 'pruned', ?2, ?3, ?4 FROM trueup_meta WHERE key = 'lineage'",
        params![
            provenance.actor,
            after.to_string(),
            provenance.reason,
            provenance.op_id
        ],
    )
    .map_err(from_sqlite)?;
    tx.execute("DELETE FROM trueup_meta WHERE key = ?1", [REMOVED])
        .map_err(from_sqlite)?;
    Ok(Some(tally))
}
