//! Reads and replaces a cache file.

use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::CacheDocument;
use crate::diagnostic::AdviceKind;
pub use crate::fs::WriteOutcome;
use crate::fs::{FileReplacement, PRIVATE_MODE, create_shared_dir, is_symlink, open_for_reading};
use crate::model::Timestamp;
use crate::reconcile::{Reading, SetAsideReason};

/// Largest cache that is read, in bytes. Real ones have about one kilobyte.
pub const MAX_CACHE_BYTES: u64 = crate::bounds::CACHE.most;

/// Why a cache was not written.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// A symlink is in its place.
    #[error("{path} is a symlink; it is not followed")]
    Symlink {
        /// The path of the symlink.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{path}: {source}")]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// A cache file as it was read.
#[derive(Debug)]
pub struct CacheFile {
    /// The path.
    pub path: PathBuf,
    /// The content.
    pub document: Reading<CacheDocument>,
}

impl CacheFile {
    /// Reads a cache. Every problem with it becomes a reading, not an error.
    pub fn read(path: &Path) -> Self {
        Self { path: path.to_owned(), document: read_document(path) }
    }

    /// Writes a document if it differs from what was read. An edit saved since then is left alone.
    ///
    /// # Errors
    ///
    /// When the file could not be replaced; it is unchanged then.
    pub fn write(&self, new: &CacheDocument) -> Result<WriteOutcome, CacheError> {
        if let Reading::Fresh(old) = &self.document
            && old.has_same_content(new)
        {
            return Ok(WriteOutcome::Unchanged);
        }
        replace_if_unchanged(&self.path, &new.render(), &self.document)
    }

    /// Suggests the `mv` command for an obstacle that keeps the cache from being read. trueup does
    /// not move it because it is not trueup's file.
    pub fn suggest_move_aside(&self) -> AdviceKind {
        let dir = self.path.parent().unwrap_or(&self.path);
        let is_dir = is_symlink(dir) || fs::read_dir(dir).is_err();
        let obstacle = if is_dir { dir.to_owned() } else { self.path.clone() };
        let is_free = |path: &PathBuf| path.symlink_metadata().is_err();
        let name = |end: &str| {
            let mut name = obstacle.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        let mut numbered = (2..100).map(|number| name(&format!(".aside-{number}")));
        let first = Some(name(".aside")).filter(is_free);
        let to = first.or_else(|| numbered.find(is_free));
        AdviceKind::MoveAside { from: obstacle.clone(), to: to.unwrap_or_else(|| name(".aside")) }
    }

    /// Renames the file and returns the new path.
    ///
    /// # Errors
    ///
    /// When the file could not be renamed.
    pub fn set_aside(&self, reason: SetAsideReason, now: Timestamp) -> Result<PathBuf, CacheError> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}-{}", reason.as_str(), now.to_compact_text()));
        let aside = self.path.with_file_name(name);
        match fs::rename(&self.path, &aside) {
            Ok(()) => Ok(aside),
            // Another hook did the same first.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(aside),
            Err(source) => Err(CacheError::Io { path: self.path.clone(), source }),
        }
    }
}

fn read_document(path: &Path) -> Reading<CacheDocument> {
    if let Some(dir) = path.parent().filter(|dir| is_symlink(dir)) {
        let path = dir.to_owned();
        return Reading::Unavailable(CacheError::Symlink { path }.to_string());
    }
    let (file, size) = match open_for_reading(path, false) {
        Ok(opened) => opened,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Reading::Missing;
        }
        Err(_) if is_symlink(path) => {
            let path = path.to_owned();
            return Reading::Unavailable(CacheError::Symlink { path }.to_string());
        }
        Err(error) => return Reading::Unavailable(format!("{}: {error}", path.display())),
    };
    if size > MAX_CACHE_BYTES {
        return Reading::Corrupt(format!(
            "{}: {size} bytes is too large for a cache",
            path.display()
        ));
    }
    // One byte more than the size, so that the first read already meets the end.
    let mut bytes = Vec::with_capacity(usize::try_from(size + 1).unwrap_or_default());
    match file.take(MAX_CACHE_BYTES + 1).read_to_end(&mut bytes) {
        Err(error) => Reading::Unavailable(format!("{}: {error}", path.display())),
        Ok(_) => match CacheDocument::parse(&bytes) {
            Ok(document) => Reading::Fresh(document),
            Err(reason) => Reading::Corrupt(format!("{}: {reason}", path.display())),
        },
    }
}

/// Refuses a symlink in place of the file or its directory.
fn refuse_symlink(path: &Path) -> Result<(), CacheError> {
    for place in [path.parent(), Some(path)].into_iter().flatten() {
        if is_symlink(place) {
            let path = place.to_owned();
            return Err(CacheError::Symlink { path });
        }
    }
    Ok(())
}

/// Replaces the file atomically, with mode 0600, if it is still what was read.
///
/// Not synced: a cache that a power failure damages is rebuilt from the database.
fn replace_if_unchanged(
    path: &Path,
    content: &[u8],
    expected: &Reading<CacheDocument>,
) -> Result<WriteOutcome, CacheError> {
    let io = |source| CacheError::Io { path: path.to_owned(), source };
    refuse_symlink(path)?;
    let dir = path.parent().unwrap_or_else(|| Path::new("."));
    // Create `.claude`, but never the project directory that contains it.
    create_shared_dir(dir).map_err(io)?;
    let replacement = FileReplacement {
        path,
        content,
        mode: PRIVATE_MODE,
        durable: false,
        exists: !matches!(expected, Reading::Missing),
    };
    replacement.apply(&|path| read_document(path) == *expected).map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_is_private_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub/c.json");
        let put =
            |content: &[u8]| replace_if_unchanged(&path, content, &read_document(&path)).unwrap();
        assert_eq!(put(b"{}\n"), WriteOutcome::Replaced);
        assert_eq!(put(b"{\"a\": 1}\n"), WriteOutcome::Replaced);
        assert_eq!(fs::read(&path).unwrap(), b"{\"a\": 1}\n");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_is_neither_read_nor_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, path) = (dir.path().join("victim"), dir.path().join("c.json"));
        fs::write(&victim, "{}").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        assert!(matches!(CacheFile::read(&path).document, Reading::Unavailable(_)));
        assert!(matches!(
            replace_if_unchanged(&path, b"x", &Reading::Missing),
            Err(CacheError::Symlink { .. })
        ));
        assert_eq!(fs::read(&victim).unwrap(), b"{}");
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    }

    #[test]
    fn damage_is_a_reading_and_moves_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.json");
        assert_eq!(CacheFile::read(&path).document, Reading::Missing);
        fs::write(&path, "{").unwrap();
        let file = CacheFile::read(&path);
        assert!(matches!(file.document, Reading::Corrupt(_)));
        let aside = file.set_aside(SetAsideReason::Corrupt, Timestamp::from_millis(0)).unwrap();
        assert_eq!(fs::read(&aside).unwrap(), b"{");
        assert!(aside.to_string_lossy().contains("c.json.corrupt-1970"), "{aside:?}");
        assert!(!path.exists());
    }

    #[test]
    fn a_huge_file_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.json");
        fs::File::create(&path).unwrap().set_len(MAX_CACHE_BYTES + 1).unwrap();
        assert!(matches!(CacheFile::read(&path).document, Reading::Corrupt(_)));
    }

    #[test]
    fn a_file_saved_in_between_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.json");
        fs::write(&path, "{\"a\": 1}").unwrap();
        let before = read_document(&path);
        fs::write(&path, "{\"a\": 2}").unwrap();
        let written = replace_if_unchanged(&path, b"{}", &before).unwrap();
        assert_eq!(written, WriteOutcome::ChangedMeanwhile);
        assert_eq!(fs::read(&path).unwrap(), b"{\"a\": 2}");
        assert_eq!(
            replace_if_unchanged(&path, b"{}", &Reading::Missing).unwrap(),
            WriteOutcome::ChangedMeanwhile
        );
        fs::remove_file(&path).unwrap();
        assert_eq!(
            replace_if_unchanged(&path, b"{}", &before).unwrap(),
            WriteOutcome::ChangedMeanwhile
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "no draft stays");
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_that_is_a_symlink_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::create_dir(&victim).unwrap();
        fs::write(victim.join("c.json"), "{}").unwrap();
        std::os::unix::fs::symlink(&victim, dir.path().join(".claude")).unwrap();
        let path = dir.path().join(".claude/c.json");
        assert!(matches!(read_document(&path), Reading::Unavailable(_)));
        assert!(matches!(
            replace_if_unchanged(&path, b"x", &Reading::Missing),
            Err(CacheError::Symlink { .. })
        ));
        assert_eq!(fs::read(victim.join("c.json")).unwrap(), b"{}");
    }
}
