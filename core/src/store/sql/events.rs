//! The record of changes. Triggers write it for what plain SQL may change as well: sessions,
//! items, phases and tasks. What only commands change is recorded here.

use serde_json::{Value as Json, json};

use super::NOW;
use super::engine::{Arg, Tx, args};
use super::items::scope_word;
use super::row::Row;
use super::sessions::check_registered;
use super::statement::{Statement, columns, joined, statements};
use super::stored_text::stored_json;
use crate::model::EventKind;
use crate::model::{
    Event, EventFilter, EventOrder, FieldValue, ItemKey, SessionId, StateField, Timestamp,
};
use crate::store::event_draft::EventDraft;
use crate::store::{Provenance, Result};
use crate::text;

columns! {
    /// The columns of an event.
    pub(super) enum EventColumn {
        Seq = "seq",
        At = "at",
        Actor = "actor",
        Entity = "entity",
        Key = "key",
        Kind = "kind",
        Before = "before",
        After = "after",
        Epoch = "epoch",
        Reason = "reason",
        OpId = "op_id",
        Via = "coalesce((SELECT name FROM callers WHERE callers.op_id = events.op_id), via) AS via",
    }
}

/// The start of a list: the newest so many are found, in the order in which they happened.
const LIST_START: &str = joined!("SELECT * FROM (", SELECT_AFTER);
const SELECT_AFTER: &str = joined!("SELECT ", EventColumn::SQL, " FROM events WHERE seq > ?1 AND ");

/// Whether a thing is of a repository that is not meant.
const IS_ELSEWHERE: &str = " AND repo IS DISTINCT FROM ?11 AND (?10 = 'only' OR repo IS NOT NULL)";
/// The key of a phase is that of its item with a colon and a number behind it.
const ITEM_OF_PHASE: &str = "substr(events.key, 1, \
     nullif(length(rtrim(events.key, '0123456789')), 0) - 1)";
const IS_OF_SCOPE: &str = joined!(
    "(?10 = 'all' OR NOT (CASE
         WHEN entity = 'session' THEN EXISTS (SELECT 1 FROM claude_sessions
             WHERE session_id = events.key",
    IS_ELSEWHERE,
    ")
         WHEN entity = 'phase' THEN EXISTS (SELECT 1 FROM work_items WHERE key = ",
    ITEM_OF_PHASE,
    IS_ELSEWHERE,
    ")
         ELSE entity IN ('item', 'workplan') AND EXISTS (SELECT 1 FROM work_items
             WHERE key = events.key",
    IS_ELSEWHERE,
    ") END))",
);

/// The conditions of a list that no index answers.
const LAST_CONDITIONS: &str = joined!(
    " AND (?6 IS NULL OR entity = ?6) AND (?7 IS NULL OR kind = ?7)
      AND (?8 IS NULL OR at >= ?8) AND ",
    IS_OF_SCOPE,
    " ",
);
const LIST_END: &str =
    joined!(LAST_CONDITIONS, "ORDER BY seq DESC LIMIT ?2) AS newest ORDER BY seq");
const PAGE_END: &str = joined!(LAST_CONDITIONS, "ORDER BY seq LIMIT ?2");

/// The events of an item: phases have their item's key with a number behind a colon, and `;` is
/// the character that follows the colon.
const IS_OF_ITEM: &str = "(entity = 'item' AND key = ?3 OR entity = 'phase' AND key > ?3 || ':' \
     AND key < ?3 || ';' AND rtrim(substr(key, length(?3) + 2), '0123456789') = '')";
const IS_OF_SESSION: &str = "(actor = ?4 OR entity = 'session' AND key = ?4)";
const IS_OF_ACTOR: &str = "actor = ?5";
const IS_OF_OPERATION: &str = "op_id = ?9";

const OR_ANY_ITEM: &str = joined!("(?3 IS NULL OR ", IS_OF_ITEM, ")");
const OR_ANY_SESSION: &str = joined!("(?4 IS NULL OR ", IS_OF_SESSION, ")");
const OR_ANY_ACTOR: &str = joined!("(?5 IS NULL OR ", IS_OF_ACTOR, ")");
const OR_ANY_OPERATION: &str = joined!("(?9 IS NULL OR ", IS_OF_OPERATION, ")");

statements! {
    INSERT_EVENT(text, text, text, text, json, json, int, text, text) = @repeated
        "INSERT INTO events (actor, entity, key, kind, before, after, epoch, reason, op_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

    /// Whether a session's state ever held a text or a flag, given as a JSON path and a value; a
    /// flag is 1 or 0.
    HAD_STATE_VALUE(text, text, text) =
        "SELECT EXISTS (SELECT 1 FROM events
             WHERE entity = 'session' AND key = ?1 AND kind = 'state'
               AND (CAST(json_extract(before, ?2) AS text) IS NOT DISTINCT FROM ?3
                    OR CAST(json_extract(after, ?2) AS text) IS NOT DISTINCT FROM ?3))";

    LIST_EVENTS(int, int, text, text, text, text, text, text, text, text, text) =
        LIST_START, OR_ANY_ITEM, " AND ", OR_ANY_SESSION, " AND ", OR_ANY_ACTOR, " AND ",
        OR_ANY_OPERATION, LIST_END;
    LIST_EVENTS_OF_ITEM(int, int, text, text, text, text, text, text, text, text, text) =
        LIST_START, IS_OF_ITEM, " AND ", OR_ANY_SESSION, " AND ", OR_ANY_ACTOR,
        " AND ", OR_ANY_OPERATION, LIST_END;
    LIST_EVENTS_OF_SESSION(int, int, text, text, text, text, text, text, text, text, text) =
        LIST_START, IS_OF_SESSION, " AND ", OR_ANY_ITEM, " AND ",
        OR_ANY_ACTOR, " AND ", OR_ANY_OPERATION, LIST_END;
    LIST_EVENTS_OF_ACTOR(int, int, text, text, text, text, text, text, text, text, text) =
        LIST_START, IS_OF_ACTOR, " AND ", OR_ANY_ITEM, " AND ", OR_ANY_SESSION,
        " AND ", OR_ANY_OPERATION, LIST_END;
    LIST_EVENTS_OF_OPERATION(int, int, text, text, text, text, text, text, text, text, text) =
        LIST_START, IS_OF_OPERATION, " AND ", OR_ANY_ITEM, " AND ",
        OR_ANY_SESSION, " AND ", OR_ANY_ACTOR, LIST_END;

    /// The same, but the first so many behind the cursor.
    PAGE_EVENTS(int, int, text, text, text, text, text, text, text, text, text) =
        SELECT_AFTER, OR_ANY_ITEM, " AND ", OR_ANY_SESSION, " AND ", OR_ANY_ACTOR, " AND ",
        OR_ANY_OPERATION, PAGE_END;
    PAGE_EVENTS_OF_ITEM(int, int, text, text, text, text, text, text, text, text, text) =
        SELECT_AFTER, IS_OF_ITEM, " AND ", OR_ANY_SESSION, " AND ", OR_ANY_ACTOR,
        " AND ", OR_ANY_OPERATION, PAGE_END;
    PAGE_EVENTS_OF_SESSION(int, int, text, text, text, text, text, text, text, text, text) =
        SELECT_AFTER, IS_OF_SESSION, " AND ", OR_ANY_ITEM, " AND ",
        OR_ANY_ACTOR, " AND ", OR_ANY_OPERATION, PAGE_END;
    PAGE_EVENTS_OF_ACTOR(int, int, text, text, text, text, text, text, text, text, text) =
        SELECT_AFTER, IS_OF_ACTOR, " AND ", OR_ANY_ITEM, " AND ", OR_ANY_SESSION,
        " AND ", OR_ANY_OPERATION, PAGE_END;
    PAGE_EVENTS_OF_OPERATION(int, int, text, text, text, text, text, text, text, text, text) =
        SELECT_AFTER, IS_OF_OPERATION, " AND ", OR_ANY_ITEM, " AND ",
        OR_ANY_SESSION, " AND ", OR_ANY_ACTOR, PAGE_END;

    /// Every event holds a reading of the clock, in the order in which they were made.
    DIFFERING_CLOCK_READING(int) =
        "WITH present(first, last) AS (SELECT
             strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || ?1 || ' seconds'),
             strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+' || ?1 || ' seconds'))
         SELECT at FROM events, present
         WHERE at NOT BETWEEN first AND last
           AND NOT EXISTS (SELECT 1 FROM schema_migrations
                           WHERE version = 1 AND applied_at BETWEEN first AND last)
         ORDER BY seq DESC LIMIT 1";

    NEWEST_EVENT_NUMBER() = "SELECT coalesce(max(seq), 0) FROM events";

    DATABASE_TIME() = "SELECT ", NOW, " AS read_at";
}

pub(super) fn record_checkpoint(
    tx: &mut impl Tx,
    session: &SessionId,
    operations: u64,
    provenance: &Provenance,
) -> Result<()> {
    if tx.is_replay(provenance)? {
        return Ok(());
    }
    check_registered(tx, session)?;
    write_checkpoint(tx, session, operations, provenance)
}

/// Records a checkpoint of a session that is registered.
pub(super) fn write_checkpoint(
    tx: &mut impl Tx,
    session: &SessionId,
    operations: u64,
    provenance: &Provenance,
) -> Result<()> {
    let draft = EventDraft {
        entity: "session",
        key: session.as_str(),
        kind: EventKind::Checkpoint,
        before: Json::Null,
        after: json!({"operations": operations}),
        epoch: None,
    };
    record_event(tx, provenance, &draft)
}

pub(super) fn had_state_value(
    tx: &mut impl Tx,
    session: &SessionId,
    field: StateField,
    value: &FieldValue,
) -> Result<bool> {
    let value = match value {
        FieldValue::Flag(flag) => Some(if *flag { "1" } else { "0" }),
        FieldValue::Text(text) => text.as_deref(),
    };
    tx.one_row(&HAD_STATE_VALUE, args![session, field.path_in_state(), value], |row| row.get(0))
}

pub(super) fn record_refusal(
    tx: &mut impl Tx,
    item: &ItemKey,
    provenance: &Provenance,
) -> Result<()> {
    if tx.is_replay(provenance)? {
        return Ok(());
    }
    record_event(tx, provenance, &EventDraft::of_refusal(item))
}

/// Records a change, in the transaction that makes it.
pub(super) fn record_event(
    tx: &mut impl Tx,
    provenance: &Provenance,
    draft: &EventDraft<'_>,
) -> Result<()> {
    let text = |value: &Json| (!value.is_null()).then(|| stored_json(value));
    tx.execute(
        &INSERT_EVENT,
        args![
            provenance.actor,
            draft.entity,
            draft.key,
            draft.kind.as_str(),
            text(&draft.before),
            text(&draft.after),
            draft.epoch,
            provenance.reason,
            provenance.op_id,
        ],
    )?;
    Ok(())
}

pub(super) fn list_events(tx: &mut impl Tx, filter: &EventFilter) -> Result<Vec<Event>> {
    ask_for_events(filter, |statement, args| tx.rows(statement, args, event_from_row))
}

/// Says that [`list_events`] will be asked.
pub(super) fn prefetch_events(tx: &mut impl Tx, filter: &EventFilter) {
    ask_for_events(filter, |statement, args| tx.prefetch(statement, args));
}

fn ask_for_events<T>(
    filter: &EventFilter,
    ask: impl FnOnce(&'static Statement, &[Arg<'_>]) -> T,
) -> T {
    let limit = match filter.limit {
        0 => i64::MAX,
        limit => i64::from(limit),
    };
    ask(
        list_statement(filter),
        args![
            filter.after,
            limit,
            filter.item,
            filter.session,
            filter.actor,
            filter.entity,
            filter.kind,
            filter.since.map(|time| time.to_string()),
            filter.op_id,
            scope_word(&filter.scope),
            filter.scope.repo_name(),
        ],
    )
}

/// Chooses the statement whose index answers the most selective condition of a filter.
const fn list_statement(filter: &EventFilter) -> &'static Statement {
    let (newest, oldest) = if filter.op_id.is_some() {
        (&LIST_EVENTS_OF_OPERATION, &PAGE_EVENTS_OF_OPERATION)
    } else if filter.item.is_some() {
        (&LIST_EVENTS_OF_ITEM, &PAGE_EVENTS_OF_ITEM)
    } else if filter.session.is_some() {
        (&LIST_EVENTS_OF_SESSION, &PAGE_EVENTS_OF_SESSION)
    } else if filter.actor.is_some() {
        (&LIST_EVENTS_OF_ACTOR, &PAGE_EVENTS_OF_ACTOR)
    } else {
        (&LIST_EVENTS, &PAGE_EVENTS)
    };
    match filter.order {
        EventOrder::Newest => newest,
        EventOrder::Oldest => oldest,
    }
}

pub(super) fn event_from_row(row: &dyn Row) -> Result<Event> {
    let json = |column: EventColumn| -> Result<Json> {
        let text: Option<String> = row.get(column)?;
        // What others wrote and nobody can read is shown as nothing.
        Ok(text.and_then(|text| text::lenient_json::from_str(&text).ok()).unwrap_or(Json::Null))
    };
    Ok(Event {
        seq: row.get(EventColumn::Seq)?,
        at: row.get(EventColumn::At)?,
        actor: row.get(EventColumn::Actor)?,
        entity: row.get(EventColumn::Entity)?,
        key: row.get(EventColumn::Key)?,
        kind: row.get(EventColumn::Kind)?,
        before: json(EventColumn::Before)?,
        after: json(EventColumn::After)?,
        epoch: row.get(EventColumn::Epoch).unwrap_or_default(),
        reason: row.get(EventColumn::Reason)?,
        op_id: row.get(EventColumn::OpId)?,
        via: row.get(EventColumn::Via)?,
    })
}

pub(super) fn find_differing_clock_reading(
    tx: &mut impl Tx,
    apart_seconds: u64,
) -> Result<Option<Timestamp>> {
    // A reading that others wrote in a form nobody reads is no reading.
    let reading =
        tx.row(&DIFFERING_CLOCK_READING, args![apart_seconds], |row| Ok(row.lenient_time(0)))?;
    Ok(reading.flatten())
}

/// Says that [`load_database_time`] will be asked.
pub(super) fn prefetch_database_time(tx: &mut impl Tx) {
    tx.prefetch(&DATABASE_TIME, args![]);
}

pub(super) fn load_database_time(tx: &mut impl Tx) -> Result<Timestamp> {
    tx.one_row(&DATABASE_TIME, args![], |row| row.get(0))
}

/// Says that [`load_newest_number`] will be asked.
pub(super) fn prefetch_newest_number(tx: &mut impl Tx) {
    tx.prefetch(&NEWEST_EVENT_NUMBER, args![]);
}

pub(super) fn load_newest_number(tx: &mut impl Tx) -> Result<i64> {
    tx.one_row(&NEWEST_EVENT_NUMBER, args![], |row| row.get(0))
}
