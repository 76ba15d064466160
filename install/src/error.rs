//! Errors that stop an installation, each with the file concerned and a hint.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub(crate) type Result<T> = std::result::Result<T, Error>;

/// A reason why a step could not be done.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// The operating system refused an operation on a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program could not be started, or failed.
    #[error("{what}: {detail}")]
    Tool {
        /// The program or the command.
        what: String,
        /// What it printed.
        detail: String,
        /// What the user can do.
        hint: String,
    },
    /// To go on would damage something that is not trueup's.
    #[error("{}: {why}", path.display())]
    Refused {
        /// The file or directory.
        path: PathBuf,
        /// Why it is left alone.
        why: String,
        /// What the user can do.
        hint: String,
    },
}

impl Error {
    /// Returns what the user can do about it.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Tool { hint, .. } | Self::Refused { hint, .. } => hint.clone(),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => {
                    "check its owner and permissions, or choose another directory with --prefix"
                }
                io::ErrorKind::StorageFull => "free some space and run it again",
                io::ErrorKind::ReadOnlyFilesystem => "choose another directory with --prefix",
                io::ErrorKind::NotFound => "check that the path is right",
                _ => "check that path, then run it again: finished steps are not repeated",
            }
            .to_owned(),
        }
    }
}

/// Adds the action and the path to an IO error.
pub(crate) trait IoResultExt<T> {
    /// Adds what was tried and on which path.
    fn with_action(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoResultExt<T> for io::Result<T> {
    fn with_action(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io { action, path: path.to_owned(), source })
    }
}
