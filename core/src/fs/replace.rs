//! Replaces a file atomically: readers see the old or the new content.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use super::open::{PRIVATE_MODE, create_new, create_private_dir, sync_dir};
use super::reserve_space;
use super::temp_file::temp_path_for;

/// The result of writing a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The file was replaced.
    Replaced,
    /// The file already had this content and was not touched.
    Unchanged,
    /// The file has changed since it was read, and was not touched.
    ChangedMeanwhile,
}

/// A file to be replaced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileReplacement<'a> {
    /// The path. Its directory exists.
    pub(crate) path: &'a Path,
    /// The new content.
    pub(crate) content: &'a [u8],
    /// Permission bits of the new file.
    pub(crate) mode: u32,
    /// Whether the replacement must survive a power failure once it is done.
    pub(crate) durable: bool,
    /// Whether a file existed when the path was read.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "Linux alone asks"))]
    pub(crate) exists: bool,
}

/// Replaces a private file of trueup's own durably, creating it and its directory if they are
/// missing. Only for a file that one process at a time writes.
///
/// # Errors
///
/// When the system refuses; the file is unchanged then.
pub fn replace_private(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        create_private_dir(dir)?;
    }
    let exists = fs::symlink_metadata(path).is_ok();
    let replacement = FileReplacement { path, content, mode: PRIVATE_MODE, durable: true, exists };
    match replacement.apply(&|_| true)? {
        WriteOutcome::ChangedMeanwhile => {
            Err(io::Error::other(format!("{} is written by another process", path.display())))
        }
        WriteOutcome::Replaced | WriteOutcome::Unchanged => Ok(()),
    }
}

impl FileReplacement<'_> {
    /// Replaces the file if what is there now `is_as_read`. An edit saved meanwhile is left alone.
    ///
    /// # Errors
    ///
    /// When the system refuses; the file is unchanged then.
    pub(crate) fn apply(&self, is_as_read: &dyn Fn(&Path) -> bool) -> io::Result<WriteOutcome> {
        self.apply_through(&temp_path_for(self.path), is_as_read)
    }

    /// Does the same through the temporary file `draft`, which may be named after another file
    /// beside it and is swept along with that one's.
    ///
    /// # Errors
    ///
    /// Those of [`Self::apply`].
    pub(super) fn apply_through(
        &self,
        draft: &Path,
        is_as_read: &dyn Fn(&Path) -> bool,
    ) -> io::Result<WriteOutcome> {
        let written = self.write_temp(draft).and_then(|()| self.swap_in(draft, is_as_read));
        if !matches!(written, Ok(WriteOutcome::Replaced)) {
            // Remove the unused temporary file. That this can fail changes nothing.
            let _ = fs::remove_file(draft);
        } else if self.durable
            && let Some(dir) = self.path.parent()
        {
            sync_dir(dir)?;
        }
        written
    }

    fn write_temp(&self, draft: &Path) -> io::Result<()> {
        let mut file = match create_new(draft, self.mode) {
            // A killed process with this pid, in this place, left it.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::remove_file(draft)?;
                create_new(draft, self.mode)?
            }
            other => other?,
        };
        let size = u64::try_from(self.content.len()).unwrap_or(u64::MAX);
        reserve_space(&file, size)?;
        file.write_all(self.content)?;
        file.set_len(size)?;
        if self.durable {
            file.sync_all()?;
        }
        Ok(())
    }

    /// Swaps the temporary file with the file. If the file turns out to have been saved meanwhile,
    /// the two are swapped back.
    #[cfg(target_os = "linux")]
    fn swap_in(
        &self,
        draft: &Path,
        is_as_read: &dyn Fn(&Path) -> bool,
    ) -> io::Result<WriteOutcome> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;

        let path = self.path;
        let flags = if self.exists { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        match renameat_with(CWD, draft, CWD, path, flags) {
            Ok(()) if !self.exists => Ok(WriteOutcome::Replaced),
            Ok(()) if is_as_read(draft) => {
                fs::remove_file(draft)?;
                Ok(WriteOutcome::Replaced)
            }
            Ok(()) => {
                renameat_with(CWD, draft, CWD, path, RenameFlags::EXCHANGE)?;
                Ok(WriteOutcome::ChangedMeanwhile)
            }
            Err(Errno::EXIST | Errno::NOENT) => Ok(WriteOutcome::ChangedMeanwhile),
            // The file system cannot swap two files.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                fs::rename(draft, path)?;
                Ok(WriteOutcome::Replaced)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Renames the temporary file over the file. Without an atomic swap, a save in the same moment
    /// is lost.
    #[cfg(not(target_os = "linux"))]
    fn swap_in(
        &self,
        draft: &Path,
        is_as_read: &dyn Fn(&Path) -> bool,
    ) -> io::Result<WriteOutcome> {
        if !is_as_read(self.path) {
            return Ok(WriteOutcome::ChangedMeanwhile);
        }
        fs::rename(draft, self.path)?;
        Ok(WriteOutcome::Replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_made_and_then_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("own/f");
        for content in ["first", "second, which is longer", "3"] {
            replace_private(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(fs::read_dir(dir.path().join("own")).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_gets_the_requested_mode_regardless_of_the_umask() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        for (exists, mode) in [(false, 0o666), (true, PRIVATE_MODE), (true, 0o640)] {
            let replacement =
                FileReplacement { path: &path, content: b"x", mode, durable: true, exists };
            assert_eq!(replacement.apply(&|_| true).unwrap(), WriteOutcome::Replaced);
            let found = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode);
        }
    }
}
