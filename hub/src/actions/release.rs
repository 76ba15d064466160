//! Releasing an item whose holder is gone.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use trueup_core::model::{ItemKey, LivenessState, Session};
use trueup_core::store::{CommandStore, Provenance, ReleaseRequest};

use super::action::{ActionOutcome, carry_out};
use crate::access::AdminCaller;
use crate::json_body::JsonBody;
use crate::problem::HubError;
use crate::session_judge::SessionJudge;
use crate::store_pool::StorePool;

/// Which item to release.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseBody {
    /// The item.
    target: ItemKey,
    /// Why.
    reason: Option<String>,
    /// Whether to take it from a holder that lives or may live.
    #[serde(default)]
    force: bool,
}

/// Releases an item whose holder is dead or has let its lease expire.
#[cfg_attr(test, utoipa::path(
    post, path = "/api/actions/release", request_body = ReleaseBody,
    responses((status = 200, body = ActionOutcome)),
))]
pub(super) async fn release_item(
    State(pool): State<StorePool>,
    State(judge): State<Arc<SessionJudge>>,
    caller: AdminCaller,
    JsonBody(body): JsonBody<ReleaseBody>,
) -> Result<Json<ActionOutcome>, HubError> {
    let reason = body.reason.clone().unwrap_or_else(|| "release".to_owned());
    let outcome = carry_out(&pool, caller, &reason, move |store, provenance| {
        release(store, &body, &judge, provenance)
    });
    Ok(Json(outcome.await?))
}

fn release(
    store: &mut dyn CommandStore,
    body: &ReleaseBody,
    judge: &SessionJudge,
    provenance: &Provenance,
) -> Result<ActionOutcome, HubError> {
    let key = &body.target;
    let item = store.load_item(key)?.ok_or_else(|| HubError::NotFound {
        code: "item_not_found",
        message: format!("item {key} does not exist"),
    })?;
    let refused = |code, message| HubError::Refused { code, message };
    let Some(holder) = item.holder else {
        return Err(refused("not_held", format!("nobody holds {key}")));
    };
    let gone = store.load_session(&holder)?.filter(|session| is_gone(session, judge));
    let was_lost = match &gone {
        // Its state stays, as after a sweep, and a sign of life since the reading saves the claim.
        Some(session) => store.mark_lost(session, provenance)?.is_some(),
        None => false,
    };
    if !was_lost {
        if !body.force {
            let message = format!("{key} is held by {holder}, which is or may be alive");
            return Err(refused("holder_may_live", message));
        }
        let provenance = provenance.clone();
        store.release(&ReleaseRequest {
            session: holder.clone(),
            item: key.clone(),
            provenance,
        })?;
    }
    Ok(ActionOutcome::for_good(format!("released {key}, which {holder} held")))
}

/// Whether a session is dead, or silent beyond its lease without having announced it.
fn is_gone(session: &Session, judge: &SessionJudge) -> bool {
    match judge.judge(session).state {
        LivenessState::Dead => true,
        LivenessState::Unknown => !session.is_in_quiet_period(),
        LivenessState::Alive => false,
    }
}
