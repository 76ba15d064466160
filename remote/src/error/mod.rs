//! Why an exchange failed.

mod cause;
mod hint;
mod kind;
mod sql_state;
mod store_error;

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;

use trueup_core::settings::DatabaseAddress;

pub(crate) use cause::{classify_io, find_cause};
pub use kind::{Activity, FailureKind, TlsFailure};
pub(crate) use sql_state::classify_sql_state;
pub(crate) use store_error::with_doubt;

/// The error of a library that a failure comes from.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why an exchange failed, and with which database.
///
/// Its text is one line and shows scheme, host, port and database name, and nothing else of a URL.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {kind}")]
pub struct TransportError {
    /// The database. Where a URL names several hosts, the one that was tried last.
    pub address: Box<DatabaseAddress>,
    /// What went wrong.
    pub kind: FailureKind,
    /// The error of the library, where one is the cause.
    #[source]
    pub cause: Option<Cause>,
}

impl TransportError {
    /// Builds an error that no library reported.
    pub(crate) fn new(address: DatabaseAddress, kind: FailureKind) -> Self {
        Self { address: Box::new(address), kind, cause: None }
    }

    /// Builds an error from a library's.
    pub(crate) fn caused_by(
        address: DatabaseAddress,
        kind: FailureKind,
        cause: impl Into<Cause>,
    ) -> Self {
        // The server's text about a refused login names the role, which is a part of the URL.
        let cause = (!kind.is_about_login()).then(|| cause.into());
        Self { address: Box::new(address), kind, cause }
    }

    /// Returns what a person can do about it.
    pub fn hint(&self) -> Cow<'static, str> {
        hint::hint(&self.kind)
    }

    /// Returns whether the same request may succeed a moment later.
    pub const fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }

    /// Returns whether there is no server at the moment that takes the request.
    pub(crate) const fn is_outage(&self) -> bool {
        self.kind.is_outage()
    }

    /// Returns whether the server may be stopped, started again or replaced at the moment, so that
    /// who follows it waits.
    pub const fn may_pass(&self) -> bool {
        self.kind.is_retryable() || self.kind.is_about_host() || self.kind.is_cut_off()
    }

    /// Returns whether the database may have carried out the request although there is no answer.
    pub const fn may_have_committed(&self) -> bool {
        self.kind.may_have_committed()
    }

    /// Returns how long the server asks to wait before the next request.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            FailureKind::TooManyRequests { retry_after }
            | FailureKind::ServerFailed { retry_after, .. } => retry_after,
            _ => None,
        }
    }
}
