//! What the triggers of the real adapters do: revisions and events follow every change.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::MemoryStore;
use super::events::record;
use crate::model::{Entity, Item, ItemKey, ItemStatus, SessionId, SessionStatus, Step, step};
use crate::store::news::News;
use crate::store::{Provenance, Result, StoreError};

/// The keys of the metadata that caches mirror.
const MIRRORED: [&str; 3] = ["execution_state", "auto_proceed", "chain_orchestrators"];

/// Merges as RFC 7396 says: objects key by key, `null` removes.
pub(super) fn merge(target: &mut Map<String, Json>, patch: &Map<String, Json>) {
    for (key, value) in patch {
        match value {
            Json::Null => {
                target.shift_remove(key);
            }
            Json::Object(inner) => {
                let slot = target.entry(key.clone()).or_insert_with(|| json!({}));
                if !slot.is_object() {
                    *slot = json!({});
                }
                if let Json::Object(slot) = slot {
                    merge(slot, inner);
                }
            }
            other => {
                target.insert(key.clone(), other.clone());
            }
        }
    }
}

fn mirrored(metadata: &Map<String, Json>) -> Json {
    let value = |key: &str| metadata.get(key).cloned().unwrap_or(Json::Null);
    MIRRORED
        .iter()
        .map(|key| ((*key).to_owned(), value(key)))
        .collect::<Map<_, _>>()
        .into()
}

fn free(metadata: &Map<String, Json>) -> Json {
    metadata
        .iter()
        .filter(|(key, _)| !MIRRORED.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect::<Map<_, _>>()
        .into()
}

/// Changes a session's metadata: what caches mirror raises the revision.
pub(super) fn metadata(
    store: &mut MemoryStore,
    id: &SessionId,
    by: &Provenance,
    change: impl FnOnce(&mut Map<String, Json>),
) -> Result<()> {
    let mut session = store.registered(id)?;
    let old = session.metadata.clone();
    change(&mut session.metadata);
    if session.metadata.contains_key("execution_state") {
        complete(&mut session.metadata);
    }
    let new = session.metadata.clone();
    if let Some(row) = store.sessions.get_mut(id) {
        row.metadata = session.metadata;
    }
    for (kind, before, after) in [
        ("state", mirrored(&old), mirrored(&new)),
        ("metadata", free(&old), free(&new)),
    ] {
        if before == after {
            continue;
        }
        if kind == "state" {
            raise(store, id);
            if let Some(revision) = store.sessions.get(id).map(|row| row.revision) {
                store.moved.insert(id.clone(), revision);
            }
        }
        record(store, by, of_session(id, kind, before, after));
    }
    Ok(())
}

/// Fills in every key of the contract that is absent.
pub(super) fn complete(metadata: &mut Map<String, Json>) {
    for flag in ["auto_proceed", "chain_orchestrators"] {
        metadata.entry(flag).or_insert(Json::Bool(false));
    }
    let state = metadata
        .entry("execution_state")
        .or_insert_with(|| Json::Object(Map::new()));
    let Json::Object(state) = state else { return };
    for text in ["currentSd", "currentPhase", "currentTask", "lastUpdatedAt"] {
        state.entry(text).or_insert(Json::Null);
    }
    for flag in ["isActive", "wasInterrupted"] {
        state.entry(flag).or_insert(Json::Bool(false));
    }
}

fn of_session<'a>(id: &'a SessionId, kind: &'a str, before: Json, after: Json) -> News<'a> {
    News {
        entity: "session",
        key: id.as_str(),
        kind,
        before,
        after,
        epoch: None,
    }
}

fn raise(store: &mut MemoryStore, id: &SessionId) {
    if let Some(row) = store.sessions.get_mut(id) {
        row.revision.0 += 1;
    }
}

/// Changes a session's status; active and idle alternate with every turn and are no news.
pub(super) fn status(
    store: &mut MemoryStore,
    id: &SessionId,
    status: SessionStatus,
    by: &Provenance,
) {
    let Some(row) = store.sessions.get_mut(id) else {
        return;
    };
    let before = std::mem::replace(&mut row.status, status);
    if before != status && !(before.is_present() && status.is_present()) {
        let (before, after) = (json!({"status": before}), json!({"status": status}));
        record(store, by, of_session(id, status.as_str(), before, after));
    }
}

/// Ends a session; a second goodbye is an event too, so that it is known when it is repeated.
pub(super) fn ended(store: &mut MemoryStore, id: &SessionId, by: &Provenance) {
    let ended = json!({"status": SessionStatus::Ended});
    match store.sessions.get(id).map(|row| row.status) {
        Some(SessionStatus::Ended) => {
            record(store, by, of_session(id, "ended", ended.clone(), ended));
        }
        _ => status(store, id, SessionStatus::Ended, by),
    }
}

/// Changes an item: a change raises its revision, a new holder both sessions'.
pub(super) fn item(
    store: &mut MemoryStore,
    key: &ItemKey,
    by: &Provenance,
    change: impl FnOnce(&mut Item),
) -> Result<Item> {
    let now = store.now;
    let missing = || StoreError::Conflict(format!("item {key} vanished"));
    let row = store.items.get_mut(key).ok_or_else(missing)?;
    let before = row.clone();
    change(row);
    if *row == before {
        return Ok(before);
    }
    let way = step(Entity::Item, before.status.as_str(), row.status.as_str());
    if way == Step::Illegal {
        return Err(StoreError::Denied("no legal change of status".to_owned()));
    }
    row.revision.0 += 1;
    row.updated_at = now;
    let moved = row.holder != before.holder;
    if moved {
        row.claimed_at = row.holder.as_ref().map(|_| now);
    }
    if way != Step::Stays {
        row.completed_at = Some(now).filter(|_| row.status.is_finished());
    }
    let after = row.clone();
    let kind = match (&before.holder, &after.holder) {
        _ if way == Step::Back => "reopened",
        (_, None) if way != Step::Stays => "status",
        (Some(_), None) => "released",
        (None, Some(_)) => "claimed",
        _ if moved => "taken_over",
        _ if way != Step::Stays => "status",
        _ => "changed",
    };
    let news = News {
        entity: "item",
        key: key.as_str(),
        kind,
        before: before.facts(),
        after: after.facts(),
        epoch: Some(after.epoch),
    };
    record(store, by, news);
    if moved {
        for session in [&before.holder, &after.holder].into_iter().flatten() {
            raise(store, session);
        }
    }
    count_open(store);
    Ok(after)
}

/// Counts anew what every item waits for.
pub(super) fn count_open(store: &mut MemoryStore) {
    let completed: BTreeSet<ItemKey> = store
        .items
        .values()
        .filter(|item| item.status == ItemStatus::Completed)
        .map(|item| item.key.clone())
        .collect();
    for item in store.items.values_mut() {
        let open = item.depends_on.iter().filter(|on| !completed.contains(on));
        item.open_dependencies = open.count() as u64;
    }
}
