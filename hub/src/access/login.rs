//! The page takes the token once and keeps it where no script can read it.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::post;
use serde::Deserialize;

use super::checks::find_address;
use super::credentials::COOKIE_NAME;
use crate::hub_state::HubState;
use crate::json_body::JsonBody;
use crate::problem::HubError;

/// How long a browser keeps the token: half a year.
const MAX_AGE_SECONDS: u64 = 15_552_000;

/// A request to remember a token.
#[derive(Deserialize)]
struct Login {
    token: String,
}

/// The routes by which the page logs in and out.
pub(crate) fn routes() -> Router<HubState> {
    Router::new().route("/login", post(log_in)).route("/logout", post(log_out))
}

async fn log_in(
    State(state): State<HubState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    JsonBody(login): JsonBody<Login>,
) -> Result<impl IntoResponse, HubError> {
    let token = login.token.trim();
    let address = find_address(state.access().policy(), peer, &headers);
    state.access().check_caller(token, address).await?;
    // What is a token has no character that means something in a cookie.
    let cookie = build_cookie(token, MAX_AGE_SECONDS, state.access().policy().is_secure);
    let cookie = HeaderValue::from_str(&cookie).map_err(|_| HubError::Unauthorized)?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie)])))
}

async fn log_out(State(state): State<HubState>) -> impl IntoResponse {
    let cookie = build_cookie("", 0, state.access().policy().is_secure);
    let cookie = HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""));
    (StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie)]))
}

fn build_cookie(value: &str, max_age: u64, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{COOKIE_NAME}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age}{secure}")
}
