//! Counting what was answered.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::metrics::Metrics;

/// The route of what no route takes.
const NO_ROUTE: &str = "none";

/// Counts a request by its route, and how long its answer took to begin.
pub(super) async fn record_request(
    State(metrics): State<Arc<Metrics>>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let method = match request.method().as_str() {
        known @ ("GET" | "POST" | "HEAD" | "PUT" | "DELETE" | "PATCH" | "OPTIONS") => {
            known.to_owned()
        }
        // A client may make up any number of them.
        _ => "other".to_owned(),
    };
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or(NO_ROUTE, MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    metrics.count_request(&method, &route, response.status().as_u16(), began.elapsed());
    response
}
