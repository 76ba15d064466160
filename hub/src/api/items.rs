//! `GET /api/items`.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use trueup_core::model::{Item, ItemKey, ItemStatus, ORCHESTRATOR_KIND, SessionId};
use trueup_core::store::{CommandStore, ItemFilter, KeyPage};
use trueup_core::views::ItemView;

use super::cursors::Cursors;
use super::names::{RepoUse, check_item, check_repo, unknown};
use super::pages::{Page, PageRequest};
use super::parameters::{Limit, parse_words};
use crate::parameters::Parameters;
use crate::problem::HubError;
use crate::store_pool::StorePool;
use crate::store_work::run_on_store;

/// Where a page of this list begins.
const CURSORS: Cursors = Cursors::of("items");

/// Which items to list.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct ItemQuery {
    /// The cursor that the page before ended with.
    #[cfg_attr(test, param(pattern = "^items-([2-7][0-9a-f]){1,200}$"))]
    since: Option<String>,
    /// Most rows of the page.
    #[serde(default)]
    #[cfg_attr(test, param(inline))]
    limit: Limit,
    /// Only items of these statuses.
    #[serde(default, deserialize_with = "parse_words")]
    #[cfg_attr(test, param(style = Form, explode = false, min_items = 1))]
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
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct ItemPage {
    items: Vec<ItemView>,
    next: Option<String>,
}

/// Lists items by key.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/items", params(ItemQuery), responses((status = 200, body = ItemPage)),
))]
pub(super) async fn list_items(
    State(pool): State<StorePool>,
    Parameters(query): Parameters<ItemQuery>,
) -> Result<Json<ItemPage>, HubError> {
    let page = run_on_store(&pool, move |store| find_items(store, &query)).await?;
    Ok(Json(ItemPage { items: page.rows.iter().map(ItemView::from).collect(), next: page.next }))
}

fn find_items(store: &mut dyn CommandStore, query: &ItemQuery) -> Result<Page<Item>, HubError> {
    let page = PageRequest::parse(CURSORS, query.since.as_deref(), query.limit)?;
    if let Some(parent) = &query.parent {
        check_item(store, parent)?;
    }
    if let Some(holder) = &query.holder
        && store.load_session(holder)?.is_none()
    {
        return Err(unknown("session_not_found", "session", holder.as_str()));
    }
    let filter = ItemFilter {
        parent: query.parent.clone(),
        held: query.held == Some(true) || query.holder.is_some(),
        statuses: query.status.clone(),
        kind: query.kind.clone(),
        ..ItemFilter::default()
    };
    let text = query.text.as_deref().map(str::to_lowercase);
    let page = page.read(
        |part| store.list_items(&ItemFilter { page: Some(part), ..filter.clone() }),
        |item| item.key.as_str(),
        |item| is_wanted(item, query, text.as_deref()),
    )?;
    if page.rows.is_empty() {
        check_names(store, query)?;
    }
    Ok(page)
}

/// Refuses a repository or a kind that nothing has.
fn check_names(store: &mut dyn CommandStore, query: &ItemQuery) -> Result<(), HubError> {
    if let Some(name) = &query.repo {
        check_repo(store, name, RepoUse::Items)?;
    }
    let Some(kind) = &query.kind else {
        return Ok(());
    };
    let first = KeyPage { after: String::new(), limit: 1 };
    let of_kind =
        ItemFilter { kind: Some(kind.clone()), page: Some(first), ..ItemFilter::default() };
    let is_known = ["task", ORCHESTRATOR_KIND].contains(&kind.as_str());
    if is_known || !store.list_items(&of_kind)?.is_empty() {
        return Ok(());
    }
    Err(unknown("kind_not_found", "kind of items", kind))
}

fn is_wanted(item: &Item, query: &ItemQuery, text: Option<&str>) -> bool {
    let has_text = |text: &str| {
        let title = item.title.as_deref().unwrap_or_default();
        item.key.as_str().to_lowercase().contains(text) || title.to_lowercase().contains(text)
    };
    let is_of_repo =
        |name: &String| item.repo.as_deref().is_some_and(|repo| repo.eq_ignore_ascii_case(name));
    query.repo.as_ref().is_none_or(is_of_repo)
        && (query.holder.is_none() || item.holder == query.holder)
        && query.held.is_none_or(|held| item.holder.is_some() == held)
        && text.is_none_or(has_text)
}
