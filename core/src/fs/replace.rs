//! Replacing a file whole: readers see the old or the new, whatever happens in between.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use super::open::{create_new, sync_dir};
use super::reserve_space;
use super::temp_file::temp_path_for;

/// What came of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The file is new.
    Replaced,
    /// It said the same already and was not touched.
    Unchanged,
    /// It is not what was read any more, and was not touched.
    ChangedMeanwhile,
}

/// A file to be replaced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileReplacement<'a> {
    /// Where. Its folder exists.
    pub(crate) path: &'a Path,
    /// By what.
    pub(crate) content: &'a [u8],
    /// Permission bits of the new file.
    pub(crate) mode: u32,
    /// Whether it must outlast a power failure once this returns.
    pub(crate) durable: bool,
    /// Whether a file was read in its place.
    pub(crate) exists: bool,
}

impl FileReplacement<'_> {
    /// Replaces the file if what stands in its place `is_as_read`: an edit saved in between is
    /// left as it is.
    ///
    /// # Errors
    ///
    /// When the system refuses; then the file is as it was.
    pub(crate) fn apply(&self, is_as_read: &dyn Fn(&Path) -> bool) -> io::Result<WriteOutcome> {
        self.apply_through(&temp_path_for(self.path), is_as_read)
    }

    /// Does the same by a draft of another file beside it, with whose drafts it is swept.
    ///
    /// # Errors
    ///
    /// Those of [`Self::carry_out`].
    pub(super) fn apply_through(
        &self,
        draft: &Path,
        is_as_read: &dyn Fn(&Path) -> bool,
    ) -> io::Result<WriteOutcome> {
        let written = self
            .write_temp(draft)
            .and_then(|()| self.swap_in(draft, is_as_read));
        if !matches!(written, Ok(WriteOutcome::Replaced)) {
            // What was not used must not stay; that it cannot be removed changes nothing.
            let _ = fs::remove_file(draft);
        } else if self.durable
            && let Some(folder) = self.path.parent()
        {
            sync_dir(folder)?;
        }
        written
    }

    fn write_temp(&self, draft: &Path) -> io::Result<()> {
        let mut file = match create_new(draft, self.mode) {
            // Left by a process of this number, in this place, that was killed.
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

    /// Puts the draft in the place of the file, if that is what was read: the two are
    /// exchanged, looked at, and exchanged back when somebody saved the file in between.
    #[cfg(target_os = "linux")]
    fn swap_in(
        &self,
        draft: &Path,
        is_as_read: &dyn Fn(&Path) -> bool,
    ) -> io::Result<WriteOutcome> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;

        let path = self.path;
        let flags = if self.exists {
            RenameFlags::EXCHANGE
        } else {
            RenameFlags::NOREPLACE
        };
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
            // A file system that cannot exchange.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                fs::rename(draft, path)?;
                Ok(WriteOutcome::Replaced)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Puts the draft in the place of the file; what is saved in the same moment is lost where
    /// the system cannot exchange two files.
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
    use crate::fs::PRIVATE_MODE;

    #[cfg(unix)]
    #[test]
    fn the_mode_asked_for_is_the_modes_of_the_file_whatever_the_umask() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        for (exists, mode) in [(false, 0o666), (true, PRIVATE_MODE), (true, 0o640)] {
            let replacement = FileReplacement {
                path: &path,
                content: b"x",
                mode,
                durable: true,
                exists,
            };
            assert_eq!(
                replacement.apply(&|_| true).unwrap(),
                WriteOutcome::Replaced
            );
            let found = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode);
        }
    }
}
