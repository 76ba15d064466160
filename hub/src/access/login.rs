//! The page takes the token once and keeps it where no script can read it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use serde::Deserialize;

use super::Access;
use super::checks::find_address;
use super::credentials::COOKIE_NAME;
use crate::json_body::JsonBody;
use crate::problem::HubError;

/// How long a browser keeps the token: half a year.
const MAX_AGE_SECONDS: u64 = 15_552_000;

/// A request to remember a token.
#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct Login {
    /// The token.
    token: String,
}

/// Remembers a token in a cookie of the browser, which no script can read.
#[cfg_attr(test, utoipa::path(
    post, path = "/login", request_body = Login,
    responses((status = 204, description = "The cookie is set")),
))]
pub(super) async fn log_in(
    State(access): State<Arc<Access>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    JsonBody(login): JsonBody<Login>,
) -> Result<impl IntoResponse, HubError> {
    let token = login.token.trim();
    let address = find_address(access.policy(), peer, &headers);
    access.check_caller(token, address).await?;
    // What is a token has no character that means something in a cookie.
    let cookie = build_cookie(token, MAX_AGE_SECONDS, access.policy().is_secure);
    let cookie = HeaderValue::from_str(&cookie).map_err(|_| HubError::Unauthorized)?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie)])))
}

/// Forgets the token of the browser.
#[cfg_attr(test, utoipa::path(
    post, path = "/logout", responses((status = 204, description = "The cookie is gone")),
))]
pub(super) async fn log_out(State(access): State<Arc<Access>>) -> impl IntoResponse {
    let cookie = build_cookie("", 0, access.policy().is_secure);
    let cookie = HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""));
    (StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie)]))
}

fn build_cookie(value: &str, max_age: u64, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{COOKIE_NAME}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age}{secure}")
}
