//! `GET /api/items`.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use trueup_core::model::{Item, ItemKey, ItemStatus, ORCHESTRATOR_KIND, SessionId};
use trueup_core::store::{CommandStore, ItemFilter};
use trueup_core::views::ItemView;
use utoipa::{IntoParams, ToSchema};

use super::names::{check_item, find_repo, unknown};
use super::pages::{Page, cut_page, parse_cursor};
use super::parameters::{Limit, Parameters, parse_words};
use crate::hub_state::HubState;
use crate::problem::HubError;
use crate::store_work::run_on_store;

/// Which items to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ItemQuery {
    /// The cursor that the page before ended with.
    #[param(value_type = Option<ItemKey>)]
    since: Option<String>,
    /// Most rows of the page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// Only items of these statuses.
    #[serde(default, deserialize_with = "parse_words")]
    #[param(style = Form, explode = false, min_items = 1)]
    status: Vec<ItemStatus>,
    /// Only items of this repository.
    repo: Option<String>,
    /// Only children of this item.
    parent: Option<ItemKey>,
    /// Only the item that this session holds.
    holder: Option<SessionId>,
    /// Only items that somebody holds, or only items that nobody holds.
    held: Option<bool>,
    /// Only items of this kind.
    kind: Option<String>,
    /// Only items with this text in key or title, in any case.
    text: Option<String>,
}

/// A page of items.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItemPage {
    items: Vec<ItemView>,
    next: Option<String>,
}

/// Lists items by key.
#[utoipa::path(
    get, path = "/api/items", params(ItemQuery), responses((status = 200, body = ItemPage)),
)]
pub(super) async fn list_items(
    State(state): State<HubState>,
    Parameters(query): Parameters<ItemQuery>,
) -> Result<Json<ItemPage>, HubError> {
    let page = run_on_store(state.pool(), move |store| find_items(store, &query)).await?;
    Ok(Json(ItemPage { items: page.rows.iter().map(ItemView::from).collect(), next: page.next }))
}

fn find_items(store: &mut dyn CommandStore, query: &ItemQuery) -> Result<Page<Item>, HubError> {
    let since: Option<ItemKey> = parse_cursor(query.since.as_deref())?;
    if let Some(parent) = &query.parent {
        check_item(store, parent)?;
    }
    if let Some(holder) = &query.holder
        && store.load_session(holder)?.is_none()
    {
        return Err(unknown("session_not_found", "session", holder.as_str()));
    }
    let mut items = store.list_items(&ItemFilter::default())?;
    if let Some(name) = &query.repo {
        let of_rows = items.iter().filter_map(|item| item.repo.as_deref());
        let repo = find_repo(store, name, of_rows)?;
        items.retain(|item| item.repo.as_ref() == Some(&repo));
    }
    if let Some(kind) = &query.kind {
        keep_kind(&mut items, kind)?;
    }
    let text = query.text.as_deref().map(str::to_lowercase);
    items.retain(|item| is_wanted(item, query, text.as_deref()));
    Ok(cut_page(items, since.as_ref(), query.limit, |item| item.key.clone(), ToString::to_string))
}

fn keep_kind(items: &mut Vec<Item>, kind: &str) -> Result<(), HubError> {
    let is_known =
        ["task", ORCHESTRATOR_KIND].contains(&kind) || items.iter().any(|item| item.kind == kind);
    if !is_known {
        return Err(unknown("kind_not_found", "kind of items", kind));
    }
    items.retain(|item| item.kind == kind);
    Ok(())
}

fn is_wanted(item: &Item, query: &ItemQuery, text: Option<&str>) -> bool {
    let has_text = |text: &str| {
        let title = item.title.as_deref().unwrap_or_default();
        item.key.as_str().to_lowercase().contains(text) || title.to_lowercase().contains(text)
    };
    (query.status.is_empty() || query.status.contains(&item.status))
        && (query.parent.is_none() || item.parent == query.parent)
        && (query.holder.is_none() || item.holder == query.holder)
        && query.held.is_none_or(|held| item.holder.is_some() == held)
        && text.is_none_or(has_text)
}
