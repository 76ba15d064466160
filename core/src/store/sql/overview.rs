//! The rows of an overview. Each statement reads one kind of row, however many there are, and an
//! engine behind a network asks all of them in one request.

use super::attention::attention_from_row;
use super::engine::{Arg, Tx, args};
use super::events::{EventColumn, event_from_row, load_newest_number, prefetch_newest_number};
use super::events::{load_database_time, prefetch_database_time};
use super::handoffs::{IS_OPEN, list_handoffs, prefetch_open_handoffs};
use super::items::{SELECT_ITEM, item_from_row};
use super::row::Row;
use super::sessions::{SELECT_SESSION, session_from_row};
use super::statement::{Statement, joined, statements};
use crate::model::{DependencyEdge, Timestamp};
use crate::store::{HandoffFilter, OverviewRows, Result, StoreError};

const IS_UNFINISHED: &str = "status IN ('queued', 'ready', 'running', 'blocked')";
const IS_SHOWN: &str = joined!("(", IS_UNFINISHED, " OR completed_at >= ?1)");

/// What a lost session worked on and nobody has taken up.
const WORKED_ON_FREE_ITEM: &str = joined!(
    "status = 'lost' AND json_extract(metadata, '$.execution_state.currentSd') IN \
     (SELECT key FROM work_items WHERE holder IS NULL AND ",
    IS_UNFINISHED,
    ")"
);

/// Sessions that may have died, or are over. Only they have an event to tell.
const MAY_NEED_A_PERSON: &str =
    "(status = 'lost' OR lease_expires_at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))";

const SHOWN_SESSIONS: &str = joined!(
    "SELECT session_id FROM claude_sessions WHERE status IN ('active', 'idle')
     UNION SELECT session_id FROM claude_sessions
         WHERE status IN ('ended', 'lost') AND heartbeat_at >= ?1
     UNION SELECT session_id FROM claude_sessions WHERE ",
    WORKED_ON_FREE_ITEM,
    " UNION SELECT holder FROM work_items WHERE holder IS NOT NULL"
);

statements! {
    LIST_SHOWN_SESSIONS(text) =
        SELECT_SESSION, "IN (", SHOWN_SESSIONS, ") ORDER BY registered_at, session_id";

    LIST_SHOWN_ITEMS(text) =
        SELECT_ITEM, IS_SHOWN, " ORDER BY parent NULLS FIRST, position IS NULL, position, key";

    LIST_OPEN_EDGES() =
        "SELECT d.item, d.depends_on FROM item_dependencies d
         JOIN work_items waiting ON waiting.key = d.item
         JOIN work_items awaited ON awaited.key = d.depends_on
         WHERE awaited.status <> 'completed'
           AND waiting.status IN ('queued', 'ready', 'running', 'blocked')
         ORDER BY d.item, d.depends_on";

    /// Without what is needed to end it, which may be large.
    LIST_OPEN_ATTENTION() =
        "SELECT id, kind, session, item, repo, host, line, command, NULL AS content, raised_at,
             ended_at, ended_by, ended_reason
         FROM attention WHERE ended_at IS NULL ORDER BY raised_at, id";

    LIST_LATEST_EVENTS(text) =
        "SELECT ", EventColumn::SQL, " FROM events WHERE seq IN (
             SELECT (SELECT max(e.seq) FROM events e WHERE e.entity = 'item' AND e.key = i.key)
             FROM work_items i WHERE ", IS_SHOWN, "
             UNION ALL
             SELECT (SELECT max(e.seq) FROM events e
                     WHERE e.entity = 'session' AND e.key = s.session_id)
             FROM claude_sessions s WHERE ", MAY_NEED_A_PERSON, " AND session_id IN (",
        SHOWN_SESSIONS, ")
             UNION ALL
             SELECT (SELECT max(e.seq) FROM events e WHERE e.entity = 'handoff' AND e.key = h.id)
             FROM handoffs h WHERE ", IS_OPEN, "
             UNION ALL
             SELECT (SELECT max(e.seq) FROM events e WHERE e.entity = 'attention' AND e.key = a.id)
             FROM attention a WHERE a.ended_at IS NULL)
         ORDER BY seq";

    /// Numbers follow each other in time, so the newest ones are all that can be of the last minute.
    COUNT_EVENTS_OF_LAST_MINUTE() =
        "SELECT count(*) FROM events
         WHERE seq > (SELECT coalesce(max(seq), 0) FROM events) - 6000
           AND at >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-60 seconds')";
}

pub(super) fn load_overview_rows(
    tx: &mut impl Tx,
    finished_since: Timestamp,
) -> Result<OverviewRows> {
    let since = finished_since.to_string();
    prefetch_database_time(tx);
    prefetch_newest_number(tx);
    prefetch_open_handoffs(tx);
    tx.prefetch(&COUNT_EVENTS_OF_LAST_MINUTE, args![]);
    tx.prefetch(&LIST_SHOWN_SESSIONS, args![since]);
    tx.prefetch(&LIST_SHOWN_ITEMS, args![since]);
    tx.prefetch(&LIST_OPEN_EDGES, args![]);
    tx.prefetch(&LIST_OPEN_ATTENTION, args![]);
    tx.prefetch(&LIST_LATEST_EVENTS, args![since]);
    Ok(OverviewRows {
        read_at: load_database_time(tx)?,
        newest_event: load_newest_number(tx)?,
        events_of_last_minute: tx
            .one_row(&COUNT_EVENTS_OF_LAST_MINUTE, args![], |row| row.get(0))?,
        sessions: readable_rows(tx, &LIST_SHOWN_SESSIONS, args![since], session_from_row)?,
        items: readable_rows(tx, &LIST_SHOWN_ITEMS, args![since], item_from_row)?,
        open_dependencies: readable_rows(tx, &LIST_OPEN_EDGES, args![], |row| {
            Ok(DependencyEdge { item: row.get(0)?, on: row.get(1)? })
        })?,
        handoffs: list_handoffs(tx, HandoffFilter { only_open: true })?,
        attention: readable_rows(tx, &LIST_OPEN_ATTENTION, args![], attention_from_row)?,
        latest_events: readable_rows(tx, &LIST_LATEST_EVENTS, args![since], event_from_row)?,
    })
}

/// Reads rows. One that others wrote and nobody can read is left out: it is reported where it is
/// asked for, and must not keep everybody from the overview.
fn readable_rows<T>(
    tx: &mut impl Tx,
    statement: &'static Statement,
    args: &[Arg<'_>],
    read: impl Fn(&dyn Row) -> Result<T>,
) -> Result<Vec<T>> {
    let rows = tx.rows(statement, args, |row| match read(row) {
        Err(StoreError::Unreadable { .. }) => Ok(None),
        read => read.map(Some),
    })?;
    Ok(rows.into_iter().flatten().collect())
}
