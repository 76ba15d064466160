//! The dashboard: one page with its files, all in the binary.
//!
//! The page is made of small modules of JavaScript, as they are written: there is no build step. It
//! needs nothing from elsewhere, and its policy forbids it. What it shows comes from `/api` and `/ws`.

mod answer;
mod files;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vendor_digests;

use axum::Router;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use tower_http::compression::CompressionLayer;

use answer::{answer_file, set_page_headers};
use files::{Lifetime, PAGE, find_file};

use crate::problem::HubError;

/// The routes of the page and its files, which are open: the page is the same for everybody.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(show_page))
        .route("/assets/{version}/{*path}", get(show_file))
        .layer(CompressionLayer::new())
        .layer(map_response(set_page_headers))
}

async fn show_page(headers: HeaderMap) -> Response {
    answer_file(&PAGE, &headers)
}

async fn show_file(
    Path((version, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, HubError> {
    let file = find_file(&path).ok_or_else(refuse_path)?;
    // While a hub is upgraded, a page of the one may ask the other for its files.
    let lifetime = if version == files::version() { file.lifetime } else { Lifetime::Checked };
    Ok(answer_file(&files::PageFile { lifetime, ..file.clone() }, &headers))
}

fn refuse_path() -> HubError {
    HubError::NotFound { code: "no_such_path", message: "there is no such path".to_owned() }
}
