//! What an HTTP answer, or its absence, means.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Error, Response, StatusCode};
use serde::Deserialize;

use crate::error::{
    Activity, FailureKind, TransportError, classify_io, classify_sql_state, find_cause,
};
use crate::net::{NameNotFound, Progress};
use crate::tls::classify_tls;

/// Largest body of an error that is looked at, in bytes.
const MAX_ERROR_BYTES: u64 = 64 * 1024;

/// What PostgREST and Supabase say about an error.
#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read_body(
    response: &mut Response,
    limit: u64,
    progress: &Progress,
) -> Result<Vec<u8>, TransportError> {
    let too_large = || progress.failure(FailureKind::TooLarge);
    if response.content_length().is_some_and(|bytes| bytes > limit) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| {
        let kind = match classify(&error, progress.activity()) {
            FailureKind::ClosedMidway | FailureKind::WrongProtocol => FailureKind::Truncated,
            other => other,
        };
        progress.failure_from(kind, error.without_url())
    })? {
        body.extend_from_slice(&chunk);
        if u64::try_from(body.len()).unwrap_or(u64::MAX) > limit {
            return Err(too_large());
        }
    }
    Ok(body)
}

/// Turns an answer that is not a success into an error.
pub(super) async fn explain_status(mut response: Response, progress: &Progress) -> TransportError {
    // What cannot be read of an error's body is not needed.
    let body = read_body(&mut response, MAX_ERROR_BYTES, progress).await.unwrap_or_default();
    let said = serde_json::from_slice::<ErrorBody>(&body).ok();
    let kind = said.and_then(|said| classify_code(&said, response.status()));
    progress.failure(kind.unwrap_or_else(|| classify_status(response.status(), response.headers())))
}

/// Returns what an error's own code means, where that says more than the status.
fn classify_code(said: &ErrorBody, status: StatusCode) -> Option<FailureKind> {
    match said.code.as_str() {
        // The function is not in the schema that PostgREST serves.
        "PGRST202" => Some(FailureKind::NotTrueup),
        "PGRST301" | "PGRST302" | "PGRST303" => Some(FailureKind::Unauthorized),
        "PGRST003" => Some(FailureKind::OutOfConnections),
        code if is_sql_state(code) && !status.is_success() => {
            Some(classify_sql_state(code, None, &said.message, Activity::WaitingForAnswer))
        }
        _ => None,
    }
}

fn is_sql_state(code: &str) -> bool {
    code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// Returns what the status of an answer means.
pub(crate) fn classify_status(status: StatusCode, headers: &HeaderMap) -> FailureKind {
    let retry_after = || headers.get(RETRY_AFTER).and_then(|it| parse_wait(it.to_str().ok()?));
    match status.as_u16() {
        401 => FailureKind::Unauthorized,
        403 => FailureKind::Forbidden,
        404 => FailureKind::NotFound,
        409 => FailureKind::HttpConflict,
        413 => FailureKind::TooLarge,
        429 => FailureKind::TooManyRequests { retry_after: retry_after() },
        status @ 300..=399 => FailureKind::Redirected(status),
        status @ 500..=599 => FailureKind::ServerFailed { status, retry_after: retry_after() },
        status => FailureKind::UnexpectedStatus(status),
    }
}

/// Parses `Retry-After`: seconds, or a date.
fn parse_wait(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::parse(text.trim()).ok()?.timestamp();
    Some(until.duration_since(Timestamp::now()).try_into().unwrap_or(Duration::ZERO))
}

/// Turns the error of a request without an answer into one for the caller.
pub(super) fn explain_error(error: Error, progress: &Progress) -> TransportError {
    let kind = classify(&error, progress.activity());
    progress.failure_from(kind, error.without_url())
}

fn classify(error: &Error, activity: Activity) -> FailureKind {
    if find_cause::<NameNotFound>(error).is_some() {
        return FailureKind::NameNotFound;
    }
    if let Some(error) = find_cause::<rustls::Error>(error) {
        return FailureKind::Tls(classify_tls(error));
    }
    if let Some(error) = find_cause::<io::Error>(error) {
        return classify_io(error, activity);
    }
    if let Some(error) = find_cause::<hyper::Error>(error) {
        return if error.is_parse() {
            FailureKind::WrongProtocol
        } else {
            FailureKind::closed_while(activity)
        };
    }
    // The error of a proxy has no type.
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    if causes.any(|cause| cause.to_string().contains("tunnel")) {
        return FailureKind::ProxyRefused;
    }
    FailureKind::closed_while(activity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_in_seconds_or_until_a_date() {
        assert_eq!(parse_wait(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(parse_wait("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(parse_wait("soon"), None);
    }
}
