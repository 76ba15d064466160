//! Errors of SQLite as errors of the store.

use rusqlite::{Error, ErrorCode};

use crate::store::StoreError;

/// Maps an error of SQLite by what a caller can do about it.
impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let Some(code) = error.sqlite_error_code() else {
            return match error {
                Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) => {
                    Self::Unreadable { message, source: Some(error.into()) }
                }
                _ => Self::Invalid { message, source: Some(error.into()) },
            };
        };
        let lacks_table = message.contains("no such table") || message.contains("no such column");
        match code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                Self::Contended { message, source: Some(error.into()) }
            }
            ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => Self::Corrupt {
                message: format!("the database file is damaged or not a database: {message}"),
                source: Some(error.into()),
            },
            ErrorCode::ConstraintViolation => Self::Denied {
                message: rule_text(&error).unwrap_or(message),
                source: Some(error.into()),
            },
            ErrorCode::Unknown if lacks_table => Self::Corrupt {
                message: format!("a table of trueup is missing in the database: {message}"),
                source: Some(error.into()),
            },
            _ => Self::Unavailable { message, source: Some(error.into()) },
        }
    }
}

/// The rule's own words, where a rule spoke.
fn rule_text(error: &Error) -> Option<String> {
    match error {
        Error::SqliteFailure(_, text) => text.clone(),
        _ => None,
    }
}
