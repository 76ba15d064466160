//! `GET /api/plans`.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use trueup_core::model::{PlanId, PlanTaskStatus};
use trueup_core::store::{CommandStore, PlanOverview};
use trueup_core::views::PlanOverviewView;
use utoipa::{IntoParams, ToSchema};

use super::pages::{Page, cut_page, parse_cursor};
use super::parameters::{Limit, Parameters, parse_words};
use crate::hub_state::HubState;
use crate::problem::HubError;
use crate::store_work::run_on_store;

/// Which plans to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PlanQuery {
    /// The cursor that the page before ended with.
    #[param(value_type = Option<PlanId>)]
    since: Option<String>,
    /// Most rows of the page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// Only plans of these statuses.
    #[serde(default, deserialize_with = "parse_words")]
    #[param(style = Form, explode = false, min_items = 1)]
    status: Vec<PlanTaskStatus>,
}

/// A page of plans.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlanPage {
    plans: Vec<PlanOverviewView>,
    next: Option<String>,
}

/// Lists plans by id, with their tasks counted.
#[utoipa::path(
    get, path = "/api/plans", params(PlanQuery), responses((status = 200, body = PlanPage)),
)]
pub(super) async fn list_plans(
    State(state): State<HubState>,
    Parameters(query): Parameters<PlanQuery>,
) -> Result<Json<PlanPage>, HubError> {
    let page = run_on_store(state.pool(), move |store| find_plans(store, &query)).await?;
    let plans = page.rows.iter().map(PlanOverviewView::from).collect();
    Ok(Json(PlanPage { plans, next: page.next }))
}

fn find_plans(
    store: &mut dyn CommandStore,
    query: &PlanQuery,
) -> Result<Page<PlanOverview>, HubError> {
    let since: Option<PlanId> = parse_cursor(query.since.as_deref())?;
    let mut plans = store.list_plans()?;
    plans.retain(|row| query.status.is_empty() || query.status.contains(&row.summary.status()));
    Ok(cut_page(plans, since.as_ref(), query.limit, |row| row.plan.id.clone(), ToString::to_string))
}
