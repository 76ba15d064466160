//! The user's `config.toml`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::TlsRoots;
use crate::bounds::Bound;
use crate::fs::read_text;
use crate::hook::TerminalNotice;
use crate::text::one_line;
use crate::text::redact::redact;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is not TOML, or contains an unknown key or an invalid value.
    #[error("{path}:{line}: {reason}")]
    Syntax {
        /// The path of the file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// It cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A value from another source is invalid.
    #[error("{0}")]
    Value(String),
}

/// The keys of `config.toml`.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    pub(super) database_url: Option<String>,
    pub(super) api_key: Option<String>,
    pub(super) api_key_file: Option<PathBuf>,
    pub(super) api_token_file: Option<PathBuf>,
    pub(super) tls_roots: Option<TlsRoots>,
    pub(super) deadline_ms: Option<u64>,
    pub(super) lease_seconds: Option<u64>,
    pub(super) ceiling_seconds: Option<u64>,
    pub(super) stuck_seconds: Option<u64>,
    pub(super) checkpoint_every: Option<u64>,
    pub(super) retention_days: Option<u64>,
    pub(super) log: Option<String>,
    pub(super) notify: Option<TerminalNotice>,
    pub(super) webhook: Option<String>,
    pub(super) webhook_secret_file: Option<PathBuf>,
    pub(super) handoff_commands: Option<Vec<String>>,
    pub(super) branch_pattern: Option<String>,
}

/// Longest reason shown, in characters; it quotes the file.
const MAX_REASON_CHARS: usize = 400;

/// Reads a TOML file into `T`; a missing one yields the default. `follow` tells whether it may be a
/// symlink.
pub(super) fn read_toml<T: Default + for<'de> Deserialize<'de>>(
    path: &Path,
    bound: Bound,
    follow: bool,
) -> Result<T, ConfigError> {
    let text = match read_text(path, bound.most, follow) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(T::default());
        }
        Err(source) => {
            return Err(ConfigError::Io { path: path.to_owned(), source });
        }
    };
    toml::from_str(&text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let key = text.get(line_start..).and_then(|line| line.split_once('='));
        let key = key.map(|(key, _)| key.trim());
        let reason = describe_toml_error(error.message(), key);
        ConfigError::Syntax {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            // The message quotes the file, which may contain a secret.
            reason: redact(&one_line(&reason, MAX_REASON_CHARS)).text.into_owned(),
        }
    })
}

/// Returns whether a file that cannot be understood seems to name a database, with its key or with
/// any URL under a key that is misspelled.
pub(super) fn seems_to_name_database(path: &Path, bound: Bound) -> bool {
    let text = read_text(path, bound.most, true);
    text.is_ok_and(|text| text.contains("database_url") || text.contains("://"))
}

/// Replaces serde's words for a value of the wrong type, which name Rust's types.
fn describe_toml_error(message: &str, key: Option<&str>) -> String {
    let expected = message.strip_prefix("invalid ").and_then(|rest| rest.rsplit_once("expected "));
    let expected = expected.and_then(|(_, expected)| match expected {
        "u64" => Some("a whole number"),
        "a string" => Some("a string"),
        "a sequence" => Some("a list"),
        "a boolean" => Some("true or false"),
        _ => None,
    });
    match (key, expected) {
        (Some(key), Some(expected)) => format!("{key} must be {expected}"),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn an_error_names_the_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        assert!(
            read_toml::<ConfigFile>(&path, crate::bounds::CONFIG, true)
                .unwrap()
                .database_url
                .is_none()
        );
        for (text, line) in [
            ("lease_seconds = 60\nbroken", "config.toml:2:"),
            ("# x\n\nunknown_key = 1\n", "config.toml:3:"),
            ("lease_seconds = \"many\"\n", "config.toml:1: lease_seconds must be a whole number"),
            ("\nlease_seconds = -1\n", "config.toml:2: lease_seconds must be a whole number"),
            ("handoff_commands = 1\n", "config.toml:1: handoff_commands must be a list"),
        ] {
            fs::write(&path, text).unwrap();
            let error = read_toml::<ConfigFile>(&path, crate::bounds::CONFIG, true)
                .err()
                .unwrap()
                .to_string();
            assert!(error.contains(line), "{error}");
        }
    }
}
