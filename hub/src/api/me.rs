//! `GET /api/me`: who asks.

use axum::Json;
use serde::Serialize;
use trueup_core::model::{TokenName, TokenRole};

use crate::access::Caller;

/// Who asks, as the token says.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct CallerView {
    /// The name of the token.
    name: TokenName,
    /// What its bearer may do.
    role: TokenRole,
}

/// Shows who asks.
#[cfg_attr(test, utoipa::path(get, path = "/api/me", responses((status = 200, body = CallerView))))]
pub(super) async fn show_caller(caller: Caller) -> Json<CallerView> {
    Json(CallerView { name: caller.name, role: caller.role })
}
