//! Rejecting a hand-off that nobody takes.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use trueup_core::model::{HandoffId, HandoffRefusal};
use trueup_core::store::{CommandStore, Provenance, RejectHandoffRequest};

use super::action::{ActionOutcome, carry_out};
use crate::access::AdminCaller;
use crate::json_body::JsonBody;
use crate::problem::HubError;
use crate::store_pool::StorePool;

/// Which hand-off to reject.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RejectBody {
    /// The hand-off.
    target: HandoffId,
    /// Why, which its sender is told.
    #[cfg_attr(test, schema(pattern = r"[A-Za-z0-9]"))]
    reason: String,
}

/// Rejects a hand-off in place of its sender, which may be gone. Its item stays where it is. A
/// decision is final, so nothing takes that back.
#[cfg_attr(test, utoipa::path(
    post, path = "/api/actions/reject", request_body = RejectBody,
    responses((status = 200, body = ActionOutcome)),
))]
pub(super) async fn reject_handoff(
    State(pool): State<StorePool>,
    caller: AdminCaller,
    JsonBody(body): JsonBody<RejectBody>,
) -> Result<Json<ActionOutcome>, HubError> {
    if !body.reason.chars().any(char::is_alphanumeric) {
        return Err(HubError::bad_request("reason_required", "say why the hand-off is rejected"));
    }
    let reason = body.reason.clone();
    let outcome = carry_out(&pool, caller, &reason, move |store, provenance| {
        reject_in_store(store, body, provenance.clone())
    });
    Ok(Json(outcome.await?))
}

fn reject_in_store(
    store: &mut dyn CommandStore,
    body: RejectBody,
    provenance: Provenance,
) -> Result<ActionOutcome, HubError> {
    let id = body.target;
    let Some(handoff) = store.load_handoff(&id)? else {
        return Err(refusal_error(&id, HandoffRefusal::NotFound));
    };
    let request =
        RejectHandoffRequest { id, session: handoff.from, reason: body.reason, provenance };
    match store.reject_handoff(&request)? {
        Ok(rejected) => {
            let (id, item) = (&rejected.id, &rejected.item);
            Ok(ActionOutcome::for_good(format!("rejected {id}; its sender keeps {item}")))
        }
        Err(refusal) => Err(refusal_error(&request.id, refusal)),
    }
}

fn refusal_error(id: &HandoffId, refusal: HandoffRefusal) -> HubError {
    match refusal {
        HandoffRefusal::NotFound => HubError::NotFound {
            code: "handoff_not_found",
            message: format!("hand-off {id} does not exist"),
        },
        HandoffRefusal::Decided => HubError::Refused {
            code: "handoff_decided",
            message: format!("hand-off {id} is already closed"),
        },
        _ => HubError::Refused {
            code: "handoff_not_rejected",
            message: format!("hand-off {id} cannot be rejected"),
        },
    }
}
