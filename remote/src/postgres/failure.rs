//! What an error of `tokio_postgres` means.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity};

use crate::error::{
    FailureKind, TlsFailure, TransportError, classify_io, classify_sql_state, find_cause,
};
use crate::net::{AnswerTooLarge, Progress};
use crate::tls::classify_tls;

/// Returns whether the server ends the connection with this error.
pub(super) fn is_fatal(error: &DbError) -> bool {
    !matches!(error.parsed_severity(), Some(Severity::Error))
}

/// Turns an error into one for the caller.
pub(super) fn explain_error(error: Error, progress: &Progress) -> TransportError {
    let kind = classify(&error, progress);
    progress.failure_from(kind, error)
}

fn classify(error: &Error, progress: &Progress) -> FailureKind {
    let activity = progress.activity();
    if let Some(error) = error.as_db_error() {
        return classify_sql_state(error.code().code(), error.routine(), error.message(), activity);
    }
    if let Some(error) = find_cause::<rustls::Error>(error) {
        return FailureKind::Tls(classify_tls(error));
    }
    if find_cause::<AnswerTooLarge>(error).is_some() {
        return FailureKind::TooLarge;
    }
    if let Some(error) = find_cause::<io::Error>(error) {
        return classify_io(error, activity);
    }
    if error.is_closed() {
        return FailureKind::closed_while(activity);
    }
    // The library has no types for these, only texts.
    let detail = error.source().map(ToString::to_string).unwrap_or_default();
    match (error.to_string().as_str(), detail.as_str()) {
        ("error performing TLS handshake", _) => FailureKind::Tls(TlsFailure::Unsupported),
        (_, "password missing") => FailureKind::PasswordMissing,
        ("authentication error", _) => FailureKind::UnsupportedLogin,
        ("invalid configuration" | "error encoding message to server", _) => {
            FailureKind::Configuration("the URL of the database cannot be used".to_owned())
        }
        _ if activity.is_after_request() => FailureKind::NotJson,
        _ => FailureKind::WrongProtocol,
    }
}
