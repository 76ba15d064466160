//! Whether the hub runs, and whether it can answer.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use trueup_core::store::SCHEMA_VERSION;

use crate::documented_routes::documented_routes;
use crate::problem::HubError;
use crate::store_pool::StorePool;

/// The version of the operations and their requests.
const PROTOCOL: u32 = 1;

/// How long the database may take for a sign of life.
const READY_PATIENCE: Duration = Duration::from_secs(2);

// The checks that a supervisor or a proxy makes.
documented_routes! {
    needs StorePool;
    get "/healthz" => show_health;
    get "/readyz" => show_readiness;
}

/// What runs.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct Health {
    /// The name of the program.
    service: &'static str,
    /// Its version.
    version: &'static str,
    /// The version of the operations and their requests.
    protocol: u32,
    /// The schema that it knows.
    schema: i64,
}

/// That the database answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct Readiness {
    ready: bool,
}

/// Shows that the hub runs, and which.
#[cfg_attr(test, utoipa::path(get, path = "/healthz", responses((status = 200, body = Health))))]
async fn show_health() -> Json<Health> {
    Json(Health {
        service: "trueup-hub",
        version: env!("CARGO_PKG_VERSION"),
        protocol: PROTOCOL,
        schema: SCHEMA_VERSION,
    })
}

/// Shows whether the database answers.
#[cfg_attr(test, utoipa::path(get, path = "/readyz", responses((status = 200, body = Readiness))))]
async fn show_readiness(State(pool): State<StorePool>) -> Result<Json<Readiness>, HubError> {
    pool.run_within(READY_PATIENCE, |store| store.database_time()).await?;
    Ok(Json(Readiness { ready: true }))
}
