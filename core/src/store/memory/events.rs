//! The record of changes.

use serde_json::{Value as Json, json};

use super::MemoryStore;
use crate::model::{Event, EventFilter, Field, SessionId, Value, concerns_item};
use crate::store::news::News;
use crate::store::{Provenance, Result};

pub(super) fn record(store: &mut MemoryStore, by: &Provenance, news: News<'_>) {
    store.newest += 1;
    store.events.push(Event {
        seq: store.newest,
        at: store.now,
        actor: by.actor.clone(),
        entity: news.entity.to_owned(),
        key: news.key.to_owned(),
        kind: news.kind.to_owned(),
        before: news.before,
        after: news.after,
        epoch: news.epoch,
        reason: by.reason.clone().map(String::from),
        op_id: Some(by.op_id.clone()).filter(|op| !op.is_empty()),
    });
}

pub(super) fn checkpoint(
    store: &mut MemoryStore,
    session: &SessionId,
    operations: u64,
    by: &Provenance,
) -> Result<()> {
    store.registered(session)?;
    let news = News {
        entity: "session",
        key: session.as_str(),
        kind: "checkpoint",
        before: Json::Null,
        after: json!({"operations": operations}),
        epoch: None,
    };
    record(store, by, news);
    Ok(())
}

pub(super) fn had_value(
    store: &MemoryStore,
    session: &SessionId,
    field: Field,
    value: &Value,
) -> bool {
    let pointer = field.path_in_state().replace(['$', '.'], "/");
    let pointer = pointer.trim_start_matches('/');
    let is_it = |side: &Json| {
        let found = side.pointer(&format!("/{pointer}")).unwrap_or(&Json::Null);
        *found == json!(value)
    };
    let mut events = store.events.iter();
    events.any(|event| {
        (&*event.entity, &*event.kind, &*event.key) == ("session", "state", session.as_str())
            && (is_it(&event.before) || is_it(&event.after))
    })
}

pub(super) fn list(store: &MemoryStore, filter: &EventFilter) -> Vec<Event> {
    let of = |event: &Event, entity: &str, key: &str| event.entity == entity && event.key == key;
    let mut found: Vec<Event> = store
        .events
        .iter()
        .filter(|e| e.seq > filter.after)
        .filter(|e| {
            let item = filter.item.as_deref();
            item.is_none_or(|item| concerns_item(&e.entity, &e.key, item))
        })
        .filter(|e| {
            filter
                .entity
                .as_ref()
                .is_none_or(|entity| e.entity == *entity)
        })
        .filter(|e| filter.kind.as_ref().is_none_or(|kind| e.kind == *kind))
        .filter(|e| filter.actor.as_ref().is_none_or(|actor| e.actor == *actor))
        .filter(|e| filter.op_id.is_none() || e.op_id == filter.op_id)
        .filter(|e| {
            let session = filter.session.as_deref();
            session.is_none_or(|id| e.actor == id || of(e, "session", id))
        })
        .filter(|e| filter.since.is_none_or(|since| e.at >= since))
        .cloned()
        .collect();
    if filter.limit > 0 {
        let most = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        found.drain(..found.len().saturating_sub(most));
    }
    found
}
