//! What is answered at which path, and which checks stand before it.

use std::time::Duration;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use tower_http::timeout::TimeoutLayer;

use super::record_request::record_request;
use crate::hub_state::HubState;
use crate::problem::HubError;
use crate::{access, actions, api, health, live, metrics_route, overview, page, rpc};

/// Longest time from a request to the beginning of its answer.
const ANSWER_PATIENCE: Duration = Duration::from_mins(1);

/// The header by which no other page may embed an answer.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Builds the router.
pub(crate) fn build_router(state: HubState) -> Router {
    let mut open =
        Router::new().merge(health::routes()).merge(access::routes()).merge(page::routes());
    let mut protected = Router::new()
        .merge(api::routes())
        .merge(actions::routes())
        .merge(live::routes())
        .merge(overview::routes())
        .merge(rpc::routes());
    if state.access.policy().open_metrics {
        open = open.merge(metrics_route::routes());
    } else {
        protected = protected.merge(metrics_route::routes());
    }
    // A path that does not exist is told only to those who have a token.
    let protected = protected
        .fallback(refuse_path)
        .method_not_allowed_fallback(refuse_method)
        .layer(from_fn_with_state(state.clone(), access::check_token));
    open.method_not_allowed_fallback(refuse_method)
        .merge(protected)
        .layer(from_fn_with_state(state.clone(), access::check_source))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_PATIENCE))
        .layer(map_response(set_safe_headers))
        .layer(from_fn_with_state(state.clone(), record_request))
        .with_state(state)
}

async fn refuse_path() -> HubError {
    HubError::NotFound { code: "no_such_path", message: "there is no such path".to_owned() }
}

async fn refuse_method() -> HubError {
    HubError::MethodNotAllowed
}

/// Adds what every answer says, unless it says otherwise itself: nothing is kept by a cache, taken
/// for another type, or embedded by another page.
async fn set_safe_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (RESOURCE_POLICY, "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
