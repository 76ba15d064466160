//! What authenticates a request to an `https://` database.

use std::io;
use std::path::PathBuf;

use super::{Environment, Secret};
use crate::fs::read_private_text;
use crate::text::path_to_text;

/// Largest file with a credential, in bytes.
const MAX_CREDENTIAL_BYTES: u64 = 64 * 1024;

/// The credentials for `https://`: a key, and a token where the bearer is not the key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiCredentials {
    /// Goes into the header `apikey`, and is the bearer if there is no token.
    pub key: CredentialSource,
    /// Is the bearer.
    pub token: CredentialSource,
}

/// Where a credential comes from. A file is read only where the credential is used, so that hooks
/// do not pay for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CredentialSource {
    /// There is none.
    #[default]
    Unset,
    /// The environment or `config.toml` contains it.
    Value(Secret),
    /// A file contains it.
    File(PathBuf),
}

/// Why a credential cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// Its file cannot be read, or others can read it.
    #[error("{}: {source}", path_to_text(.path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It contains characters that no header can carry.
    #[error("the credential must be one line of printable ASCII")]
    Malformed,
}

impl ApiCredentials {
    /// Chooses the sources from the environment and the keys of `config.toml`, which never holds
    /// the token itself.
    pub(super) fn choose(
        environment: &Environment,
        key: Option<String>,
        key_file: Option<PathBuf>,
        token_file: Option<PathBuf>,
    ) -> Self {
        Self {
            key: CredentialSource::choose(environment, "TRUEUP_API_KEY", key, key_file),
            token: CredentialSource::choose(environment, "TRUEUP_API_TOKEN", None, token_file),
        }
    }
}

impl CredentialSource {
    /// Chooses the source: the variable, then the value of `config.toml`, then its file.
    pub(super) fn choose(
        environment: &Environment,
        variable: &str,
        value: Option<String>,
        file: Option<PathBuf>,
    ) -> Self {
        let value = environment.text(variable).map(str::to_owned).or(value);
        match (value, file) {
            (Some(text), _) => Self::Value(Secret::new(text)),
            (None, Some(path)) => Self::File(path),
            (None, None) => Self::Unset,
        }
    }

    /// Returns the credential, without the spaces and line ends around it.
    ///
    /// # Errors
    ///
    /// When its file cannot be read, when others can read the file, or when it is not printable
    /// ASCII.
    pub fn load(&self) -> Result<Option<Secret>, CredentialError> {
        let text = match self {
            Self::Unset => return Ok(None),
            Self::Value(secret) => secret.expose().to_owned(),
            Self::File(path) => read_private_text(path, MAX_CREDENTIAL_BYTES)
                .map_err(|source| CredentialError::Unreadable { path: path.clone(), source })?,
        };
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CredentialError::Malformed);
        }
        Ok(Some(Secret::new(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, "s3cret\n").unwrap();
        let source = CredentialSource::File(path.clone());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let problem = source.load().unwrap_err().to_string();
        let expected = "others can read it (mode 640); make it 600";
        assert_eq!(problem, format!("{}: {expected}", path.display()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(source.load().unwrap(), Some(Secret::new("s3cret")));
    }

    #[test]
    fn a_credential_of_two_lines_is_refused_without_being_shown() {
        let source = CredentialSource::Value(Secret::new("s3cret\r\nHost: x"));
        let problem = source.load().unwrap_err();
        assert!(!format!("{problem} {problem:?} {source:?}").contains("s3cret"));
    }

    #[test]
    fn the_variable_wins_over_the_value_and_the_file() {
        let environment = Environment::from_lookup(|_| Some("from-environment".into()));
        let choose = |environment, value: Option<&str>| {
            let value = value.map(str::to_owned);
            CredentialSource::choose(environment, "TRUEUP_API_KEY", value, Some("/f".into()))
        };
        let nothing = Environment::from_lookup(|_| None);
        let value = |text: &str| CredentialSource::Value(Secret::new(text));
        assert_eq!(choose(&environment, Some("v")), value("from-environment"));
        assert_eq!(choose(&nothing, Some("v")), value("v"));
        assert_eq!(choose(&nothing, None), CredentialSource::File("/f".into()));
    }
}
