//! Reading and replacing a file.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::Document;
use super::lock::reserve;
use crate::files;
use crate::model::Timestamp;
use crate::reconcile::{Aside, Reading};

/// Largest cache read, in bytes. Real ones have one kilobyte.
pub const LARGEST: u64 = 1024 * 1024;

/// Why a cache was not written.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Something else stands in its place.
    #[error("{path}: a symlink stands where the cache belongs; it is not followed")]
    Symlink {
        /// The place.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What came of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The file is new.
    Yes,
    /// It said the same already and was not touched.
    Same,
    /// It is not what was read any more, and was not touched.
    ChangedMeanwhile,
}

/// A cache file as it was read.
#[derive(Debug)]
pub struct CacheFile {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub document: Reading<Document>,
}

impl CacheFile {
    /// Reads a cache. Nothing that can be wrong with it is an error: it is a reading.
    pub fn read(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            document: read(path),
        }
    }

    /// Writes a document when it says something new, in the place of what was read and of
    /// nothing else: an edit saved in between is left as it is.
    ///
    /// # Errors
    ///
    /// When the file could not be replaced; then it is as it was.
    pub fn write(&self, new: &Document) -> Result<Written, CacheError> {
        if let Reading::Fresh(old) = &self.document
            && old.says_the_same(new)
        {
            return Ok(Written::Same);
        }
        replace(&self.path, &new.render(), &self.document)
    }

    /// Moves the file out of the way; returns its new name.
    ///
    /// # Errors
    ///
    /// When it could not be moved.
    pub fn set_aside(&self, why: Aside, now: Timestamp) -> Result<PathBuf, CacheError> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}-{}", why.as_str(), now.compact()));
        let aside = self.path.with_file_name(name);
        match fs::rename(&self.path, &aside) {
            Ok(()) => Ok(aside),
            // Another hook was faster.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(aside),
            Err(source) => Err(CacheError::Io {
                path: self.path.clone(),
                source,
            }),
        }
    }
}

fn read(path: &Path) -> Reading<Document> {
    if let Some(folder) = path.parent().filter(|folder| is_symlink(folder)) {
        let path = folder.to_owned();
        return Reading::Unavailable(CacheError::Symlink { path }.to_string());
    }
    let (file, size) = match files::open(path, false) {
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
    if size > LARGEST {
        return Reading::Corrupt(format!("{}: {size} bytes are no cache", path.display()));
    }
    // One more than the size, so that the end is met in the first read.
    let mut bytes = Vec::with_capacity(usize::try_from(size + 1).unwrap_or_default());
    match file.take(LARGEST + 1).read_to_end(&mut bytes) {
        Err(error) => Reading::Unavailable(format!("{}: {error}", path.display())),
        Ok(_) => match Document::parse(&bytes) {
            Ok(document) => Reading::Fresh(document),
            Err(reason) => Reading::Corrupt(format!("{}: {reason}", path.display())),
        },
    }
}

fn is_symlink(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink())
}

/// Refuses a symlink in the place of a file or of the folder that holds it.
fn no_symlink(path: &Path) -> Result<(), CacheError> {
    for place in [path.parent(), Some(path)].into_iter().flatten() {
        if is_symlink(place) {
            let path = place.to_owned();
            return Err(CacheError::Symlink { path });
        }
    }
    Ok(())
}

/// Replaces a file that still is what was read by one with this content and mode 0600: readers
/// see the old or the new, whatever happens in between.
///
/// It is not synced: a cache torn by a power failure is rebuilt from the database.
fn replace(
    path: &Path,
    content: &[u8],
    expected: &Reading<Document>,
) -> Result<Written, CacheError> {
    let io = |source| CacheError::Io {
        path: path.to_owned(),
        source,
    };
    no_symlink(path)?;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    // Its folder is made, but never the project that would hold it.
    match fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(io(error)),
        _ => {}
    }
    // The name is fixed but for the process, so that a killed writer leaves at most one, and
    // the next writer of that number takes it away.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".tmp-{}", std::process::id()));
    let draft = path.with_file_name(name);
    let swapped = write_new(&draft, content).and_then(|()| swap_in(&draft, path, expected));
    if !matches!(swapped, Ok(Written::Yes)) {
        // What was not used must not stay; that it cannot be removed changes nothing.
        let _ = fs::remove_file(&draft);
    }
    swapped.map_err(io)
}

/// Puts the draft in the place of the file, if that is what was read: the two are exchanged,
/// looked at, and exchanged back when somebody saved the file in between.
#[cfg(target_os = "linux")]
fn swap_in(draft: &Path, path: &Path, expected: &Reading<Document>) -> io::Result<Written> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;

    let missing = matches!(expected, Reading::Missing);
    let flags = if missing {
        RenameFlags::NOREPLACE
    } else {
        RenameFlags::EXCHANGE
    };
    match renameat_with(CWD, draft, CWD, path, flags) {
        Ok(()) if missing => Ok(Written::Yes),
        Ok(()) if read(draft) == *expected => {
            fs::remove_file(draft)?;
            Ok(Written::Yes)
        }
        Ok(()) => {
            renameat_with(CWD, draft, CWD, path, RenameFlags::EXCHANGE)?;
            Ok(Written::ChangedMeanwhile)
        }
        Err(Errno::EXIST | Errno::NOENT) => Ok(Written::ChangedMeanwhile),
        // A file system that cannot exchange.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            fs::rename(draft, path)?;
            Ok(Written::Yes)
        }
        Err(error) => Err(error.into()),
    }
}

/// Puts the draft in the place of the file; what is saved in the same moment is lost where
/// the system cannot exchange two files.
#[cfg(not(target_os = "linux"))]
fn swap_in(draft: &Path, path: &Path, expected: &Reading<Document>) -> io::Result<Written> {
    if read(path) != *expected {
        return Ok(Written::ChangedMeanwhile);
    }
    fs::rename(draft, path)?;
    Ok(Written::Yes)
}

fn write_new(draft: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = match options.open(draft) {
        // Left by a process of this number that was killed.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(draft)?;
            options.open(draft)?
        }
        other => other?,
    };
    let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
    reserve(&file, size)?;
    file.write_all(content)?;
    file.set_len(size)
}

/// Removes drafts that killed writers left beside a cache; those of running processes stay.
pub(crate) fn sweep_drafts(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return;
    };
    let prefix = format!("{}.tmp-", name.to_string_lossy());
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let draft = entry.file_name().to_string_lossy().into_owned();
        let pid = draft
            .strip_prefix(&prefix)
            .and_then(|pid| pid.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // Gone already is as good.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_is_private_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/c.json");
        let put = |content: &[u8]| replace(&path, content, &read(&path)).unwrap();
        assert_eq!(put(b"{}\n"), Written::Yes);
        assert_eq!(put(b"{\"a\": 1}\n"), Written::Yes);
        assert_eq!(fs::read(&path).unwrap(), b"{\"a\": 1}\n");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_is_neither_read_nor_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (victim, path) = (folder.path().join("victim"), folder.path().join("c.json"));
        fs::write(&victim, "{}").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        assert!(matches!(
            CacheFile::read(&path).document,
            Reading::Unavailable(_)
        ));
        assert!(matches!(
            replace(&path, b"x", &Reading::Missing),
            Err(CacheError::Symlink { .. })
        ));
        assert_eq!(fs::read(&victim).unwrap(), b"{}");
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    }

    #[test]
    fn damage_is_a_reading_and_moves_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        assert_eq!(CacheFile::read(&path).document, Reading::Missing);
        fs::write(&path, "{").unwrap();
        let file = CacheFile::read(&path);
        assert!(matches!(file.document, Reading::Corrupt(_)));
        let aside = file
            .set_aside(Aside::Corrupt, Timestamp::from_millis(0))
            .unwrap();
        assert_eq!(fs::read(&aside).unwrap(), b"{");
        assert!(
            aside.to_string_lossy().contains("c.json.corrupt-1970"),
            "{aside:?}"
        );
        assert!(!path.exists());
    }

    #[test]
    fn a_huge_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        fs::File::create(&path)
            .unwrap()
            .set_len(LARGEST + 1)
            .unwrap();
        assert!(matches!(
            CacheFile::read(&path).document,
            Reading::Corrupt(_)
        ));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn drafts_of_the_dead_are_removed_and_of_the_living_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        let dead = folder.path().join("c.json.tmp-4194399");
        let live = folder
            .path()
            .join(format!("c.json.tmp-{}", std::process::id()));
        fs::write(&dead, "x").unwrap();
        fs::write(&live, "x").unwrap();
        sweep_drafts(&path);
        assert!(!dead.exists() && live.exists());
    }

    #[test]
    fn a_file_saved_in_between_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        fs::write(&path, "{\"a\": 1}").unwrap();
        let before = read(&path);
        fs::write(&path, "{\"a\": 2}").unwrap();
        let written = replace(&path, b"{}", &before).unwrap();
        assert_eq!(written, Written::ChangedMeanwhile);
        assert_eq!(fs::read(&path).unwrap(), b"{\"a\": 2}");
        assert_eq!(
            replace(&path, b"{}", &Reading::Missing).unwrap(),
            Written::ChangedMeanwhile
        );
        fs::remove_file(&path).unwrap();
        assert_eq!(
            replace(&path, b"{}", &before).unwrap(),
            Written::ChangedMeanwhile
        );
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "no draft stays"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_is_a_symlink_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        fs::create_dir(&victim).unwrap();
        fs::write(victim.join("c.json"), "{}").unwrap();
        std::os::unix::fs::symlink(&victim, folder.path().join(".claude")).unwrap();
        let path = folder.path().join(".claude/c.json");
        assert!(matches!(read(&path), Reading::Unavailable(_)));
        assert!(matches!(
            replace(&path, b"x", &Reading::Missing),
            Err(CacheError::Symlink { .. })
        ));
        assert_eq!(fs::read(victim.join("c.json")).unwrap(), b"{}");
    }
}
