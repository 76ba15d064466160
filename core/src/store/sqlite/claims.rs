//! Claims: one conditional statement each, in one transaction with what follows from it.

use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::{Map, json};

use super::errors::from_sqlite;
use super::sessions::{self, to_signed};
use super::{NOW, handoffs, is_replay, items, require_registered};
use crate::model::{ClaimOutcome, Item, ItemKey, Session, SessionId, SessionStatus};
use crate::store::{
    ClaimedItem, GrantedClaim, HeartbeatRequest, Provenance, ReleaseRequest, ReleasedClaim, Result,
    StoreError,
};

pub(super) fn claim_item(tx: &Transaction<'_>, request: &GrantedClaim) -> Result<ClaimedItem> {
    let grant = &request.grant;
    let session = require_registered(sessions::load_session(tx, &grant.session)?, &grant.session)?;
    let is_already_owned = grant.outcome == ClaimOutcome::AlreadyOwned;
    let is_replay = is_replay(tx, &request.provenance)?;
    let released = if is_replay {
        find_item_released_by(tx, &request.provenance)?
    } else if is_already_owned {
        None
    } else {
        let released = release_other_item(tx, &session, &grant.item, &request.provenance)?;
        take_item(tx, request)?;
        released
    };
    let item =
        items::load_item(tx, &grant.item)?.filter(|i| i.holder.as_ref() == Some(&grant.session));
    let item = item.ok_or_else(|| changed_hands_error(&grant.item))?;
    if is_already_owned && !is_replay && item.epoch != grant.expected_epoch {
        return Err(changed_hands_error(&grant.item));
    }
    // What is repeated is no new sign of life: the session may have said goodbye since.
    if !is_replay {
        set_current_work(tx, &session, &item, &request.provenance)?;
        let heartbeat = HeartbeatRequest {
            session: grant.session.clone(),
            lease_seconds: Some(request.lease_seconds),
            status: Some(SessionStatus::Active),
            quiet_seconds: request.quiet_seconds,
        };
        sessions::record_heartbeat(tx, &heartbeat)?;
    }
    let previous_holder = grant.expected_holder.clone().filter(|_| !is_already_owned);
    Ok(ClaimedItem {
        item,
        previous_holder,
        released,
    })
}

pub(super) fn changed_hands_error(item: &ItemKey) -> StoreError {
    StoreError::Conflict(format!("the holder of item {item} has changed"))
}

/// The claim itself: takes effect only while holder and epoch are those that were decided on,
/// and the holder has given no sign of life since.
fn take_item(tx: &Transaction<'_>, request: &GrantedClaim) -> Result<()> {
    let grant = &request.grant;
    let sql = format!(
        "UPDATE work_items SET holder = ?1, claim_epoch = claim_epoch + 1, claimed_at = {NOW},
             status = CASE WHEN status IN ('queued', 'ready') THEN 'running' ELSE status END,
             under_epoch = ?7,
             last_actor = ?2, last_reason = ?3, last_op = ?4
         WHERE key = ?5 AND holder IS ?6 AND claim_epoch = ?7
           AND status NOT IN ('completed', 'failed', 'cancelled')
           AND (?8 IS NULL OR EXISTS (SELECT 1 FROM claude_sessions WHERE session_id = ?6
                AND strftime('%Y-%m-%dT%H:%M:%fZ', heartbeat_at) = ?8))
         RETURNING key"
    );
    let reason = match grant.outcome {
        ClaimOutcome::TakenOver(reason) => Some(reason),
        _ => request.provenance.reason.as_deref(),
    };
    let taken: Option<String> = tx
        .query_row(
            &sql,
            params![
                grant.session.as_str(),
                request.provenance.actor,
                reason,
                request.provenance.op_id,
                grant.item.as_str(),
                grant.expected_holder.as_ref().map(SessionId::as_str),
                to_signed(grant.expected_epoch.0),
                grant.holder_seen_at.map(|at| at.to_string()),
            ],
            |row| row.get(0),
        )
        .optional()
        .map_err(from_sqlite)?;
    taken.ok_or_else(|| changed_hands_error(&grant.item))?;
    mark_holder_lost(tx, request)
}

/// Marks the session that an item was taken from lost, unless it ended by its own word. It
/// holds nothing more that a sweep could look for.
fn mark_holder_lost(tx: &Transaction<'_>, request: &GrantedClaim) -> Result<()> {
    let grant = &request.grant;
    let Some(holder) = &grant.expected_holder else {
        return Ok(());
    };
    let loses_holder = grant.outcome.loses_holder();
    tx.execute(
        "UPDATE claude_sessions SET swept = iif(?5 OR status = 'ended', 1, swept),
             status = iif(?5 AND status IN ('active', 'idle'), 'lost', status),
             last_actor = ?2, last_reason = ?3, last_op = ?4
         WHERE session_id = ?1 AND swept = 0 AND session_id <> ?6
           AND (?5 OR status = 'ended')",
        params![
            holder.as_str(),
            request.provenance.actor,
            format!("{} was taken over by {}", grant.item, grant.session),
            request.provenance.op_id,
            loses_holder,
            grant.session.as_str(),
        ],
    )
    .map_err(from_sqlite)?;
    Ok(())
}

pub(super) fn release_other_item(
    tx: &Transaction<'_>,
    session: &Session,
    wanted: &ItemKey,
    provenance: &Provenance,
) -> Result<Option<ItemKey>> {
    match &session.item {
        Some(held) if held != wanted => {
            clear_holder(tx, &session.id, held, provenance, Some("claim_switch"))?;
            Ok(Some(held.clone()))
        }
        _ => Ok(None),
    }
}

/// Returns the item that a claim carried out before gave up.
pub(super) fn find_item_released_by(
    tx: &Transaction<'_>,
    provenance: &Provenance,
) -> Result<Option<ItemKey>> {
    let key: Option<String> = tx
        .query_row(
            "SELECT key FROM events WHERE op_id = ?1 AND entity = 'item' AND kind = 'released'",
            [&provenance.op_id],
            |row| row.get(0),
        )
        .optional()
        .map_err(from_sqlite)?;
    Ok(key.and_then(|key| key.parse().ok()))
}

fn clear_holder(
    tx: &Transaction<'_>,
    holder: &SessionId,
    item: &ItemKey,
    provenance: &Provenance,
    reason: Option<&str>,
) -> Result<Option<Item>> {
    let freed = tx
        .execute(
            "UPDATE work_items SET holder = NULL, last_actor = ?1, last_reason = ?2, last_op = ?3
             WHERE key = ?4 AND holder = ?5",
            params![
                provenance.actor,
                reason.or(provenance.reason.as_deref()),
                provenance.op_id,
                item.as_str(),
                holder.as_str()
            ],
        )
        .map_err(from_sqlite)?;
    match freed {
        0 => Ok(None),
        // The row as triggers left it.
        _ => items::load_item(tx, item),
    }
}

/// Makes the item the session's current one. Another item starts with its own phase and no
/// task; the same item goes on where it was.
fn set_current_work(
    tx: &Transaction<'_>,
    session: &Session,
    item: &Item,
    provenance: &Provenance,
) -> Result<()> {
    let work = session.execution_state().work;
    let is_same_item = work.item.as_deref() == Some(item.key.as_str());
    if is_same_item && work.is_active && !work.was_interrupted {
        return Ok(());
    }
    let mut patch = json!({
        "currentSd": item.key, "isActive": true, "wasInterrupted": false,
    });
    if !is_same_item {
        patch["currentPhase"] = json!(item.phase);
        patch["currentTask"] = json!(null);
    }
    patch_execution_state(tx, &session.id, patch, provenance)
}

pub(super) fn patch_execution_state(
    tx: &Transaction<'_>,
    session: &SessionId,
    mut state: serde_json::Value,
    provenance: &Provenance,
) -> Result<()> {
    let now: String = tx
        .query_row(&format!("SELECT {NOW}"), [], |row| row.get(0))
        .map_err(from_sqlite)?;
    state["lastUpdatedAt"] = json!(now);
    let patch = Map::from_iter([("execution_state".to_owned(), state)]);
    sessions::patch_metadata(tx, session, &patch, provenance)?;
    Ok(())
}

pub(super) fn release_item(tx: &Transaction<'_>, release: &ReleaseRequest) -> Result<Item> {
    let provenance = &release.provenance;
    if is_replay(tx, provenance)?
        && let Some(item) = items::load_item(tx, &release.item)?
    {
        return Ok(item);
    }
    let released_item = clear_holder(tx, &release.session, &release.item, provenance, None)?;
    let item = released_item.ok_or_else(|| {
        StoreError::Conflict(format!(
            "session {} does not hold {}",
            release.session, release.item
        ))
    })?;
    handoffs::withdraw_handoff_of(tx, &release.item, &release.session, provenance)?;
    clear_current_work(tx, &release.session, provenance)?;
    Ok(item)
}

/// Leaves a session idle of work.
pub(super) fn clear_current_work(
    tx: &Transaction<'_>,
    session: &SessionId,
    provenance: &Provenance,
) -> Result<()> {
    let idle = json!({
        "currentSd": null, "currentPhase": null, "currentTask": null, "isActive": false,
    });
    patch_execution_state(tx, session, idle, provenance)
}

pub(super) fn mark_lost(
    tx: &Transaction<'_>,
    session: &Session,
    provenance: &Provenance,
) -> Result<Option<ReleasedClaim>> {
    let changed = tx
        .execute(
            "UPDATE claude_sessions SET swept = 1,
                 status = CASE WHEN status = 'ended' THEN 'ended' ELSE 'lost' END,
                 last_actor = ?1, last_reason = ?2, last_op = ?3
             WHERE session_id = ?4 AND strftime('%Y-%m-%dT%H:%M:%fZ', heartbeat_at) = ?5 AND status = ?6",
            params![
                provenance.actor,
                provenance.reason,
                provenance.op_id,
                session.id.as_str(),
                session.heartbeat_at.to_string(),
                session.status.as_str(),
            ],
        )
        .map_err(from_sqlite)?;
    if changed == 0 {
        return Ok(None);
    }
    let item = match &session.item {
        Some(item) => clear_holder(tx, &session.id, item, provenance, None)?.map(|i| i.key),
        None => None,
    };
    let reason = provenance.reason.clone().unwrap_or_default().into();
    Ok(Some(ReleasedClaim {
        session: session.id.clone(),
        item,
        reason,
    }))
}
