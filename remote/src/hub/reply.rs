//! What a hub's answer means.

use reqwest::{Response, StatusCode};
use serde::Deserialize;
use trueup_core::store::StoreError;
use trueup_core::store::operations::WireError;
use trueup_core::text::one_line;
use trueup_core::text::redact::redact;

use crate::error::{FailureKind, TransportError};
use crate::https::{HttpsConnection, classify_status, read_body};
use crate::transport::MAX_ANSWER_BYTES;

/// Largest body of an error that is looked at, in bytes.
const MAX_ERROR_BYTES: u64 = 64 * 1024;

/// Longest text of a hub that is shown, in characters.
const MAX_MESSAGE_CHARS: usize = 300;

/// The code of a hub that does not know an operation.
const UNKNOWN_OPERATION: &str = "unknown_operation";

/// What a hub says about an operation.
#[derive(Debug)]
pub enum HubReply {
    /// It was carried out; the body of the answer.
    Done(Vec<u8>),
    /// The store of the hub failed with this.
    Failed(StoreError),
}

/// The body of an error.
#[derive(Deserialize)]
struct Refusal {
    error: WireError,
}

/// What the body of an error advises.
#[derive(Deserialize)]
struct Advice {
    error: Hint,
}

#[derive(Deserialize)]
struct Hint {
    hint: Option<String>,
}

/// Reads the answer to an operation.
pub(super) async fn read_reply(
    mut answer: Response,
    connection: &HttpsConnection,
    operation: &str,
) -> Result<HubReply, TransportError> {
    if answer.status().is_success() {
        let body = read_body(&mut answer, MAX_ANSWER_BYTES, connection.progress()).await?;
        return Ok(HubReply::Done(body));
    }
    // What cannot be read of an error's body is not needed.
    let body = read_body(&mut answer, MAX_ERROR_BYTES, connection.progress()).await;
    let status = answer.status();
    classify_refusal(status, &body.unwrap_or_default(), operation)
        .unwrap_or_else(|| Err(classify_status(status, answer.headers())))
        .map(HubReply::Failed)
        .map_err(|kind| connection.failure(kind))
}

/// Returns what a hub's own words say beyond the status.
fn classify_refusal(
    status: StatusCode,
    body: &[u8],
    operation: &str,
) -> Option<Result<StoreError, FailureKind>> {
    let Refusal { error } = serde_json::from_slice(body).ok()?;
    if !error.kind.is_empty() {
        return Some(match StoreError::from(error) {
            // It is the hub that has to be helped, and not this program.
            error if error.is_out_of_use() => {
                Err(FailureKind::HubDatabase(clean(&error.to_string())))
            }
            error => Ok(error),
        });
    }
    if error.code == UNKNOWN_OPERATION {
        return Some(Err(FailureKind::HubIsOlder(operation.to_owned())));
    }
    let advice = serde_json::from_slice::<Advice>(body).ok().and_then(|advice| advice.error.hint);
    let (message, hint) = (clean(&error.message), advice.as_deref().map(clean));
    match status.as_u16() {
        403 => Some(Err(FailureKind::HubForbids { message, hint })),
        400 | 405 | 413 | 415 | 421 | 422 => Some(Err(FailureKind::HubRefused { message, hint })),
        _ => None,
    }
}

/// Returns a text of the hub as it may be shown.
fn clean(text: &str) -> String {
    redact(&one_line(text, MAX_MESSAGE_CHARS)).text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Option<Result<StoreError, FailureKind>> {
        classify_refusal(StatusCode::from_u16(status).unwrap(), body.as_bytes(), "claim")
    }

    #[test]
    fn the_error_of_the_hubs_store_is_that_of_the_operation() {
        let body = r#"{"error":{"code":"conflict","kind":"conflict","detail":"x","hint":null}}"#;
        assert!(matches!(refusal(409, body), Some(Ok(StoreError::Conflict(text))) if text == "x"));
    }

    #[test]
    fn what_ails_the_hub_itself_is_said_of_the_hub() {
        for (status, body, line) in [
            (
                503,
                r#"{"error":{"kind":"schema_too_old","found":3,"expected":21}}"#,
                "the hub cannot use its database: the database has schema 3; this trueup needs \
                 schema 21",
            ),
            (
                404,
                r#"{"error":{"code":"unknown_operation","message":"x"}}"#,
                "the hub is older than this trueup: it has no operation claim",
            ),
            (
                403,
                r#"{"error":{"code":"role_too_low","message":"needs\nagent","hint":"ask"}}"#,
                "the hub refuses: needs agent",
            ),
        ] {
            let Some(Err(kind)) = refusal(status, body) else {
                panic!("{body} is not the hub's");
            };
            assert_eq!(kind.to_string(), line);
        }
    }

    #[test]
    fn the_status_speaks_where_the_hub_says_nothing_more() {
        for (status, body) in [
            (401, r#"{"error":{"code":"unauthorized","message":"a valid token is needed"}}"#),
            (429, r#"{"error":{"code":"too_many_requests","message":"x"}}"#),
            (503, r#"{"error":{"code":"busy","message":"x"}}"#),
            (404, r#"{"error":{"code":"no_such_path","message":"x"}}"#),
            (403, "<html>"),
            (400, "{}"),
        ] {
            assert!(refusal(status, body).is_none(), "{status} {body}");
        }
    }
}
