//! The route of the operations.

use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use trueup_core::deadline::MAX_REQUESTED_TIME;
use trueup_core::store::StoreError;

use super::dispatch::{RpcError, dispatch};
#[cfg(test)]
use super::operation::OperationName;
use super::operation::find_operation;
use crate::access::Caller;
use crate::database::OPERATION_PATIENCE;
use crate::json_body::read_json_body;
use crate::problem::HubError;
use crate::store_pool::StorePool;

/// Longest body of a request, in bytes: the largest plan and a full outbox are a fraction of it.
const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// How long the caller waits for the answer, in milliseconds.
const DEADLINE: HeaderName = HeaderName::from_static("trueup-deadline-ms");

/// The body of an answer.
#[cfg(test)]
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes what is written a part at a time")]
struct OperationAnswer {
    /// What the operation answers.
    ok: serde_json::Value,
}

/// Carries out an operation of the store, for hooks and commands of other machines.
#[cfg_attr(test, utoipa::path(
    post, path = "/rpc/{operation}",
    params(
        ("operation" = inline(OperationName), Path, description = "The name of the operation"),
        (
            "trueup-deadline-ms" = Option<u64>, Header,
            description = "How long the caller waits for the answer, in milliseconds",
        ),
    ),
    request_body(
        content = serde_json::Map<String, serde_json::Value>,
        description = "The arguments of the operation, by their names",
    ),
    responses(
        (status = 200, body = OperationAnswer),
        (status = 422, description = "The store refuses the request", body = serde_json::Value),
    ),
))]
pub(super) async fn call_operation(
    State(pool): State<StorePool>,
    Path(name): Path<String>,
    caller: Caller,
    request: Request,
) -> Result<Response, HubError> {
    let operation = find_operation(&name).ok_or(RpcError::UnknownOperation(name))?;
    caller.require(operation.role)?;
    let patience = read_patience(request.headers())?;
    let body = read_json_body(request, MAX_REQUEST_BYTES).await?;
    let answer = pool.run_within(patience, move |store| {
        match dispatch(store, &caller.name, operation.name, &body) {
            // What the error says of the connection concerns the pool.
            Err(RpcError::Store(error)) => Err(error),
            outcome => Ok(outcome),
        }
    });
    let json = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((json, answer.await??).into_response())
}

fn read_patience(headers: &HeaderMap) -> Result<Duration, HubError> {
    let Some(asked) = headers.get(DEADLINE) else {
        return Ok(OPERATION_PATIENCE);
    };
    let millis = asked.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
        HubError::bad_request("bad_deadline", format!("{DEADLINE} is a number of milliseconds"))
    })?;
    Ok(Duration::from_millis(millis).min(MAX_REQUESTED_TIME))
}

impl From<RpcError> for HubError {
    fn from(error: RpcError) -> Self {
        let message = error.to_string();
        match error {
            RpcError::UnknownOperation(_) => Self::NotFound { code: "unknown_operation", message },
            RpcError::BadRequest { .. } => Self::bad_request("bad_request", message),
            RpcError::BadAnswer { .. } => Self::Store(StoreError::corrupt(message)),
            RpcError::Store(error) => Self::Store(error),
        }
    }
}
