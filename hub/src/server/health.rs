//! Whether the hub runs, and whether it can answer.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use trueup_core::store::SCHEMA_VERSION;

use crate::hub_state::HubState;
use crate::problem::HubError;

/// The version of the operations and their requests.
const PROTOCOL: u32 = 1;

/// How long the database may take for a sign of life.
const READY_PATIENCE: Duration = Duration::from_secs(2);

/// The checks that a supervisor or a proxy makes.
pub(super) fn health_routes() -> Router<HubState> {
    Router::new().route("/healthz", get(show_health)).route("/readyz", get(show_readiness))
}

/// What is counted.
pub(super) fn metrics_routes() -> Router<HubState> {
    Router::new().route("/metrics", get(show_metrics))
}

async fn show_health() -> Json<Value> {
    Json(json!({
        "service": "trueup-hub",
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": PROTOCOL,
        "schema": SCHEMA_VERSION,
    }))
}

async fn show_readiness(State(state): State<HubState>) -> Result<Json<Value>, HubError> {
    state.pool().run_within(READY_PATIENCE, |store| store.database_time()).await?;
    Ok(Json(json!({ "ready": true })))
}

async fn show_metrics(State(state): State<HubState>) -> impl IntoResponse {
    const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, TEXT)], state.metrics().render())
}
