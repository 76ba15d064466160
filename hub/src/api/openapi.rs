//! `GET /api/openapi.json`: the document that describes the hub.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// The document. It is made from the handlers when tests run, not when the hub is compiled: that takes
/// whoever installs it from a checkout a quarter of a minute.
pub(super) const DOCUMENT: &str = include_str!("../../openapi.json");

/// Shows this document.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/openapi.json",
    responses((status = 200, description = "The document", body = serde_json::Value)),
))]
pub(super) async fn show_document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}
