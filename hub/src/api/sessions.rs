//! `GET /api/sessions`.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use trueup_core::model::{SessionId, SessionStatus};
use trueup_core::store::{CommandStore, SessionFilter};
use trueup_core::views::SessionView;
use utoipa::{IntoParams, ToSchema};

use super::names::find_repo;
use super::pages::{Page, cut_page, parse_cursor};
use super::parameters::{Limit, Parameters, parse_words};
use crate::hub_state::HubState;
use crate::problem::HubError;
use crate::session_judge::SessionJudge;
use crate::store_work::run_on_store;

/// Which sessions to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SessionQuery {
    /// The cursor that the page before ended with.
    #[param(value_type = Option<SessionId>)]
    since: Option<String>,
    /// Most rows of the page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// Only sessions of these statuses.
    #[serde(default, deserialize_with = "parse_words")]
    #[param(style = Form, explode = false, min_items = 1)]
    status: Vec<SessionStatus>,
    /// Only sessions on this machine.
    host: Option<String>,
    /// Only sessions in this repository.
    repo: Option<String>,
}

/// A page of sessions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionPage {
    sessions: Vec<SessionView>,
    next: Option<String>,
}

/// Lists sessions by id, with the judgement whether they live.
#[utoipa::path(
    get, path = "/api/sessions", params(SessionQuery),
    responses((status = 200, body = SessionPage)),
)]
pub(super) async fn list_sessions(
    State(state): State<HubState>,
    Parameters(query): Parameters<SessionQuery>,
) -> Result<Json<SessionPage>, HubError> {
    let judge = state.judge().clone();
    let page = run_on_store(state.pool(), move |store| find_sessions(store, &query, &judge));
    let Page { rows: sessions, next } = page.await?;
    Ok(Json(SessionPage { sessions, next }))
}

fn find_sessions(
    store: &mut dyn CommandStore,
    query: &SessionQuery,
    judge: &SessionJudge,
) -> Result<Page<SessionView>, HubError> {
    let since: Option<SessionId> = parse_cursor(query.since.as_deref())?;
    let mut sessions = store.list_sessions(&SessionFilter::default())?;
    if let Some(name) = &query.repo {
        let of_rows = sessions.iter().filter_map(|session| session.repo.as_deref());
        let repo = find_repo(store, name, of_rows)?;
        sessions.retain(|session| session.repo.as_ref() == Some(&repo));
    }
    sessions.retain(|session| {
        (query.status.is_empty() || query.status.contains(&session.status))
            && (query.host.is_none() || session.host == query.host)
    });
    let page =
        cut_page(sessions, since.as_ref(), query.limit, |row| row.id.clone(), ToString::to_string);
    let rows = page.rows.iter().map(|row| SessionView::new(row, &judge.judge(row))).collect();
    Ok(Page { rows, next: page.next })
}
