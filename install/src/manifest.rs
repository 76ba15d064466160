//! The record of an installation: everything that an uninstallation has to undo.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::artifacts::DRAFT_PREFIX;
use crate::codex::CodexRecord;
use crate::dirs;
use crate::error::{Error, IoResultExt, Result};
use crate::files;
use crate::origin::Origin;
use crate::user_files::ClientSnapshot;

/// Values of the variables that decide where an installation lies.
pub(crate) type Environment = BTreeMap<String, PathBuf>;

/// What an installation did.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Manifest {
    /// The version that was installed last.
    pub(crate) version: String,
    /// What it came by, which tells how it is upgraded.
    pub(crate) origin: Origin,
    /// The variables that decide on the places.
    pub(crate) environment: Option<Environment>,
    /// Whether it made or upgraded a database.
    pub(crate) has_database: bool,
    /// The staged plugin directory.
    pub(crate) stage: PathBuf,
    /// Links to the commands.
    pub(crate) links: Vec<Link>,
    /// Whether the plugin was registered with Claude Code.
    pub(crate) registered: bool,
    /// Files of the user that the registration changed.
    pub(crate) user_files: Vec<UserFile>,
    /// The client's files before a registration whose changes are not recorded yet.
    pub(crate) pending: Option<ClientSnapshot>,
    /// What was registered with Codex.
    pub(crate) codex: Option<CodexRecord>,
    /// Manual pages and completions.
    pub(crate) documents: Vec<Document>,
    /// Directories that the installation created, trueup's and Claude Code's.
    pub(crate) created_dirs: Vec<PathBuf>,
}

/// A file that the installation wrote outside the plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Document {
    /// Its path.
    pub(crate) path: PathBuf,
    /// SHA-256 of what was written.
    pub(crate) sha256: String,
}

/// A link to a staged command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    /// Its path.
    pub(crate) at: PathBuf,
    /// Its target.
    pub(crate) to: PathBuf,
}

/// A file of the user, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UserFile {
    /// Its path.
    pub(crate) path: PathBuf,
    /// What it held before trueup, or that there was none.
    pub(crate) before: PriorContent,
    /// SHA-256 of the file after the installation; empty when it was killed before it could read
    /// it.
    pub(crate) after: String,
}

/// What a file was before trueup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PriorContent {
    /// There was none.
    Absent,
    /// It held this text.
    Text {
        /// The permission bits.
        mode: u32,
        /// The content.
        text: String,
    },
    /// It held these bytes, which are not UTF-8.
    Bytes {
        /// The permission bits.
        mode: u32,
        /// The content in hexadecimal.
        hex: String,
    },
    /// It already named trueup, mixed with later edits, so no earlier state is known.
    Unknown,
}

impl PriorContent {
    /// Records the content of a file.
    pub(crate) fn from_content(content: Option<&(u32, Vec<u8>)>) -> Self {
        match content {
            None => Self::Absent,
            Some((mode, bytes)) => match String::from_utf8(bytes.clone()) {
                Ok(text) => Self::Text { mode: *mode, text },
                Err(_) => Self::Bytes { mode: *mode, hex: to_hex(bytes) },
            },
        }
    }

    /// Returns the recorded permission bits and bytes, or `None` for no file.
    pub(crate) fn to_content(&self) -> Option<(u32, Vec<u8>)> {
        match self {
            Self::Absent | Self::Unknown => None,
            Self::Text { mode, text } => Some((*mode, text.clone().into_bytes())),
            Self::Bytes { mode, hex } => Some((*mode, from_hex(hex))),
        }
    }
}

impl Manifest {
    /// Reads the record; `None` when there is no file, or one that cannot be understood: it must
    /// stop neither an installation nor a removal.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>> {
        match files::read_file(path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_action("read", path),
        }
    }

    /// Moves a record that cannot be understood aside, since it may hold what a file of the user was
    /// before. Returns its new path, if there was one.
    pub(crate) fn set_broken_aside(path: &Path) -> Result<Option<PathBuf>> {
        if !path.is_file() || Self::read(path)?.is_some() {
            return Ok(None);
        }
        let numbered = (2..).map(|number| format!("broken-{number}"));
        let aside = std::iter::once("broken".to_owned())
            .chain(numbered)
            .map(|addition| PathBuf::from(format!("{}.{addition}", path.display())))
            .find(|aside| !aside.exists());
        if let Some(aside) = &aside {
            fs::rename(path, aside).with_action("move aside", path)?;
        }
        Ok(aside)
    }

    /// Writes the record, private to the user, since it may contain settings with secrets.
    pub(crate) fn write(&mut self, path: &Path) -> Result<()> {
        if let Some(dir) = path.parent() {
            let new_dirs = dirs::create_dirs(dir)?;
            self.add_created_dirs(new_dirs);
        }
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| Error::Refused {
            path: path.to_owned(),
            why: error.to_string(),
            hint: "a path that is not UTF-8 cannot be recorded".to_owned(),
        })?;
        text.push(b'\n');
        if files::read_file(path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        replace_file(path, 0o600, &text)
    }

    /// Records directories that were created.
    pub(crate) fn add_created_dirs(&mut self, dirs: Vec<PathBuf>) {
        for dir in dirs {
            if !self.created_dirs.contains(&dir) {
                self.created_dirs.push(dir);
            }
        }
    }
}

/// Replaces a file atomically, following a link.
pub(crate) fn replace_file(path: &Path, mode: u32, bytes: &[u8]) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let dir = target.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(DRAFT_PREFIX)
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(dir)
        .with_action("write a file in", dir)?;
    file.write_all(bytes).with_action("write", file.path())?;
    file.as_file()
        .set_permissions(fs::Permissions::from_mode(mode))
        .with_action("set the permissions of", file.path())?;
    file.as_file().sync_all().with_action("write", file.path())?;
    file.persist(&target).map_err(|error| error.error).with_action("replace", &target)?;
    Ok(())
}

/// Returns the SHA-256 in hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
        text
    })
}

fn from_hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks_exact(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_the_record() {
        for content in [b"plain \r\n".to_vec(), vec![0xff, 0x00, 0x7f, 0x80], Vec::new()] {
            let before = PriorContent::from_content(Some(&(0o640, content.clone())));
            let text = serde_json::to_string(&before).unwrap();
            let read: PriorContent = serde_json::from_str(&text).unwrap();
            assert_eq!(read.to_content(), Some((0o640, content)));
        }
        assert_eq!(PriorContent::from_content(None).to_content(), None);
    }
}
