//! Why nothing can be sent.

use std::path::PathBuf;

use trueup_core::settings::CredentialError;
use trueup_core::text::path_to_text;
use trueup_remote::{PostError, PostUrlError};

use crate::problem::HubError;

/// Why webhooks do not work. No text of it shows the address or the secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WebhookError {
    /// The address cannot be posted to.
    #[error("webhook: {0}")]
    Url(#[from] PostUrlError),
    /// The secret cannot be used.
    #[error("webhook secret: {0}")]
    Secret(#[from] CredentialError),
    /// A file cannot be read or written.
    #[error("{}: {source}", path_to_text(.path))]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The client cannot be built.
    #[error("webhook: {0}")]
    Client(#[from] PostError),
    /// The database does not say what needs a person.
    #[error("webhook: {0}")]
    Database(#[from] HubError),
}

impl WebhookError {
    /// Makes an error of a file.
    pub(super) fn file(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::File { path: path.into(), source }
    }
}
