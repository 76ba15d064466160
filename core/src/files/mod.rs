//! Reading files that others wrote, where the name alone proves nothing, and replacing them.

mod backup;
mod change;
mod replace;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

pub use backup::change_with_backup;
pub use change::{Change, ChangeError};
pub(crate) use change::{locked, replace};
pub use replace::Written;
pub(crate) use replace::{PRIVATE, Replacement, sweep_drafts};

/// Tells whether a symlink stands here.
pub(crate) fn is_symlink(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink())
}

/// Opens a file for reading, and returns its size in bytes, if it is a regular one.
///
/// A repository can put a pipe, a device or a link to one in the place of any of its files;
/// opening those would block, reading them would never end. `follow` says whether a symlink
/// is fine, as for a file of the user's own.
///
/// # Errors
///
/// When there is no such file, it is a symlink that is not fine, or no regular file.
pub(crate) fn open(path: &Path, follow: bool) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;
        let mut flags = OFlags::NONBLOCK;
        flags.set(OFlags::NOFOLLOW, !follow);
        options.custom_flags(i32::try_from(flags.bits()).unwrap_or(0));
    }
    let file = options.open(path)?;
    let data = file.metadata()?;
    if !data.is_file() {
        return Err(io::Error::other("not a file"));
    }
    Ok((file, data.len()))
}

/// Reads a file of at most `limit` bytes, which must be a regular one.
///
/// # Errors
///
/// When there is no such file, it is a symlink that is not fine, no regular file, or too large.
pub fn read_bytes(path: &Path, limit: u64, follow: bool) -> io::Result<Vec<u8>> {
    let (file, size) = open(path, follow)?;
    let too_large = || io::Error::other(format!("larger than {limit} bytes"));
    if size > limit {
        return Err(too_large());
    }
    // One more than the size, so that the end is met in the first read.
    let mut bytes = Vec::with_capacity(usize::try_from(size + 1).unwrap_or_default());
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Reads a text file of at most `limit` bytes, which must be a regular one.
///
/// # Errors
///
/// Those of [`read_bytes`], and when it is no UTF-8.
pub(crate) fn read_text(path: &Path, limit: u64, follow: bool) -> io::Result<String> {
    let bytes = read_bytes(path, limit, follow)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_small_regular_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("f"), folder.path().join("l"));
        fs::write(&file, "text").unwrap();
        symlink(&file, &link).unwrap();
        assert_eq!(read_text(&file, 4, false).unwrap(), "text");
        assert_eq!(read_text(&link, 4, true).unwrap(), "text");
        assert!(read_text(&link, 4, false).is_err());
        assert!(read_text(&file, 3, false).is_err());
        assert!(read_text(Path::new("/dev/zero"), 9, true).is_err());
        let missing = read_text(&folder.path().join("none"), 9, true).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
