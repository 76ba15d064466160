//! The record of changes. Triggers write it for what plain SQL may change as well: sessions,
//! items, phases and tasks; what only commands change is recorded here.

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, Transaction, params};
use serde_json::{Value as Json, json};

use super::errors::from_sqlite;
use super::sessions::to_signed;
use super::stored_text::stored_json;
use super::{execute_cached, is_replay, require_registered, rows, sessions};
use crate::model::{
    Epoch, Event, EventFilter, FieldValue, ItemKey, SessionId, StateField, Timestamp,
};
use crate::store::event_draft::EventDraft;
use crate::store::{Provenance, Result};

pub(super) fn record_checkpoint(
    tx: &Transaction<'_>,
    session: &SessionId,
    operations: u64,
    provenance: &Provenance,
) -> Result<()> {
    if is_replay(tx, provenance)? {
        return Ok(());
    }
    require_registered(sessions::load_session(tx, session)?, session)?;
    let draft = EventDraft {
        entity: "session",
        key: session.as_str(),
        kind: "checkpoint",
        before: Json::Null,
        after: json!({"operations": operations}),
        epoch: None,
    };
    record_event(tx, provenance, &draft)
}

pub(super) const HAD_VALUE: &str = "SELECT EXISTS (SELECT 1 FROM events
     WHERE entity = 'session' AND key = ?1 AND kind = 'state'
       AND (before ->> ?2 IS ?3 OR after ->> ?2 IS ?3))";

pub(super) fn had_value(
    connection: &Connection,
    session: &SessionId,
    field: StateField,
    value: &FieldValue,
) -> Result<bool> {
    let value: &dyn ToSql = match value {
        FieldValue::Flag(flag) => flag,
        FieldValue::Text(text) => text,
    };
    let path = field.path_in_state();
    connection
        .query_row(HAD_VALUE, params![session.as_str(), path, value], |row| {
            row.get(0)
        })
        .map_err(from_sqlite)
}

pub(super) fn record_refusal(
    tx: &Transaction<'_>,
    item: &ItemKey,
    provenance: &Provenance,
) -> Result<()> {
    if is_replay(tx, provenance)? {
        return Ok(());
    }
    record_event(tx, provenance, &EventDraft::of_refusal(item))
}

/// Records a change, in the transaction that makes it.
pub(super) fn record_event(
    tx: &Transaction<'_>,
    provenance: &Provenance,
    draft: &EventDraft<'_>,
) -> Result<()> {
    let text = |value: &Json| (!value.is_null()).then(|| stored_json(value));
    execute_cached(
        tx,
        "INSERT INTO events (actor, entity, key, kind, before, after, epoch, reason, op_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            provenance.actor,
            draft.entity,
            draft.key,
            draft.kind,
            text(&draft.before),
            text(&draft.after),
            draft.epoch.map(|epoch| to_signed(epoch.0)),
            provenance.reason,
            provenance.op_id
        ],
    )?;
    Ok(())
}

pub(super) fn list_events(connection: &Connection, filter: &EventFilter) -> Result<Vec<Event>> {
    let mut statement = connection
        .prepare(&event_query(filter))
        .map_err(from_sqlite)?;
    let since = filter.since.map(|time| time.to_string());
    let limit = match filter.limit {
        0 => -1,
        limit => i64::from(limit),
    };
    let possible: [(&str, &dyn ToSql); 9] = [
        (":after", &filter.after),
        (":limit", &limit),
        (":item", &filter.item),
        (":session", &filter.session),
        (":entity", &filter.entity),
        (":kind", &filter.kind),
        (":actor", &filter.actor),
        (":op", &filter.op_id),
        (":since", &since),
    ];
    let mut named: Vec<(&str, &dyn ToSql)> = Vec::with_capacity(possible.len());
    for (name, value) in possible {
        if statement
            .parameter_index(name)
            .map_err(from_sqlite)?
            .is_some()
        {
            named.push((name, value));
        }
    }
    statement
        .query_map(named.as_slice(), event_from_row)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

/// Writes the statement of a filter: only with the conditions that it has, so that each is
/// answered from its index. The newest so many are found, in the order they happened.
pub(super) fn event_query(filter: &EventFilter) -> String {
    let conditions = [
        // Phases have their item's key with a number behind a colon, and ; is what follows it.
        filter.item.as_ref().map(|_| {
            "(entity = 'item' AND key = :item OR entity = 'phase' AND key > :item || ':' \
             AND key < :item || ';' AND substr(key, length(:item) + 2) NOT GLOB '*[^0-9]*')"
        }),
        filter
            .session
            .as_ref()
            .map(|_| "(actor = :session OR entity = 'session' AND key = :session)"),
        filter.entity.as_ref().map(|_| "entity = :entity"),
        filter.kind.as_ref().map(|_| "kind = :kind"),
        filter.actor.as_ref().map(|_| "actor = :actor"),
        filter.op_id.as_ref().map(|_| "op_id = :op"),
        filter.since.as_ref().map(|_| "at >= :since"),
    ];
    let conditions: Vec<&str> = std::iter::once("seq > :after")
        .chain(conditions.into_iter().flatten())
        .collect();
    format!(
        "SELECT * FROM (
             SELECT seq, at, actor, entity, key, kind, before, after, epoch, reason, op_id
             FROM events WHERE {} ORDER BY seq DESC LIMIT :limit)
         ORDER BY seq",
        conditions.join(" AND ")
    )
}

fn event_from_row(row: &Row<'_>) -> rusqlite::Result<Event> {
    let json = |column: usize| -> rusqlite::Result<Json> {
        let text: Option<String> = row.get(column)?;
        Ok(text
            .and_then(|t| crate::text::lenient_json::from_str(&t).ok())
            .unwrap_or(Json::Null))
    };
    Ok(Event {
        seq: row.get(0)?,
        at: rows::parse_time(row, 1)?,
        actor: row.get(2)?,
        entity: row.get(3)?,
        key: row.get(4)?,
        kind: row.get(5)?,
        before: json(6)?,
        after: json(7)?,
        epoch: row
            .get::<_, Option<i64>>(8)?
            .and_then(|e| u64::try_from(e).ok())
            .map(Epoch),
        reason: row.get(9)?,
        op_id: row.get(10)?,
    })
}

/// Every event holds a reading of the clock, in the order in which they were made.
const DIFFERING_CLOCK_READING: &str = "WITH present(first, last) AS (SELECT
         strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || ?1 || ' seconds'),
         strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+' || ?1 || ' seconds'))
     SELECT at FROM events, present
     WHERE at NOT BETWEEN first AND last
       AND NOT EXISTS (SELECT 1 FROM schema_migrations
                       WHERE version = 1 AND applied_at BETWEEN first AND last)
     ORDER BY seq DESC LIMIT 1";

pub(super) fn find_differing_clock_reading(
    connection: &Connection,
    apart: u64,
) -> Result<Option<Timestamp>> {
    let mut statement = connection
        .prepare(DIFFERING_CLOCK_READING)
        .map_err(from_sqlite)?;
    // One that others dated in a form nobody reads is no reading.
    let reading = statement
        .query_row([to_signed(apart)], |row| {
            Ok(rows::parse_lenient_time(row, 0))
        })
        .optional();
    Ok(reading.map_err(from_sqlite)?.flatten())
}
