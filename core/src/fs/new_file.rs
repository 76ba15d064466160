//! A new file that gets its name once it is complete.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::locked_change::current_mode;
use super::open::{PRIVATE_MODE, set_mode, sync_dir};
use super::resolved_path::ResolvedPath;

/// A private file without its name. Dropped before [`Self::persist`], it is removed.
#[derive(Debug)]
pub struct NewFile {
    draft: tempfile::NamedTempFile,
    target: ResolvedPath,
    may_replace: bool,
}

impl NewFile {
    /// Creates the file beside its name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] when the name is taken, also by a link without a target; or when
    /// the system refuses.
    pub fn create(target: &Path) -> io::Result<Self> {
        let folder = ResolvedPath::resolve(target).parent_dir().to_owned();
        Self::create_in(&folder, target)
    }

    /// Creates the file in a folder of the file system that it gets its name in.
    ///
    /// # Errors
    ///
    /// Those of [`Self::create`].
    pub(crate) fn create_in(folder: &Path, target: &Path) -> io::Result<Self> {
        if target.symlink_metadata().is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let draft = create_draft(folder, PRIVATE_MODE)?;
        Ok(Self { draft, target: ResolvedPath::resolve(target), may_replace: false })
    }

    /// Creates a file that takes the place of the one with its name, if there is one, and has its
    /// permissions.
    ///
    /// # Errors
    ///
    /// When something other than a file has the name, or when the system refuses.
    pub fn replacing(target: &Path) -> io::Result<Self> {
        let target = ResolvedPath::resolve(target);
        let mode = match target.as_path().symlink_metadata() {
            Ok(found) if found.is_file() => current_mode(target.as_path()),
            Ok(_) => return Err(ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == ErrorKind::NotFound => PRIVATE_MODE,
            Err(error) => return Err(error),
        };
        let draft = create_draft(target.parent_dir(), mode)?;
        Ok(Self { draft, target, may_replace: true })
    }

    /// The path until the file gets its name.
    pub(crate) fn draft_path(&self) -> &Path {
        self.draft.path()
    }

    /// Gives the file its name, once all of it is on the disk.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] when the name was taken meanwhile; or when the system refuses.
    pub fn persist(self) -> io::Result<()> {
        self.draft.as_file().sync_all()?;
        let target = self.target.as_path();
        let named = if self.may_replace {
            self.draft.persist(target)
        } else {
            self.draft.persist_noclobber(target)
        };
        named.map_err(|error| error.error)?;
        sync_dir(self.target.parent_dir())
    }
}

fn create_draft(folder: &Path, mode: u32) -> io::Result<tempfile::NamedTempFile> {
    let draft = tempfile::Builder::new().prefix(".draft-").tempfile_in(folder);
    // The draft's own name means nothing to anybody.
    let draft = draft.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(error.kind(), "its folder does not exist"),
        kind => io::Error::from(kind),
    })?;
    set_mode(draft.as_file(), mode)?;
    Ok(draft)
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.draft.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.draft.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_that_may_replace_keeps_the_old_one_until_it_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        fs::write(&path, "old").unwrap();
        let mut new = NewFile::replacing(&path).unwrap();
        new.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        new.persist().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(NewFile::replacing(dir.path()).is_err());
    }

    #[test]
    fn a_file_is_complete_or_absent_and_replaces_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let names = || fs::read_dir(dir.path()).unwrap().count();
        let mut dropped = NewFile::create(&path).unwrap();
        dropped.write_all(b"half").unwrap();
        assert!(!path.exists() && names() == 1);
        drop(dropped);
        assert_eq!(names(), 0);
        let (mut first, second) =
            (NewFile::create(&path).unwrap(), NewFile::create(&path).unwrap());
        first.write_all(b"whole").unwrap();
        first.persist().unwrap();
        assert_eq!(second.persist().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(NewFile::create(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, PRIVATE_MODE);
        }
    }
}
