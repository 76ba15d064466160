//! What a failure of the transport is for an operation of the store.

use trueup_core::store::StoreError;

use super::{FailureKind, TransportError};

impl From<TransportError> for StoreError {
    fn from(error: TransportError) -> Self {
        let message = error.to_string();
        match &error.kind {
            FailureKind::NotTrueup => Self::NotCreated(error.address.to_string()),
            FailureKind::Serialization
            | FailureKind::Deadlock
            | FailureKind::LockTimeout
            | FailureKind::OutOfConnections
            | FailureKind::TooManyRequests { .. } => {
                Self::Contended { message, source: Some(Box::new(error)) }
            }
            _ => Self::Unavailable { message, source: Some(Box::new(error)) },
        }
    }
}
