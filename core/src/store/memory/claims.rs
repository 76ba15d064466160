//! Claims: conditional on holder and epoch, like every adapter's.

use serde_json::{Map, Value as Json, json};

use super::{MemoryStore, changes, handoffs, items, sessions};
use crate::model::{
    ClaimGrant, ClaimOutcome, Item, ItemKey, ItemStatus, Session, SessionId, SessionStatus,
};
use crate::store::{
    ClaimRequest, ClaimTaken, Heartbeat, Provenance, Release, Released, Result, StoreError,
};

pub(super) fn moved_on(item: &ItemKey) -> StoreError {
    StoreError::Conflict(format!("item {item} changed hands meanwhile"))
}

/// Refuses a grant whose outcome contradicts its conditions.
fn check(grant: &ClaimGrant) -> Result<()> {
    let consistent = match (grant.outcome, &grant.expected_holder) {
        (ClaimOutcome::Claimed, None) => true,
        (ClaimOutcome::AlreadyOwned, Some(holder)) => *holder == grant.session,
        (ClaimOutcome::TakenOver(_), Some(holder)) => *holder != grant.session,
        _ => false,
    };
    if consistent {
        return Ok(());
    }
    Err(StoreError::Invalid(format!(
        "{} of {} contradicts its expected holder",
        grant.outcome.as_str(),
        grant.item
    )))
}

pub(super) fn claim(store: &mut MemoryStore, request: &ClaimRequest) -> Result<ClaimTaken> {
    let grant = &request.grant;
    let session = store.registered(&grant.session)?;
    check(grant)?;
    let item = store
        .items
        .get(&grant.item)
        .ok_or_else(|| moved_on(&grant.item))?;
    let holder = item.holder.as_ref().and_then(|id| store.sessions.get(id));
    let stirred = grant.holder_seen_at.is_some()
        && grant.holder_seen_at != holder.map(|holder| holder.heartbeat_at);
    if item.holder != grant.expected_holder || item.epoch != grant.expected_epoch || stirred {
        return Err(moved_on(&grant.item));
    }
    let mut taken = ClaimTaken {
        item: item.clone(),
        previous_holder: None,
        released: None,
    };
    if grant.outcome != ClaimOutcome::AlreadyOwned {
        if item.status.is_finished() {
            return Err(moved_on(&grant.item));
        }
        if let Some(held) = session.item.as_ref().filter(|held| **held != grant.item) {
            set_free(store, held, &because(&request.provenance, "claim_switch"))?;
            taken.released = Some(held.clone());
        }
        taken.item = take(store, request)?;
        taken.previous_holder.clone_from(&grant.expected_holder);
        lose_holder(store, request);
    }
    begin_work(store, &session, &taken.item, &request.provenance)?;
    let heartbeat = Heartbeat {
        session: grant.session.clone(),
        lease_seconds: Some(request.lease_seconds),
        status: Some(SessionStatus::Active),
        span_seconds: request.span_seconds,
    };
    sessions::heartbeat(store, &heartbeat)?;
    Ok(taken)
}

/// Answers a repeated claim: what the first one took, read again.
pub(super) fn first_answer(store: &MemoryStore, request: &ClaimRequest) -> Result<ClaimTaken> {
    let grant = &request.grant;
    let item = items::existing(store, &grant.item)?;
    if item.holder.as_ref() != Some(&grant.session) {
        return Err(moved_on(&grant.item));
    }
    let of_this = |op: &Option<String>| op.as_deref() == Some(request.provenance.op_id.as_str());
    let released = store
        .events
        .iter()
        .find(|e| e.kind == "released" && of_this(&e.op_id));
    let owned = grant.outcome == ClaimOutcome::AlreadyOwned;
    Ok(ClaimTaken {
        item,
        previous_holder: grant.expected_holder.clone().filter(|_| !owned),
        released: released.and_then(|e| e.key.parse().ok()),
    })
}

pub(super) fn because(by: &Provenance, reason: &str) -> Provenance {
    Provenance {
        reason: Some(reason.into()),
        ..by.clone()
    }
}

fn take(store: &mut MemoryStore, request: &ClaimRequest) -> Result<Item> {
    let grant = &request.grant;
    let by = match grant.outcome {
        ClaimOutcome::TakenOver(reason) => because(&request.provenance, reason),
        _ => request.provenance.clone(),
    };
    changes::item(store, &grant.item, &by, |row| {
        row.holder = Some(grant.session.clone());
        row.epoch.0 += 1;
        if matches!(row.status, ItemStatus::Queued | ItemStatus::Ready) {
            row.status = ItemStatus::Running;
        }
    })
}

/// Marks the session that an item was taken from lost, unless it ended by its own word.
fn lose_holder(store: &mut MemoryStore, request: &ClaimRequest) {
    let grant = &request.grant;
    let holder = grant.expected_holder.as_ref();
    let present = |id: &&SessionId| {
        store
            .sessions
            .get(*id)
            .is_some_and(|s| s.status.is_present())
    };
    if let Some(holder) = holder
        .filter(present)
        .filter(|_| grant.outcome.loses_holder())
    {
        let why = format!("{} was taken over by {}", grant.item, grant.session);
        let by = because(&request.provenance, &why);
        changes::status(store, &holder.clone(), SessionStatus::Lost, &by);
    }
}

pub(super) fn set_free(store: &mut MemoryStore, item: &ItemKey, by: &Provenance) -> Result<Item> {
    changes::item(store, item, by, |row| row.holder = None)
}

fn begin_work(
    store: &mut MemoryStore,
    session: &Session,
    item: &Item,
    by: &Provenance,
) -> Result<()> {
    let state = session.execution_state().work;
    let same = state.item.as_deref() == Some(item.key.as_str());
    if same && state.is_active && !state.was_interrupted {
        return Ok(());
    }
    let mut patch = json!({"currentSd": item.key, "isActive": true, "wasInterrupted": false});
    if !same {
        patch["currentPhase"] = json!(item.phase);
        patch["currentTask"] = Json::Null;
    }
    patch_state(store, &session.id, patch, by)
}

pub(super) fn patch_state(
    store: &mut MemoryStore,
    session: &SessionId,
    mut state: Json,
    by: &Provenance,
) -> Result<()> {
    state["lastUpdatedAt"] = json!(store.now);
    let patch = Map::from_iter([("execution_state".to_owned(), state)]);
    changes::metadata(store, session, by, |metadata| {
        changes::merge(metadata, &patch);
    })
}

pub(super) fn release(store: &mut MemoryStore, release: &Release) -> Result<Item> {
    let held = store
        .items
        .get(&release.item)
        .and_then(|i| i.holder.as_ref());
    if held != Some(&release.session) {
        return Err(StoreError::Conflict(format!(
            "session {} does not hold {}",
            release.session, release.item
        )));
    }
    let item = set_free(store, &release.item, &release.provenance)?;
    handoffs::withdraw_of(store, &release.item, &release.session, &release.provenance);
    end_work(store, &release.session, &release.provenance)?;
    Ok(item)
}

/// Leaves a session idle of work.
pub(super) fn end_work(
    store: &mut MemoryStore,
    session: &SessionId,
    by: &Provenance,
) -> Result<()> {
    let idle = json!({
        "currentSd": null, "currentPhase": null, "currentTask": null, "isActive": false,
    });
    patch_state(store, session, idle, by)
}

pub(super) fn park(
    store: &mut MemoryStore,
    read: &Session,
    by: &Provenance,
) -> Result<Option<Released>> {
    let Some(row) = store.sessions.get(&read.id) else {
        return Ok(None);
    };
    if row.heartbeat_at != read.heartbeat_at || row.status != read.status {
        return Ok(None);
    }
    if row.status != SessionStatus::Ended {
        changes::status(store, &read.id, SessionStatus::Lost, by);
    }
    let item = store.held_by(&read.id).map(|i| i.key.clone());
    if let Some(item) = &item {
        set_free(store, item, by)?;
    }
    Ok(Some(Released {
        session: read.id.clone(),
        item,
        reason: by.reason.clone().unwrap_or_default().into(),
    }))
}
