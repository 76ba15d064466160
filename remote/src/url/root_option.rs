//! The option `sslrootcert`.

use std::path::PathBuf;

use super::UrlError;
use super::query::percent_decode;

/// Which authorities are trusted, if the URL says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RootOption {
    /// `sslrootcert=system`
    System,
    /// `sslrootcert=FILE`
    File(PathBuf),
}

impl RootOption {
    /// Parses the value, undecoded.
    pub(super) fn parse(value: &str) -> Result<Self, UrlError> {
        let decoded =
            percent_decode(value).filter(|path| path == "system" || path.starts_with('/'));
        let decoded = decoded.ok_or(UrlError::InvalidOption {
            option: "sslrootcert",
            allowed: "an absolute path, system",
        })?;
        Ok(if decoded == "system" { Self::System } else { Self::File(decoded.into()) })
    }
}
