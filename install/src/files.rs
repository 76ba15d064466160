//! The installer's door to files: what it reads is a regular file with an end, and what it makes
//! has the mode it was given, whatever the umask. `clippy.toml` refuses other ways.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// Largest file read, in bytes. A binary with its symbols has a tenth of it.
const LARGEST: u64 = 1024 * 1024 * 1024;

/// Reads a regular file, or one that a link leads to, without waiting for it.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0))
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let mut bytes = Vec::new();
    if file.take(LARGEST + 1).read_to_end(&mut bytes)? as u64 > LARGEST {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// Makes a file with this mode and content, which are on disk when this returns.
pub(crate) fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode & 0o700)
        .open(path)?;
    file.write_all(bytes)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.sync_all()
}

/// Makes a directory with its parents; the new ones get this mode.
pub(crate) fn make_dirs(path: &Path, mode: u32) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|dir| !dir.exists()).collect();
    for dir in missing
        .into_iter()
        .rev()
        .filter(|dir| !dir.as_os_str().is_empty())
    {
        match fs::DirBuilder::new().mode(mode & 0o700).create(dir) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => {}
            made => {
                made?;
                fs::set_permissions(dir, fs::Permissions::from_mode(mode))?;
            }
        }
    }
    Ok(())
}
