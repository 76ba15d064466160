//! What a failure of the transport is for an operation of the store.

use trueup_core::store::StoreError;

use super::{FailureKind, TransportError};

/// What the line of an error ends with where a write may have been made.
const DOUBT: &str = "; the write may have been made";

impl TransportError {
    /// Returns what the failure is for an operation that was only reading, so that nothing can have
    /// been written.
    pub(crate) fn into_reading_error(self) -> StoreError {
        let line = self.to_string();
        let message = line.strip_suffix(DOUBT).unwrap_or(&line).to_owned();
        self.into_store_error(message)
    }

    fn into_store_error(self, message: String) -> StoreError {
        match &self.kind {
            FailureKind::NotTrueup => StoreError::NotCreated(self.address.to_string()),
            FailureKind::Serialization
            | FailureKind::Deadlock
            | FailureKind::LockTimeout
            | FailureKind::OutOfConnections
            | FailureKind::TooManyRequests { .. } => {
                StoreError::Contended { message, source: Some(Box::new(self)) }
            }
            _ => StoreError::Unavailable { message, source: Some(Box::new(self)) },
        }
    }
}

/// Adds to an error that the write may have been made, unless it says so.
pub(crate) fn with_doubt(mut error: StoreError) -> StoreError {
    if let StoreError::Unavailable { message, .. } | StoreError::Contended { message, .. } =
        &mut error
        && !message.ends_with(DOUBT)
    {
        message.push_str(DOUBT);
    }
    error
}

impl From<TransportError> for StoreError {
    fn from(error: TransportError) -> Self {
        let message = error.to_string();
        error.into_store_error(message)
    }
}
