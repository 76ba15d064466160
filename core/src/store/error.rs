//! The error of the store. Its variants are what a caller decides on.

/// The error of the engine that a failure comes from.
pub type EngineError = Box<dyn std::error::Error + Send + Sync>;

/// Why a store operation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no database yet; names the file.
    #[error("there is no database at {0}")]
    Missing(String),
    /// A server has no database of trueup at this address.
    #[error("there is no trueup database at {0}")]
    NotCreated(String),
    /// The database cannot be reached: path, permission, disk, input or output.
    #[error("the database cannot be used: {message}")]
    Unavailable {
        /// What went wrong.
        message: String,
        /// The engine's error, where one is the cause.
        source: Option<EngineError>,
    },
    /// Other processes kept the database busy until the deadline.
    #[error("the database was busy until the deadline: {message}")]
    Contended {
        /// What went wrong.
        message: String,
        /// The engine's error, where one is the cause.
        source: Option<EngineError>,
    },
    /// The condition of a conditional write no longer holds.
    #[error("the database has changed: {0}")]
    Conflict(String),
    /// The database was written by a newer trueup.
    #[error("the database has schema {found}; this trueup supports up to {known}")]
    SchemaTooNew {
        /// The schema of the database.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// The schema of a remote database, which only its owner upgrades, is older than this program's.
    #[error("the database has schema {found}; this trueup needs schema {needed}")]
    SchemaTooOld {
        /// The schema of the database.
        found: i64,
        /// The schema that this program works with.
        needed: i64,
    },
    /// A copy cannot be written where it was asked for; the database itself is well.
    #[error("the backup cannot be written: {0}")]
    CopyUnwritable(String),
    /// A copy cannot be put in the place of the database, which is as it was.
    #[error("the backup cannot be used: {0}")]
    CopyUnusable(String),
    /// The operation needs the database alone, and another process has it open.
    #[error("another process has {0} open")]
    InUse(String),
    /// The file is damaged, or not one of trueup's.
    #[error("{message}")]
    Corrupt {
        /// What is wrong with it.
        message: String,
        /// The engine's error, where one is the cause.
        source: Option<EngineError>,
    },
    /// One value cannot be read as what it must be, while the database itself is well.
    #[error("the database holds a value that cannot be read: {message}")]
    Unreadable {
        /// What is wrong with it.
        message: String,
        /// The engine's error, where one is the cause.
        source: Option<EngineError>,
    },
    /// A rule of the database forbids the change.
    #[error("the database refuses: {message}")]
    Denied {
        /// The rule's own words.
        message: String,
        /// The engine's error, where one is the cause.
        source: Option<EngineError>,
    },
    /// The request makes no sense.
    #[error("{message}")]
    Invalid {
        /// What is wrong with it.
        message: String,
        /// The engine's error, where one is the cause.
        source: Option<EngineError>,
    },
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
    /// A database that cannot be reached.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable { message: message.into(), source: None }
    }

    /// A damaged database.
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::Corrupt { message: message.into(), source: None }
    }

    /// A stored value that cannot be read.
    pub fn unreadable(problem: &dyn std::fmt::Display) -> Self {
        Self::Unreadable { message: problem.to_string(), source: None }
    }

    /// A change that a rule forbids.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::Denied { message: message.into(), source: None }
    }

    /// A request that makes no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), source: None }
    }

    /// Whether the database as a whole cannot be used, rather than one operation on it.
    pub const fn is_out_of_use(&self) -> bool {
        matches!(
            self,
            Self::Missing(_)
                | Self::NotCreated(_)
                | Self::Unavailable { .. }
                | Self::SchemaTooNew { .. }
                | Self::SchemaTooOld { .. }
        )
    }

    /// The stable code for scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) | Self::NotCreated(_) => "store_missing",
            Self::Unavailable { .. } => "store_unavailable",
            Self::Contended { .. } => "store_contended",
            Self::Conflict(_) => "conflict",
            Self::SchemaTooNew { .. } => "schema_too_new",
            Self::SchemaTooOld { .. } => "schema_too_old",
            Self::CopyUnwritable(_) => "io",
            Self::CopyUnusable(_) => "copy_unusable",
            Self::InUse(_) => "database_in_use",
            Self::Corrupt { .. } | Self::Unreadable { .. } => "store_corrupt",
            Self::Denied { .. } => "denied",
            Self::Invalid { .. } => "invalid",
        }
    }

    /// Whether trying again may help.
    pub const fn retry_advice(&self) -> RetryAdvice {
        match self {
            Self::Missing(_)
            | Self::NotCreated(_)
            | Self::Unavailable { .. }
            | Self::Contended { .. }
            | Self::InUse(_) => RetryAdvice::Retry,
            Self::Conflict(_) => RetryAdvice::Reread,
            _ => RetryAdvice::Permanent,
        }
    }
}
