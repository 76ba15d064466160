//! `GET /api/repos`.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use trueup_core::model::Repo;
use trueup_core::store::CommandStore;
use trueup_core::views::RepoView;

use super::cursors::Cursors;
use super::pages::{Page, PageRequest};
use super::parameters::Limit;
use crate::parameters::Parameters;
use crate::problem::HubError;
use crate::store_pool::StorePool;
use crate::store_work::run_on_store;

/// Where a page of this list begins.
const CURSORS: Cursors = Cursors::of("repos");

/// Which repositories to list.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct RepoQuery {
    /// The cursor that the page before ended with.
    #[cfg_attr(test, param(pattern = "^repos-([2-7][0-9a-f]){1,200}$"))]
    since: Option<String>,
    /// Most rows of the page.
    #[serde(default)]
    #[cfg_attr(test, param(inline))]
    limit: Limit,
    /// Only repositories that have a place on this machine.
    host: Option<String>,
    /// Only passive repositories, or only those that share their state.
    passive: Option<bool>,
}

/// A page of repositories.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct RepoPage {
    repos: Vec<RepoView>,
    next: Option<String>,
}

/// Lists registered repositories by name.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/repos", params(RepoQuery), responses((status = 200, body = RepoPage)),
))]
pub(super) async fn list_repos(
    State(pool): State<StorePool>,
    Parameters(query): Parameters<RepoQuery>,
) -> Result<Json<RepoPage>, HubError> {
    let page = run_on_store(&pool, move |store| find_repos(store, &query)).await?;
    // The machine of the hub is none of those who work; `places` has them all.
    let repos = page.rows.iter().map(|repo| RepoView::new(repo, None)).collect();
    Ok(Json(RepoPage { repos, next: page.next }))
}

fn find_repos(store: &mut dyn CommandStore, query: &RepoQuery) -> Result<Page<Repo>, HubError> {
    let page = PageRequest::parse(CURSORS, query.since.as_deref(), query.limit)?;
    let mut repos = store.list_repos()?;
    repos.retain(|repo| {
        query.passive.is_none_or(|passive| repo.passive == passive)
            && query
                .host
                .as_ref()
                .is_none_or(|host| repo.places.values().any(|place| place.host == *host))
    });
    Ok(page.cut_page(repos, |repo| repo.slug.as_str()))
}
