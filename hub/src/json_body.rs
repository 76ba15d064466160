//! A body that must be JSON, with the refusals that a client can act on.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::problem::HubError;

/// Longest body of a small request, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// How long a body may take to come.
const BODY_PATIENCE: Duration = Duration::from_secs(20);

/// A small body, parsed.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = HubError;

    async fn from_request(request: Request, _: &S) -> Result<Self, HubError> {
        let body = read_json_body(request, MAX_BODY_BYTES).await?;
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|error| HubError::bad_request("bad_json", error.to_string()))
    }
}

/// Reads a body that is declared as JSON.
///
/// # Errors
///
/// When it is not, is longer than `limit` bytes, or does not come whole.
pub(crate) async fn read_json_body(request: Request, limit: usize) -> Result<Vec<u8>, HubError> {
    if !is_json(request.headers()) {
        return Err(HubError::NotJson);
    }
    let reading = timeout(BODY_PATIENCE, read_body(request.into_body(), limit)).await;
    reading.map_err(|_| HubError::SlowBody)?
}

async fn read_body(body: Body, limit: usize) -> Result<Vec<u8>, HubError> {
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(HubError::TooLarge { limit });
    }
    let collected = Limited::new(body, limit).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            HubError::TooLarge { limit }
        } else {
            HubError::bad_request("incomplete_body", "the body did not come whole")
        }
    })?;
    Ok(collected.to_bytes().into())
}

fn is_json(headers: &HeaderMap) -> bool {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    declared.is_some_and(|declared| {
        let kind = declared.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json")
    })
}
