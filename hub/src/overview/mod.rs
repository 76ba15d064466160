//! `GET /api/overview`: what needs a person, who works on what, and what is stuck.

mod answer;
mod cache;

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use answer::OverviewAnswer;
pub(crate) use cache::OverviewCache;

use crate::access::Caller;
use crate::documented_routes::documented_routes;
use crate::problem::HubError;

documented_routes! {
    needs Arc<OverviewCache>;
    get "/api/overview" => show_overview;
}

/// What a client has already.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub(crate) struct OverviewParameters {
    /// The version of an earlier answer: only what changed since then is sent.
    since: Option<String>,
}

/// What needs a person, who works on what, and what is stuck.
#[cfg_attr(test, utoipa::path(
    get,
    path = "/api/overview",
    params(OverviewParameters),
    responses((status = 200, description = "All rows, or those that changed", body = OverviewAnswer))
))]
pub(crate) async fn show_overview(
    State(overview): State<Arc<OverviewCache>>,
    caller: Caller,
    parameters: Result<Query<OverviewParameters>, QueryRejection>,
) -> Result<Response, HubError> {
    let Query(parameters) =
        parameters.map_err(|error| HubError::bad_request("bad_parameter", error.body_text()))?;
    let history = overview.load().await?;
    // Of thousands of rows, writing the answer takes too long for a thread that serves connections.
    let writing = tokio::task::spawn_blocking(move || {
        OverviewAnswer::new(&history, parameters.since.as_deref(), &caller).to_json()
    });
    let body = writing.await.map_err(|_| HubError::ShuttingDown)?;
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}
