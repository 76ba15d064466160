//! What SQLite says, in the port's words.

use rusqlite::{Error, ErrorCode, ffi};

use crate::store::StoreError;

/// Maps an error of SQLite by what a caller can do about it.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands alone in `map_err`"
)]
pub(super) fn from_sqlite(error: Error) -> StoreError {
    let text = error.to_string();
    let Some(code) = error.sqlite_error_code() else {
        return match error {
            // A stored value that does not read as what it must be.
            Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) => {
                StoreError::Corrupt(format!("{UNREADABLE_VALUE}: {text}"))
            }
            _ => StoreError::Invalid(text),
        };
    };
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Contended(text),
        ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => StoreError::Corrupt(format!(
            "the database file is damaged or not a database: {text}"
        )),
        ErrorCode::ConstraintViolation => StoreError::Denied(denial_text(&error, text)),
        ErrorCode::Unknown if text.contains("no such table") || text.contains("no such column") => {
            StoreError::Corrupt(format!(
                "a table of trueup is missing in the database: {text}"
            ))
        }
        _ => StoreError::Unavailable(text),
    }
}

/// What is said of a value that does not read as what it must be.
const UNREADABLE_VALUE: &str = "the database holds a value that cannot be read";

/// Tells whether an error is about a single value, while the database itself is well.
pub(super) fn is_unreadable_value(error: &StoreError) -> bool {
    matches!(error, StoreError::Corrupt(text) if text.starts_with(UNREADABLE_VALUE))
}

/// Returns the rule's own words where a rule spoke.
fn denial_text(error: &Error, text: String) -> String {
    match error {
        Error::SqliteFailure(ffi::Error { .. }, Some(message)) => message.clone(),
        _ => text,
    }
}
