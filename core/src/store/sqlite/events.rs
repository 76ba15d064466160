//! The record of changes. Triggers write it for what plain SQL may change as well: sessions,
//! items, phases and tasks; what only commands change is recorded here.

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, Transaction, params};
use serde_json::{Value as Json, json};

use super::errors::from_sqlite;
use super::free::free_json;
use super::sessions::signed;
use super::{execute_cached, registered, rows, sessions, was_done};
use crate::model::{Epoch, Event, EventFilter, Field, ItemKey, SessionId, Timestamp, Value};
use crate::store::news::News;
use crate::store::{Provenance, Result};

pub(super) fn checkpoint(
    tx: &Transaction<'_>,
    session: &SessionId,
    operations: u64,
    provenance: &Provenance,
) -> Result<()> {
    if was_done(tx, provenance)? {
        return Ok(());
    }
    registered(sessions::load(tx, session)?, session)?;
    let news = News {
        entity: "session",
        key: session.as_str(),
        kind: "checkpoint",
        before: Json::Null,
        after: json!({"operations": operations}),
        epoch: None,
    };
    record(tx, provenance, &news)
}

pub(super) const HAD_VALUE: &str = "SELECT EXISTS (SELECT 1 FROM events
     WHERE entity = 'session' AND key = ?1 AND kind = 'state'
       AND (before ->> ?2 IS ?3 OR after ->> ?2 IS ?3))";

pub(super) fn had_value(
    connection: &Connection,
    session: &SessionId,
    field: Field,
    value: &Value,
) -> Result<bool> {
    let value: &dyn ToSql = match value {
        Value::Flag(flag) => flag,
        Value::Text(text) => text,
    };
    let path = field.path_in_state();
    connection
        .query_row(HAD_VALUE, params![session.as_str(), path, value], |row| {
            row.get(0)
        })
        .map_err(from_sqlite)
}

pub(super) fn refusal(tx: &Transaction<'_>, item: &ItemKey, by: &Provenance) -> Result<()> {
    if was_done(tx, by)? {
        return Ok(());
    }
    record(tx, by, &News::of_refusal(item))
}

/// Records a change, in the transaction that makes it.
pub(super) fn record(tx: &Transaction<'_>, by: &Provenance, news: &News<'_>) -> Result<()> {
    let text = |value: &Json| (!value.is_null()).then(|| free_json(value));
    execute_cached(
        tx,
        "INSERT INTO events (actor, entity, key, kind, before, after, epoch, reason, op_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            by.actor,
            news.entity,
            news.key,
            news.kind,
            text(&news.before),
            text(&news.after),
            news.epoch.map(|epoch| signed(epoch.0)),
            by.reason,
            by.op_id
        ],
    )?;
    Ok(())
}

pub(super) fn list(connection: &Connection, filter: &EventFilter) -> Result<Vec<Event>> {
    let mut statement = connection
        .prepare(&statement(filter))
        .map_err(from_sqlite)?;
    let since = filter.since.map(|time| time.to_string());
    let limit = match filter.limit {
        0 => -1,
        limit => i64::from(limit),
    };
    let all: [(&str, &dyn ToSql); 9] = [
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
    let mut named: Vec<(&str, &dyn ToSql)> = Vec::with_capacity(all.len());
    for (name, value) in all {
        if statement
            .parameter_index(name)
            .map_err(from_sqlite)?
            .is_some()
        {
            named.push((name, value));
        }
    }
    statement
        .query_map(named.as_slice(), event)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

/// Writes the statement of a filter: only with the conditions that it has, so that each is
/// answered from its index. The newest so many are found, in the order they happened.
pub(super) fn statement(filter: &EventFilter) -> String {
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

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let json = |column: usize| -> rusqlite::Result<Json> {
        let text: Option<String> = row.get(column)?;
        Ok(text
            .and_then(|t| crate::text::lenient::from_str(&t).ok())
            .unwrap_or(Json::Null))
    };
    Ok(Event {
        seq: row.get(0)?,
        at: rows::time(row, 1)?,
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
const OTHER_READING: &str = "WITH present(first, last) AS (SELECT
         strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || ?1 || ' seconds'),
         strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+' || ?1 || ' seconds'))
     SELECT at FROM events, present
     WHERE at NOT BETWEEN first AND last
       AND NOT EXISTS (SELECT 1 FROM schema_migrations
                       WHERE version = 1 AND applied_at BETWEEN first AND last)
     ORDER BY seq DESC LIMIT 1";

pub(super) fn other_reading(connection: &Connection, apart: u64) -> Result<Option<Timestamp>> {
    let mut statement = connection.prepare(OTHER_READING).map_err(from_sqlite)?;
    // One that others dated in a form nobody reads is no reading.
    let reading = statement
        .query_row([signed(apart)], |row| Ok(rows::lenient_time(row, 0)))
        .optional();
    Ok(reading.map_err(from_sqlite)?.flatten())
}
