//! One error for every adapter; its variants are what a caller decides on.

/// Why a store operation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no database yet.
    #[error("there is no database at {0}")]
    Missing(String),
    /// It cannot be reached: path, permission, disk, input or output.
    #[error("the database cannot be used: {0}")]
    Unavailable(String),
    /// Others kept it busy until the deadline.
    #[error("the database was busy until the deadline: {0}")]
    Contended(String),
    /// The condition of a conditional write no longer holds.
    #[error("the database has changed: {0}")]
    Conflict(String),
    /// It was written by a newer trueup.
    #[error("the database has schema {found}; this trueup supports up to {known}")]
    SchemaTooNew {
        /// What the database says.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// A copy of it cannot be written where it was asked for; the database itself is well.
    #[error("the backup cannot be written: {0}")]
    CopyUnwritable(String),
    /// A copy of it cannot be put in its place; the database is as it was.
    #[error("the backup cannot be used: {0}")]
    CopyUnusable(String),
    /// Another process has it open, and what was asked for wants it alone.
    #[error("another process has {0} open")]
    InUse(String),
    /// It is damaged, or not trueup's.
    #[error("{0}")]
    Corrupt(String),
    /// Its rules forbid the change.
    #[error("the database refuses: {0}")]
    Denied(String),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
}

/// Whether trying again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAdvice {
    /// Later, unchanged.
    Retry,
    /// After reading again.
    Reread,
    /// Not without a person.
    Permanent,
}

impl StoreError {
    /// Returns the stable word for scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "store_missing",
            Self::Unavailable(_) => "store_unavailable",
            Self::Contended(_) => "store_contended",
            Self::Conflict(_) => "conflict",
            Self::SchemaTooNew { .. } => "schema_too_new",
            Self::CopyUnwritable(_) => "io",
            Self::CopyUnusable(_) => "copy_unusable",
            Self::InUse(_) => "database_in_use",
            Self::Corrupt(_) => "store_corrupt",
            Self::Denied(_) => "denied",
            Self::Invalid(_) => "invalid",
        }
    }

    /// Returns whether trying again may help.
    pub const fn retry_advice(&self) -> RetryAdvice {
        match self {
            Self::Missing(_) | Self::Unavailable(_) | Self::Contended(_) | Self::InUse(_) => {
                RetryAdvice::Retry
            }
            Self::Conflict(_) => RetryAdvice::Reread,
            _ => RetryAdvice::Permanent,
        }
    }
}
