//! Why a pull fails, and how long it waits for the hooks of its session.

use std::io;
use std::time::Duration;

use trueup_core::store::StoreError;
use trueup_core::sync::SyncError;

/// How long to wait for a hook that works on the replica.
pub(crate) const REPLICA_LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// Why a pull failed.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The server cannot be used, or a local file of the sync cannot.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The replica cannot be written.
    #[error("what is known of the session is not written: {0}")]
    Replica(#[from] io::Error),
}

impl PullError {
    /// Returns whether the server is out of use, as far as can be told from here. One that was busy
    /// all that time is as far away as one that is gone.
    pub const fn is_out_of_use(&self) -> bool {
        match self {
            Self::Sync(SyncError::Store(cause)) => {
                cause.is_out_of_use() || matches!(cause, StoreError::Contended { .. })
            }
            Self::Sync(SyncError::Journal(_)) | Self::Replica(_) => false,
        }
    }
}

impl From<StoreError> for PullError {
    fn from(error: StoreError) -> Self {
        Self::Sync(error.into())
    }
}
