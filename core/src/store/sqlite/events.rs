//! The record of changes. Triggers write it; only a checkpoint is no change of a row.

use rusqlite::{Connection, Row, Transaction, params};
use serde_json::{Value as Json, json};

use super::errors::from_sqlite;
use super::{registered, rows, sessions, was_done};
use crate::model::{Epoch, Event, EventFilter, SessionId};
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
    tx.execute(
        "INSERT INTO events (actor, entity, key, kind, after, reason, op_id)
         VALUES (?1, 'session', ?2, 'checkpoint', ?3, ?4, ?5)",
        params![
            provenance.actor,
            session.as_str(),
            json!({"operations": operations}).to_string(),
            provenance.reason,
            provenance.op_id
        ],
    )
    .map_err(from_sqlite)?;
    Ok(())
}

pub(super) fn list(connection: &Connection, filter: &EventFilter) -> Result<Vec<Event>> {
    let limit = if filter.limit == 0 {
        -1
    } else {
        i64::from(filter.limit)
    };
    // The newest so many, in the order they happened.
    let sql = "SELECT * FROM (
             SELECT seq, at, actor, entity, key, kind, before, after, epoch, reason, op_id
             FROM events
             WHERE seq > ?1 AND (?2 IS NULL OR (entity = 'item' AND key = ?2))
               AND (?3 IS NULL OR actor = ?3 OR (entity = 'session' AND key = ?3))
               AND (?4 IS NULL OR at >= ?4)
             ORDER BY seq DESC LIMIT ?5)
         ORDER BY seq";
    let mut statement = connection.prepare(sql).map_err(from_sqlite)?;
    statement
        .query_map(
            params![
                filter.after,
                filter.item,
                filter.session,
                filter.since.map(|t| t.to_string()),
                limit
            ],
            event,
        )
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let json = |column: usize| -> rusqlite::Result<Json> {
        let text: Option<String> = row.get(column)?;
        Ok(text
            .and_then(|t| serde_json::from_str(&t).ok())
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
