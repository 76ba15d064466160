//! Ending what hooks reported: rejected edits in a journal, and refused writes of an outbox. What is
//! ended here ends in the database; the copy in a file of its machine stays.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use trueup_core::model::{Attention, AttentionId, AttentionKind, NewAttention};
use trueup_core::outbox::{JournalEntry, RefusedWrite};
use trueup_core::store::{CommandStore, DeliveryOutcome, Provenance};
use trueup_core::sync::{resend_dead_letter, restore_journal_entry};

use super::action::{ActionOutcome, UndoAction, carry_out};
use crate::access::AdminCaller;
use crate::json_body::JsonBody;
use crate::problem::HubError;
use crate::store_pool::StorePool;

/// What to end.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ReportedBody {
    /// The id by which it is listed, that of the entry in the journal, or of the operation.
    target: AttentionId,
    /// Why.
    reason: Option<String>,
}

/// How a report ends that somebody dropped, before the reason.
const DROPPED: &str = "dropped";

/// Applies a rejected edit to the present state of its session.
#[cfg_attr(test, utoipa::path(
    post, path = "/api/actions/restore_journal", request_body = ReportedBody,
    responses((status = 200, body = ActionOutcome)),
))]
pub(super) async fn restore_journal(
    State(pool): State<StorePool>,
    caller: AdminCaller,
    JsonBody(body): JsonBody<ReportedBody>,
) -> Result<Json<ActionOutcome>, HubError> {
    let reason = body.reason.unwrap_or_else(|| "restored from the journal".to_owned());
    let outcome = carry_out(&pool, caller, &reason, move |store, provenance| {
        let found = find_open(store, &body.target, AttentionKind::JournalEntry)?;
        let restored = restore_journal_entry(store, &found, provenance)?;
        let (id, session) = (&restored.entry.id, &restored.session.id);
        Ok(ActionOutcome::for_good(match restored.before {
            Some(_) => format!("restored {id} in session {session}"),
            None => format!("session {session} already is as {id} says"),
        }))
    });
    Ok(Json(outcome.await?))
}

/// Takes a rejected edit out of the list.
#[cfg_attr(test, utoipa::path(
    post, path = "/api/actions/drop_journal", request_body = ReportedBody,
    responses((status = 200, body = ActionOutcome)),
))]
pub(super) async fn drop_journal(
    State(pool): State<StorePool>,
    caller: AdminCaller,
    JsonBody(body): JsonBody<ReportedBody>,
) -> Result<Json<ActionOutcome>, HubError> {
    drop_report(&pool, caller, body, AttentionKind::JournalEntry).await.map(Json)
}

/// Sends a refused write once more.
#[cfg_attr(test, utoipa::path(
    post, path = "/api/actions/resend", request_body = ReportedBody,
    responses((status = 200, body = ActionOutcome)),
))]
pub(super) async fn resend(
    State(pool): State<StorePool>,
    caller: AdminCaller,
    JsonBody(body): JsonBody<ReportedBody>,
) -> Result<Json<ActionOutcome>, HubError> {
    let reason = body.reason.unwrap_or_else(|| "sent again".to_owned());
    let outcome = carry_out(&pool, caller, &reason, move |store, provenance| {
        let found = find_open(store, &body.target, AttentionKind::DeadLetter)?;
        let id = &found.id;
        Ok(ActionOutcome::for_good(match resend_dead_letter(store, &found, provenance)? {
            DeliveryOutcome::Superseded(_) => {
                format!("{id} came too late: it is an edit in the journal now")
            }
            DeliveryOutcome::Written | DeliveryOutcome::Refused(_) => format!("sent {id} again"),
        }))
    });
    Ok(Json(outcome.await?))
}

/// Takes a refused write out of the list.
#[cfg_attr(test, utoipa::path(
    post, path = "/api/actions/drop_dead_letter", request_body = ReportedBody,
    responses((status = 200, body = ActionOutcome)),
))]
pub(super) async fn drop_dead_letter(
    State(pool): State<StorePool>,
    caller: AdminCaller,
    JsonBody(body): JsonBody<ReportedBody>,
) -> Result<Json<ActionOutcome>, HubError> {
    drop_report(&pool, caller, body, AttentionKind::DeadLetter).await.map(Json)
}

/// Puts back into the list what was dropped.
#[cfg_attr(test, utoipa::path(
    post, path = "/api/actions/reinstate", request_body = ReportedBody,
    responses((status = 200, body = ActionOutcome)),
))]
pub(super) async fn reinstate(
    State(pool): State<StorePool>,
    caller: AdminCaller,
    JsonBody(body): JsonBody<ReportedBody>,
) -> Result<Json<ActionOutcome>, HubError> {
    let reason = body.reason.unwrap_or_else(|| "reinstated".to_owned());
    let outcome = carry_out(&pool, caller, &reason, move |store, provenance| {
        let found = store.load_attention(&body.target)?;
        let found = found.ok_or_else(|| not_found(&body.target))?;
        let was_dropped =
            found.ended_reason.as_deref().is_some_and(|reason| reason.starts_with(DROPPED));
        if !was_dropped {
            let message = format!("{} was not dropped", found.id);
            return Err(HubError::Refused { code: "not_dropped", message });
        }
        let done = format!("{} is listed again", found.id);
        store.raise_attention(&report_again(found), provenance)?;
        Ok(ActionOutcome::for_good(done))
    });
    Ok(Json(outcome.await?))
}

fn report_again(found: Attention) -> NewAttention {
    NewAttention {
        session: found.session,
        item: found.item,
        repo: found.repo,
        host: found.host,
        command: found.command,
        content: found.content,
        ..NewAttention::new(found.id, found.kind, found.line)
    }
}

async fn drop_report(
    pool: &StorePool,
    caller: AdminCaller,
    body: ReportedBody,
    kind: AttentionKind,
) -> Result<ActionOutcome, HubError> {
    let reason = match &body.reason {
        Some(reason) => format!("{DROPPED}: {reason}"),
        None => DROPPED.to_owned(),
    };
    let outcome = carry_out(pool, caller, &reason, move |store, provenance: &Provenance| {
        let found = find_open(store, &body.target, kind)?;
        store.end_attention(&found.id, provenance)?;
        Ok(ActionOutcome {
            done: format!("dropped {}", found.id),
            undo: Some(UndoAction { action: "reinstate", target: found.id.to_string() }),
        })
    });
    outcome.await
}

/// Finds what is listed under an id, or what tells of the entry or the write that has it.
fn find_open(
    store: &mut dyn CommandStore,
    target: &AttentionId,
    kind: AttentionKind,
) -> Result<Attention, HubError> {
    let told_by = match kind {
        AttentionKind::JournalEntry => JournalEntry::attention_id(target.as_str()),
        _ => RefusedWrite::attention_id(target.as_str()),
    };
    for id in [target, &told_by] {
        match store.load_attention(id)?.filter(|found| found.kind == kind) {
            Some(found) if found.is_open() => return Ok(found),
            Some(found) => {
                let message = format!("{} has ended", found.id);
                return Err(HubError::Refused { code: "already_ended", message });
            }
            None => {}
        }
    }
    Err(not_found(target))
}

fn not_found(target: &AttentionId) -> HubError {
    HubError::NotFound { code: "report_not_found", message: format!("{target} does not exist") }
}
