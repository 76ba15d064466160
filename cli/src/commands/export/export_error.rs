//! Why an export stops, before it is known what its file is called.

use std::io;
use std::path::Path;

use trueup_core::store::StoreError;

use super::target::unwritable_error;
use crate::command_error::CommandError;

/// Why an export stops.
pub(super) enum ExportError {
    /// It is refused, or the database cannot be read.
    Refused(CommandError),
    /// Its output cannot be written.
    Unwritable(io::Error),
}

/// What a writer of an export answers.
pub(super) type ExportResult<T> = Result<T, ExportError>;

impl ExportError {
    /// Names the place that cannot be written.
    pub(super) fn at(self, path: &Path) -> CommandError {
        match self {
            Self::Refused(error) => error,
            Self::Unwritable(error) => unwritable_error(path, &error),
        }
    }
}

impl From<CommandError> for ExportError {
    fn from(error: CommandError) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<io::Error> for ExportError {
    fn from(error: io::Error) -> Self {
        Self::Unwritable(error)
    }
}

impl From<serde_json::Error> for ExportError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unwritable(error.into())
    }
}
