//! `GET /api/plans`.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use trueup_core::model::PlanTaskStatus;
use trueup_core::store::{CommandStore, PlanOverview};
use trueup_core::views::PlanOverviewView;

use super::cursors::Cursors;
use super::pages::{Page, PageRequest};
use super::parameters::{Limit, parse_words};
use crate::parameters::Parameters;
use crate::problem::HubError;
use crate::store_pool::StorePool;
use crate::store_work::run_on_store;

/// Where a page of this list begins.
const CURSORS: Cursors = Cursors::of("plans");

/// Which plans to list.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct PlanQuery {
    /// The cursor that the page before ended with.
    #[cfg_attr(test, param(pattern = "^plans-([2-7][0-9a-f]){1,200}$"))]
    since: Option<String>,
    /// Most rows of the page.
    #[serde(default)]
    #[cfg_attr(test, param(inline))]
    limit: Limit,
    /// Only plans of these statuses.
    #[serde(default, deserialize_with = "parse_words")]
    #[cfg_attr(test, param(style = Form, explode = false, min_items = 1))]
    status: Vec<PlanTaskStatus>,
}

/// A page of plans.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct PlanPage {
    plans: Vec<PlanOverviewView>,
    next: Option<String>,
}

/// Lists plans by id, with their tasks counted.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/plans", params(PlanQuery), responses((status = 200, body = PlanPage)),
))]
pub(super) async fn list_plans(
    State(pool): State<StorePool>,
    Parameters(query): Parameters<PlanQuery>,
) -> Result<Json<PlanPage>, HubError> {
    let page = run_on_store(&pool, move |store| find_plans(store, &query)).await?;
    let plans = page.rows.iter().map(PlanOverviewView::from).collect();
    Ok(Json(PlanPage { plans, next: page.next }))
}

fn find_plans(
    store: &mut dyn CommandStore,
    query: &PlanQuery,
) -> Result<Page<PlanOverview>, HubError> {
    let page = PageRequest::parse(CURSORS, query.since.as_deref(), query.limit)?;
    let mut plans = store.list_plans()?;
    plans.retain(|row| query.status.is_empty() || query.status.contains(&row.summary.status()));
    Ok(page.cut_page(plans, |row| row.plan.id.as_str()))
}
