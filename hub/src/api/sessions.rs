//! `GET /api/sessions`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use trueup_core::model::{Session, SessionStatus};
use trueup_core::store::{CommandStore, SessionFilter};
use trueup_core::views::SessionView;

use super::cursors::Cursors;
use super::names::{RepoUse, check_repo};
use super::pages::{Page, PageRequest};
use super::parameters::{Limit, parse_words};
use crate::parameters::Parameters;
use crate::problem::HubError;
use crate::session_judge::SessionJudge;
use crate::store_pool::StorePool;
use crate::store_work::run_on_store;

/// Where a page of this list begins.
const CURSORS: Cursors = Cursors::of("sessions");

/// Which sessions to list.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct SessionQuery {
    /// The cursor that the page before ended with.
    #[cfg_attr(test, param(pattern = "^sessions-([2-7][0-9a-f]){1,200}$"))]
    since: Option<String>,
    /// Most rows of the page.
    #[serde(default)]
    #[cfg_attr(test, param(inline))]
    limit: Limit,
    /// Only sessions of these statuses.
    #[serde(default, deserialize_with = "parse_words")]
    #[cfg_attr(test, param(style = Form, explode = false, min_items = 1))]
    status: Vec<SessionStatus>,
    /// Only sessions on this machine.
    host: Option<String>,
    /// Only sessions in this repository.
    repo: Option<String>,
}

/// A page of sessions.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct SessionPage {
    sessions: Vec<SessionView>,
    next: Option<String>,
}

/// Lists sessions by id, with the judgement whether they live.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/sessions", params(SessionQuery),
    responses((status = 200, body = SessionPage)),
))]
pub(super) async fn list_sessions(
    State(pool): State<StorePool>,
    State(judge): State<Arc<SessionJudge>>,
    Parameters(query): Parameters<SessionQuery>,
) -> Result<Json<SessionPage>, HubError> {
    let page = run_on_store(&pool, move |store| find_sessions(store, &query, &judge));
    let Page { rows: sessions, next } = page.await?;
    Ok(Json(SessionPage { sessions, next }))
}

fn find_sessions(
    store: &mut dyn CommandStore,
    query: &SessionQuery,
    judge: &SessionJudge,
) -> Result<Page<SessionView>, HubError> {
    let page = PageRequest::parse(CURSORS, query.since.as_deref(), query.limit)?;
    let filter = SessionFilter { statuses: query.status.clone(), ..SessionFilter::default() };
    let is_of_repo = |session: &Session| {
        let repo = session.repo.as_deref();
        query.repo.as_ref().is_none_or(|name| repo.is_some_and(|it| it.eq_ignore_ascii_case(name)))
    };
    let page = page.read(
        |part| store.list_sessions(&SessionFilter { page: Some(part), ..filter.clone() }),
        |session| session.id.as_str(),
        |session| is_of_repo(session) && (query.host.is_none() || session.host == query.host),
    )?;
    if page.rows.is_empty()
        && let Some(name) = &query.repo
    {
        check_repo(store, name, RepoUse::Sessions)?;
    }
    let rows = page.rows.iter().map(|row| SessionView::new(row, &judge.judge(row))).collect();
    Ok(Page { rows, next: page.next })
}
