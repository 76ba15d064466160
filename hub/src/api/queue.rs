//! `GET /api/queue`.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use trueup_core::model::{ItemKey, ItemStatus, Phase, QueueId};
use trueup_core::store::{CommandStore, PhaseFilter};
use trueup_core::views::PhaseView;
use utoipa::{IntoParams, ToSchema};

use super::names::check_item;
use super::pages::{Page, cut_page, parse_cursor};
use super::parameters::{Limit, Parameters, parse_words};
use crate::hub_state::HubState;
use crate::problem::HubError;
use crate::store_work::run_on_store;

/// Which phases to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct QueueQuery {
    /// The cursor that the page before ended with.
    #[param(value_type = Option<QueueId>)]
    since: Option<String>,
    /// Most rows of the page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// Only phases of this item.
    item: Option<ItemKey>,
    /// Only phases of these statuses.
    #[serde(default, deserialize_with = "parse_words")]
    #[param(style = Form, explode = false, min_items = 1)]
    status: Vec<ItemStatus>,
}

/// A page of the queue.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QueuePage {
    queue: Vec<PhaseView>,
    next: Option<String>,
}

/// Lists phases by id.
#[utoipa::path(
    get, path = "/api/queue", params(QueueQuery), responses((status = 200, body = QueuePage)),
)]
pub(super) async fn list_queue(
    State(state): State<HubState>,
    Parameters(query): Parameters<QueueQuery>,
) -> Result<Json<QueuePage>, HubError> {
    let page = run_on_store(state.pool(), move |store| find_phases(store, &query)).await?;
    Ok(Json(QueuePage { queue: page.rows.iter().map(PhaseView::from).collect(), next: page.next }))
}

fn find_phases(store: &mut dyn CommandStore, query: &QueueQuery) -> Result<Page<Phase>, HubError> {
    let since: Option<QueueId> = parse_cursor(query.since.as_deref())?;
    if let Some(item) = &query.item {
        check_item(store, item)?;
    }
    let mut phases = store.list_phases(&PhaseFilter { item: query.item.clone(), status: None })?;
    phases.retain(|phase| query.status.is_empty() || query.status.contains(&phase.status));
    Ok(cut_page(phases, since.as_ref(), query.limit, |row| row.id.clone(), ToString::to_string))
}
