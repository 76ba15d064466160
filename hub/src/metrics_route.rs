//! `GET /metrics`: what is counted.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::documented_routes::documented_routes;
use crate::metrics::Metrics;

documented_routes! {
    needs Arc<Metrics>;
    get "/metrics" => show_metrics;
}

/// Shows what is counted, in the text format of Prometheus. Open where the hub was started so.
#[cfg_attr(test, utoipa::path(
    get, path = "/metrics",
    responses((
        status = 200, description = "The counters", body = String,
        content_type = "application/openmetrics-text",
    )),
))]
async fn show_metrics(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, TEXT)], metrics.render())
}
