//! How trueup was installed, by the record that trueup-install keeps.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use trueup_core::fs::read_bytes;
use trueup_core::settings::Paths;
use trueup_core::text::quote_for_shell;

use crate::command_error::{CommandError, CommandResult, FileCase, InstallationCase};

/// The record of an installation, in the data directory.
const RECORD_FILE: &str = "install-manifest.json";

/// Largest record read, in bytes.
const MAX_RECORD_BYTES: u64 = 16 * 1024 * 1024;

/// What an installation came by. The installer writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(super) enum Origin {
    /// An unpacked archive of a release.
    #[default]
    Archive,
    /// A checkout that was compiled.
    Source {
        /// The checkout.
        dir: PathBuf,
    },
    /// An npm package.
    Npm,
    /// A Python package.
    Pypi,
    /// A Debian package.
    Deb,
}

/// The part of the record that an upgrade needs.
#[derive(Debug, Deserialize)]
struct Record {
    #[serde(default)]
    origin: Origin,
}

impl Origin {
    /// Reads it.
    pub(super) fn read(paths: &Paths) -> CommandResult<Self> {
        let path = paths.data.join(RECORD_FILE);
        let unreadable = |error: &dyn std::fmt::Display| {
            CommandError::new(FileCase::File, format!("{}: {error}", path.display()))
        };
        let bytes =
            read_bytes(&path, MAX_RECORD_BYTES, false).map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    let message =
                        format!("{}: there is no record of an installation", path.display());
                    CommandError::new(InstallationCase::NotInstalled, message)
                }
                _ => unreadable(&error),
            })?;
        let record: Record = serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))?;
        Ok(record.origin)
    }

    /// Returns the word for scripts.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Source { .. } => "source",
            Self::Npm => "npm",
            Self::Pypi => "pypi",
            Self::Deb => "deb",
        }
    }

    /// Returns the command that upgrades it, where another program has to.
    pub(super) fn upgrade_command(&self) -> Option<String> {
        Some(match self {
            Self::Archive => return None,
            Self::Source { dir } => {
                let quote = |path: &Path| quote_for_shell(&path.to_string_lossy());
                let installer = dir.join("install/install.sh");
                format!("git -C {} pull --ff-only && sh {}", quote(dir), quote(&installer))
            }
            Self::Npm => "npm install -g trueup@latest && trueup install".to_owned(),
            Self::Pypi => "uv tool upgrade trueup && trueup install".to_owned(),
            Self::Deb => "sudo apt update && sudo apt install trueup && trueup install".to_owned(),
        })
    }

    /// Returns what else may be meant, in a line.
    pub(super) const fn describe_alternatives(&self) -> Option<&'static str> {
        match self {
            Self::Pypi => Some("with pipx: pipx upgrade trueup; with pip: pip install -U trueup"),
            Self::Archive | Self::Source { .. } | Self::Npm | Self::Deb => None,
        }
    }
}
