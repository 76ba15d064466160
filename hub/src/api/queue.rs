//! `GET /api/queue`.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use trueup_core::model::{ItemKey, ItemStatus, Phase};
use trueup_core::store::{CommandStore, PhaseFilter};
use trueup_core::views::PhaseView;

use super::cursors::Cursors;
use super::names::check_item;
use super::pages::{Page, PageRequest};
use super::parameters::{Limit, parse_words};
use crate::parameters::Parameters;
use crate::problem::HubError;
use crate::store_pool::StorePool;
use crate::store_work::run_on_store;

/// Where a page of this list begins.
const CURSORS: Cursors = Cursors::of("queue");

/// Which phases to list.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct QueueQuery {
    /// The cursor that the page before ended with.
    #[cfg_attr(test, param(pattern = "^queue-([2-7][0-9a-f]){1,200}$"))]
    since: Option<String>,
    /// Most rows of the page.
    #[serde(default)]
    #[cfg_attr(test, param(inline))]
    limit: Limit,
    /// Only phases of this item.
    item: Option<ItemKey>,
    /// Only phases of these statuses.
    #[serde(default, deserialize_with = "parse_words")]
    #[cfg_attr(test, param(style = Form, explode = false, min_items = 1))]
    status: Vec<ItemStatus>,
}

/// A page of the queue.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct QueuePage {
    queue: Vec<PhaseView>,
    next: Option<String>,
}

/// Lists phases by id.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/queue", params(QueueQuery), responses((status = 200, body = QueuePage)),
))]
pub(super) async fn list_queue(
    State(pool): State<StorePool>,
    Parameters(query): Parameters<QueueQuery>,
) -> Result<Json<QueuePage>, HubError> {
    let page = run_on_store(&pool, move |store| find_phases(store, &query)).await?;
    Ok(Json(QueuePage { queue: page.rows.iter().map(PhaseView::from).collect(), next: page.next }))
}

fn find_phases(store: &mut dyn CommandStore, query: &QueueQuery) -> Result<Page<Phase>, HubError> {
    let page = PageRequest::parse(CURSORS, query.since.as_deref(), query.limit)?;
    if let Some(item) = &query.item {
        check_item(store, item)?;
    }
    // A store looks for one status.
    let status = match query.status.as_slice() {
        [status] => Some(*status),
        _ => None,
    };
    let filter = PhaseFilter { item: query.item.clone(), status, page: None };
    page.read(
        |part| store.list_phases(&PhaseFilter { page: Some(part), ..filter.clone() }),
        |phase| phase.id.as_str(),
        |phase| query.status.is_empty() || query.status.contains(&phase.status),
    )
}
