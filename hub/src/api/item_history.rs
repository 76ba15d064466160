//! `GET /api/items/{key}`: an item with its events, now or as it was at a moment.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use trueup_core::model::{
    Event, EventFilter, ItemKey, PastItemError, Timestamp, blame_item, item_at,
};
use trueup_core::store::CommandStore;
use trueup_core::views::{BlameView, EventView, ItemView};

use super::names::unknown;
use super::parameters::Limit;
use crate::parameters::Parameters;
use crate::problem::HubError;
use crate::store_pool::StorePool;
use crate::store_work::run_on_store;

/// What to show of an item.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct ItemHistoryQuery {
    /// Show it as it was at this time.
    at: Option<Timestamp>,
    /// Most events, the newest ones; `/api/events?item=` has all.
    #[serde(default)]
    #[cfg_attr(test, param(inline))]
    limit: Limit,
}

/// An item with its history.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct ItemHistory {
    /// The item, as it was at that time.
    item: ItemView,
    /// The time, where one was asked for.
    at: Option<Timestamp>,
    /// What happened to it and its phases until then, in order.
    events: Vec<EventView>,
    /// The event that gave each field its value.
    blame: Vec<BlameView>,
}

/// Shows an item: what it is, or was at a moment, and which event gave each field its value.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/items/{key}", params(("key" = ItemKey, Path), ItemHistoryQuery),
    responses((status = 200, body = ItemHistory)),
))]
pub(super) async fn show_item(
    State(pool): State<StorePool>,
    key: Result<Path<String>, PathRejection>,
    Parameters(query): Parameters<ItemHistoryQuery>,
) -> Result<Json<ItemHistory>, HubError> {
    let Path(key) = key.map_err(|_| unknown("item_not_found", "item", "of that name"))?;
    let key = key.parse().map_err(|_| unknown("item_not_found", "item", &shorten(&key)))?;
    Ok(Json(run_on_store(&pool, move |store| load_history(store, &key, &query)).await?))
}

/// Longest name that an error repeats, in characters.
const MAX_NAME_CHARS: usize = 80;

fn shorten(name: &str) -> String {
    name.chars().take(MAX_NAME_CHARS).collect()
}

fn load_history(
    store: &mut dyn CommandStore,
    key: &ItemKey,
    query: &ItemHistoryQuery,
) -> Result<ItemHistory, HubError> {
    let present = store.load_item(key)?;
    let present = present.ok_or_else(|| unknown("item_not_found", "item", key.as_str()))?;
    let filter = EventFilter { item: Some(key.to_string()), ..EventFilter::default() };
    let mut events = store.list_events(&filter)?;
    let mut of_item: Vec<Event> =
        events.iter().filter(|event| event.entity == "item").cloned().collect();
    let item = match query.at {
        None => present,
        Some(at) => {
            let item = item_at(&present, &of_item, at).map_err(|error| past_error(key, error))?;
            events.retain(|event| event.at <= at);
            of_item.retain(|event| event.at <= at);
            item
        }
    };
    let shown = events.split_off(events.len().saturating_sub(query.limit.rows()));
    Ok(ItemHistory {
        item: (&item).into(),
        at: query.at,
        blame: blame_item(&item, &of_item).iter().map(BlameView::from).collect(),
        events: shown.into_iter().map(EventView::from).collect(),
    })
}

fn past_error(key: &ItemKey, error: PastItemError) -> HubError {
    let code = match error {
        PastItemError::NotYetAdded => "item_not_yet_added",
        PastItemError::Unknown => "time_not_kept",
    };
    HubError::NotFound { code, message: format!("item {key}: {error}") }
}
