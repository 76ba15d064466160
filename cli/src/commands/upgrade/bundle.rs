//! An unpacked release: its version, and running its installer.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use trueup_core::fs::write_private;
use trueup_core::text::one_line;

use super::version::Version;
use crate::command_error::{CommandError, CommandResult, InstallationCase};

/// The longest message of tar that is repeated, in characters.
const MAX_MESSAGE_CHARS: usize = 300;

/// A directory with an installer. A temporary one is removed afterwards.
#[derive(Debug)]
pub(super) struct Bundle {
    dir: PathBuf,
    script: PathBuf,
    _unpacked: Option<TempDir>,
}

impl Bundle {
    /// Uses an archive or a directory that the user has.
    pub(super) fn open(path: &Path) -> CommandResult<Self> {
        let path = path.canonicalize().map_err(|error| build_unusable_error(path, &error))?;
        if path.is_dir() { Self::in_dir(path, None) } else { Self::unpack_archive(&path) }
    }

    /// Writes an archive that was downloaded, and unpacks it.
    pub(super) fn from_download(name: &str, archive: &[u8]) -> CommandResult<Self> {
        let dir = tempfile::Builder::new().prefix("trueup-upgrade-").tempdir()?;
        let path = dir.path().join(format!("{name}.tar.xz"));
        write_private(&path, archive)?;
        Self::unpack_archive(&path)
    }

    fn unpack_archive(archive: &Path) -> CommandResult<Self> {
        let dir = tempfile::Builder::new().prefix("trueup-upgrade-").tempdir()?;
        let mut tar = Command::new("tar");
        tar.arg("-xf").arg(archive).arg("-C").arg(dir.path());
        let unpacked =
            tar.output().map_err(|error| build_unusable_error(Path::new("tar"), &error))?;
        if !unpacked.status.success() {
            let message = String::from_utf8_lossy(&unpacked.stderr).into_owned();
            return Err(build_unusable_error(archive, &one_line(&message, MAX_MESSAGE_CHARS)));
        }
        let entries = std::fs::read_dir(dir.path())?.flatten().map(|entry| entry.path());
        let inner = entries.filter(|path| path.is_dir()).collect::<Vec<_>>();
        match inner.as_slice() {
            [only] => Self::in_dir(only.clone(), Some(dir)),
            _ => Err(build_unusable_error(archive, &"it does not hold one directory")),
        }
    }

    fn in_dir(dir: PathBuf, unpacked: Option<TempDir>) -> CommandResult<Self> {
        let scripts = [dir.join("install.sh"), dir.join("install/install.sh")];
        let script = scripts.into_iter().find(|script| script.is_file());
        let script = script.ok_or_else(|| build_unusable_error(&dir, &"there is no install.sh"))?;
        Ok(Self { dir, script, _unpacked: unpacked })
    }

    /// Returns the version in the name of the directory; a checkout has none.
    pub(super) fn read_version(&self) -> Option<Version> {
        Version::from_release_name(self.dir.file_name()?.to_str()?)
    }

    /// Builds the command that installs it.
    pub(super) fn install_command(&self) -> Command {
        let mut command = Command::new("sh");
        command.arg(&self.script);
        command
    }
}

fn build_unusable_error(path: &Path, problem: &dyn std::fmt::Display) -> CommandError {
    CommandError::new(InstallationCase::ArchiveUnusable, format!("{}: {problem}", path.display()))
}
