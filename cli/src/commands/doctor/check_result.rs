//! The result of a check.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckStatus {
    Ok,
    /// Nothing was checked.
    Skip,
    Warn,
    Fail,
}

impl CheckStatus {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// The result of a check.
pub(super) struct CheckResult {
    pub(super) status: CheckStatus,
    pub(super) detail: String,
    /// How to fix the finding; a command where there is one.
    pub(super) fix: Option<String>,
}

impl CheckResult {
    pub(super) fn ok(detail: impl Into<String>) -> Self {
        Self { status: CheckStatus::Ok, detail: detail.into(), fix: None }
    }

    /// What would be checked is not there or cannot be read, which another check reports.
    pub(super) fn skip(detail: impl Into<String>) -> Self {
        Self { status: CheckStatus::Skip, ..Self::ok(detail) }
    }

    pub(super) fn warn(detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: CheckStatus::Warn, detail: detail.into(), fix: Some(fix.into()) }
    }

    pub(super) fn fail(detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: CheckStatus::Fail, ..Self::warn(detail, fix) }
    }
}
