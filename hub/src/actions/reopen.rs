//! Reopening an item.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use trueup_core::claims::{MoveAnswer, MoveItemRequest, move_item};
use trueup_core::model::{ItemKey, MoveRefusal, MoveTarget};
use trueup_core::store::{CommandStore, Provenance};

use super::action::{ActionOutcome, carry_out};
use crate::access::AdminCaller;
use crate::json_body::JsonBody;
use crate::problem::HubError;
use crate::store_pool::StorePool;

/// Which item to reopen.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ReopenBody {
    /// The item.
    target: ItemKey,
    /// Why, which its history shows.
    #[cfg_attr(test, schema(pattern = r"[A-Za-z0-9]"))]
    reason: String,
}

/// Puts an item back to its start, with a reason. What proved its completion is dropped, so nothing
/// takes that back.
#[cfg_attr(test, utoipa::path(
    post, path = "/api/actions/reopen", request_body = ReopenBody,
    responses((status = 200, body = ActionOutcome)),
))]
pub(super) async fn reopen_item(
    State(pool): State<StorePool>,
    caller: AdminCaller,
    JsonBody(body): JsonBody<ReopenBody>,
) -> Result<Json<ActionOutcome>, HubError> {
    if !body.reason.chars().any(char::is_alphanumeric) {
        return Err(HubError::bad_request("reason_required", "say why the item is reopened"));
    }
    let reason = body.reason.clone();
    let outcome = carry_out(&pool, caller, &reason, move |store, provenance| {
        reopen(store, body, provenance.clone())
    });
    Ok(Json(outcome.await?))
}

fn reopen(
    store: &mut dyn CommandStore,
    body: ReopenBody,
    provenance: Provenance,
) -> Result<ActionOutcome, HubError> {
    let request = MoveItemRequest {
        session: None,
        item: body.target,
        target: MoveTarget::BackToStart,
        evidence: None,
        reason: Some(body.reason),
        provenance,
    };
    match move_item(store, &request)? {
        MoveAnswer::Moved { before, moved } => {
            let (key, from, to) = (&moved.item.key, before.status, moved.item.status);
            Ok(ActionOutcome::for_good(format!("{key}: {from} -> {to}")))
        }
        MoveAnswer::Refused(refusal) => Err(refusal_error(&request.item, &refusal)),
    }
}

fn refusal_error(key: &ItemKey, refusal: &MoveRefusal) -> HubError {
    let message = match refusal {
        MoveRefusal::ItemNotFound => {
            let message = format!("item {key} does not exist");
            return HubError::NotFound { code: refusal.code(), message };
        }
        MoveRefusal::NotHolder(holder) | MoveRefusal::StaleEpoch(holder) => {
            format!("{key} is held by {holder}; release it first")
        }
        MoveRefusal::IllegalTransition { from, .. } => {
            format!("{key} is {from} and does not need to be reopened")
        }
        MoveRefusal::PhantomSession
        | MoveRefusal::DependenciesOpen
        | MoveRefusal::EvidenceRequired => format!("{key} cannot be reopened"),
    };
    HubError::Refused { code: refusal.code(), message }
}
