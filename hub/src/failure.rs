//! Why a command of the hub failed, with what to do about it.

use trueup_core::store::StoreError;

/// Exit code of a refused operation.
const REFUSED: u8 = 1;

/// Exit code of wrong arguments.
const USAGE: u8 = 2;

/// Exit code of work that could not be done.
const UNABLE: u8 = 3;

/// A failure as a person and a script see it.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code of the process.
    pub(crate) exit: u8,
    /// The stable code for scripts.
    pub(crate) code: &'static str,
    /// What went wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// Arguments that make no sense together.
    pub(crate) fn usage(code: &'static str, message: impl Into<String>, hint: &str) -> Self {
        Self { exit: USAGE, code, message: message.into(), hint: Some(hint.to_owned()) }
    }

    /// Something that this machine would not do.
    pub(crate) fn unable(code: &'static str, message: impl Into<String>) -> Self {
        Self { exit: UNABLE, code, message: message.into(), hint: None }
    }

    /// The same with what to do about it.
    #[must_use]
    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error {
            StoreError::Conflict(_) | StoreError::Denied { .. } | StoreError::Invalid { .. } => {
                REFUSED
            }
            _ => UNABLE,
        };
        let hint = match error {
            StoreError::Missing(_) => Some(
                "is the name right? `trueup db migrate` with the same TRUEUP_DATABASE_URL creates it"
                    .to_owned(),
            ),
            StoreError::NotCreated(_) | StoreError::SchemaTooOld { .. } => {
                Some("`trueup db migrate` creates and upgrades it, as its owner".to_owned())
            }
            StoreError::SchemaTooNew { .. } => Some("install the newer trueup".to_owned()),
            _ => None,
        };
        Self { exit, code: error.code(), message: error.to_string(), hint }
    }
}
