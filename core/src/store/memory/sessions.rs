//! Sessions: registration, leases and state.

use serde_json::{Map, Value as Json, json};

use super::events::record;
use super::{MemoryStore, changes};
use crate::model::{Field, Kind, Revision, Session, SessionId, SessionStatus, Value};
use crate::store::news::News;
use crate::store::{
    Heartbeat, Mark, Provenance, Push, Registration, Result, SessionFilter, StoreError,
};

pub(super) fn register(store: &mut MemoryStore, new: &Registration) -> Result<Session> {
    let by = &new.provenance;
    store.was_done("register", by)?;
    store.operations.insert(by.op_id.clone(), "register");
    if !store.sessions.contains_key(&new.session) {
        add(store, new);
    }
    let lease_expires_at = store.later(new.lease_seconds);
    let now = store.now;
    if let Some(row) = store.sessions.get_mut(&new.session) {
        let keep = |new: &Option<String>, old: &Option<String>| new.clone().or(old.clone());
        row.repo = keep(&new.repo, &row.repo);
        row.worktree = keep(&new.worktree, &row.worktree);
        row.host = keep(&new.host, &row.host);
        row.process.clone_from(&new.process);
        row.predecessor = row.predecessor.clone().or(new.predecessor.clone());
        row.ended_reason = None;
        row.heartbeat_at = now;
        row.lease_expires_at = lease_expires_at;
    }
    if let Some(branch) = &new.branch {
        changes::metadata(store, &new.session, by, |metadata| {
            metadata.insert("branch".to_owned(), json!(branch));
        })?;
    }
    changes::status(store, &new.session, SessionStatus::Active, by);
    store.registered(&new.session)
}

fn add(store: &mut MemoryStore, new: &Registration) {
    let now = store.now;
    let branch = new.branch.as_ref();
    let mut metadata = Map::from_iter([("branch".to_owned(), json!(branch))]);
    changes::complete(&mut metadata);
    let session = Session {
        lineage: store.lineage.clone(),
        id: new.session.clone(),
        repo: None,
        worktree: None,
        host: None,
        process: None,
        status: SessionStatus::Active,
        ended_reason: None,
        predecessor: new.predecessor.clone(),
        registered_at: now,
        heartbeat_at: now,
        lease_expires_at: now,
        silent_until: None,
        revision: Revision(1),
        acknowledged: Revision(0),
        metadata,
        item: None,
        epoch: None,
        claimed_at: None,
        read_at: now,
    };
    store.sessions.insert(new.session.clone(), session);
    let after = json!({
        "status": SessionStatus::Active, "worktree": new.worktree, "host": new.host,
        "predecessor": new.predecessor,
    });
    let news = News {
        entity: "session",
        key: new.session.as_str(),
        kind: "registered",
        before: Json::Null,
        after,
        epoch: None,
    };
    record(store, &new.provenance, news);
}

fn limited(sessions: Vec<Session>, limit: u32) -> Vec<Session> {
    let most = match limit {
        0 => usize::MAX,
        n => usize::try_from(n).unwrap_or(usize::MAX),
    };
    sessions.into_iter().take(most).collect()
}

fn all(store: &MemoryStore) -> impl Iterator<Item = Session> + '_ {
    store
        .sessions
        .keys()
        .filter_map(|id| store.registered(id).ok())
}

pub(super) fn list(store: &MemoryStore, filter: &SessionFilter) -> Vec<Session> {
    let mut found: Vec<Session> = all(store)
        .filter(|s| filter.statuses.is_empty() || filter.statuses.contains(&s.status))
        .filter(|s| filter.worktree.is_none() || s.worktree == filter.worktree)
        .filter(|s| match &filter.prefix {
            Some(prefix) => s.id.as_str().starts_with(prefix.as_str()),
            None => true,
        })
        .collect();
    found.sort_by(|a, b| {
        b.heartbeat_at
            .cmp(&a.heartbeat_at)
            .then_with(|| a.id.cmp(&b.id))
    });
    limited(found, filter.limit)
}

pub(super) fn lapsed(store: &MemoryStore, limit: u32) -> Vec<Session> {
    let mut found: Vec<Session> = all(store)
        .filter(|s| match s.status {
            SessionStatus::Active | SessionStatus::Idle => s.lease_expired(),
            SessionStatus::Ended => s.item.is_some(),
            SessionStatus::Lost => false,
        })
        .collect();
    found.sort_by_key(|s| s.lease_expires_at);
    limited(found, limit)
}

pub(super) fn heartbeat(store: &mut MemoryStore, beat: &Heartbeat) -> Result<()> {
    store.registered(&beat.session)?;
    let (now, lease) = (
        store.now,
        beat.lease_seconds.map(|lease| store.later(lease)),
    );
    let silent_until = beat.span_seconds.map(|span| store.later(span));
    if let Some(row) = store.sessions.get_mut(&beat.session) {
        if let Some(lease) = lease {
            row.heartbeat_at = now;
            row.lease_expires_at = lease;
        }
        row.silent_until = silent_until.or(row.silent_until);
    }
    if let Some(status) = beat.status {
        let by = Provenance {
            actor: beat.session.to_string(),
            reason: None,
            op_id: String::new(),
        };
        changes::status(store, &beat.session, status, &by);
    }
    Ok(())
}

pub(super) fn push(store: &mut MemoryStore, push: &Push) -> Result<Session> {
    let session = store.registered(&push.session)?;
    for (field, value) in &push.changes {
        if matches!(value, Value::Flag(_)) != (field.kind() == Kind::Flag) {
            let text = format!("{} is not of the kind of {value:?}", field.key());
            return Err(StoreError::Invalid(text));
        }
    }
    if session.revision != push.base {
        return Err(StoreError::Conflict(format!(
            "it was made from revision {}, now is {}",
            push.base, session.revision
        )));
    }
    if let Some((item, epoch)) = &push.fence
        && (session.item.as_ref() != Some(item) || session.epoch != Some(*epoch))
    {
        let text = "the claim it was made under is another's".to_owned();
        return Err(StoreError::Conflict(text));
    }
    let patch = patch(push, &store.now.to_string());
    changes::metadata(store, &push.session, &push.provenance, |metadata| {
        changes::merge(metadata, &patch);
        mark(metadata, push.mark, &patch);
    })?;
    let told = push.acknowledge && session.acknowledged == session.revision;
    if let Some(row) = store.sessions.get_mut(&push.session).filter(|_| told) {
        row.acknowledged = row.revision;
    }
    if let (Some(Value::Text(phase)), Some(item)) = (push.changes.get(&Field::Phase), &session.item)
    {
        changes::item(store, item, &push.provenance, |row| {
            row.phase.clone_from(phase);
        })?;
    }
    store.registered(&push.session)
}

fn patch(push: &Push, now: &str) -> Map<String, Json> {
    let mut metadata = Map::new();
    let mut state = Map::new();
    for (field, value) in &push.changes {
        match field {
            Field::AutoProceed => metadata.insert("auto_proceed".to_owned(), json!(value)),
            Field::ChainOrchestrators => {
                metadata.insert("chain_orchestrators".to_owned(), json!(value))
            }
            other => state.insert(other.key().to_owned(), json!(value)),
        };
    }
    if let Some(branch) = &push.branch {
        metadata.insert("branch".to_owned(), json!(branch));
    }
    state.insert("lastUpdatedAt".to_owned(), json!(now));
    metadata.insert("execution_state".to_owned(), Json::Object(state));
    metadata
}

fn mark(metadata: &mut Map<String, Json>, mark: Option<Mark>, patch: &Map<String, Json>) {
    let Some(Json::Object(state)) = metadata.get_mut("execution_state") else {
        return;
    };
    let now = patch["execution_state"]["lastUpdatedAt"].clone();
    let mut put = |key: &str, value: Json| state.insert(key.to_owned(), value);
    match mark {
        None => {}
        Some(Mark::Interrupted) => {
            put("lastInterruptedAt", now);
        }
        Some(Mark::Resumed) => {
            put("lastResumedAt", now);
            let count = state.get("resumeCount").and_then(Json::as_u64).unwrap_or(0);
            state.insert("resumeCount".to_owned(), json!(count + 1));
        }
        Some(Mark::HistoryCleared) => {
            put("lastInterruptedAt", Json::Null);
            put("lastResumedAt", Json::Null);
            put("resumeCount", json!(0));
        }
    }
}

pub(super) fn acknowledge(
    store: &mut MemoryStore,
    id: &SessionId,
    revision: Revision,
) -> Result<()> {
    let session = store.registered(id)?;
    if revision > session.revision {
        return Err(StoreError::Invalid(format!(
            "session {id} has no revision {revision} yet"
        )));
    }
    if let Some(row) = store.sessions.get_mut(id) {
        row.acknowledged = row.acknowledged.max(revision);
    }
    Ok(())
}

pub(super) fn end(
    store: &mut MemoryStore,
    id: &SessionId,
    reason: &str,
    by: &Provenance,
) -> Result<Session> {
    store.registered(id)?;
    let by = Provenance {
        reason: Some(reason.into()),
        ..by.clone()
    };
    changes::ended(store, id, &by);
    if let Some(row) = store.sessions.get_mut(id) {
        row.ended_reason = Some(reason.to_owned());
    }
    store.registered(id)
}
