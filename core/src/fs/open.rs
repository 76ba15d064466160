//! The door through which every file is opened and every directory of trueup's own is made.
//!
//! Others can put a pipe, a device, a symlink or a file without end in the place of any file.
//! What is opened here is a regular file, is opened without waiting, and is written through no
//! symlink. Modes are set after the file is made, because the umask may have taken bits away or
//! may take none. `clippy.toml` refuses the ways of the standard library everywhere else.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::Path;

/// Permission bits of a file of the user's own.
pub(crate) const PRIVATE_MODE: u32 = 0o600;

/// Permission bits of a directory of the user's own.
const PRIVATE_DIR_MODE: u32 = 0o700;

/// The most permission bits that a directory gets which others may look into.
const SHARED_DIR_MODE: u32 = 0o755;

/// Tells whether a symlink stands here.
pub(crate) fn is_symlink(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink())
}

/// Opens a file for reading, and returns its size in bytes, if it is a regular one.
///
/// `follow` says whether a symlink is fine, as for a file of the user's own.
///
/// # Errors
///
/// When there is no such file, it is a symlink that is not fine, or no regular file.
pub(crate) fn open_for_reading(path: &Path, follow: bool) -> io::Result<(File, u64)> {
    let (file, data) = open_regular(OpenOptions::new().read(true), path, follow)?;
    Ok((file, data.len()))
}

/// Reads a file of at most `limit` bytes, which must be a regular one.
///
/// # Errors
///
/// When there is no such file, it is a symlink that is not fine, no regular file, or too large.
pub fn read_bytes(path: &Path, limit: u64, follow: bool) -> io::Result<Vec<u8>> {
    let (file, size) = open_for_reading(path, follow)?;
    let too_large = || {
        io::Error::new(
            ErrorKind::FileTooLarge,
            format!("larger than {limit} bytes"),
        )
    };
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
pub fn read_text(path: &Path, limit: u64, follow: bool) -> io::Result<String> {
    let bytes = read_bytes(path, limit, follow)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// Opens a file of trueup's own for appending; a missing one is made.
///
/// # Errors
///
/// When the system refuses, or a symlink or no regular file stands there.
pub fn open_to_append(path: &Path) -> io::Result<File> {
    open_private(OpenOptions::new().append(true).create(true), path)
}

/// Opens a file of trueup's own for reading and writing in place; a missing one is made.
///
/// # Errors
///
/// Those of [`open_to_append`].
pub(crate) fn open_to_update(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    open_private(options.read(true).write(true).create(true), path)
}

/// Opens a file for reading and writing that is there already, whatever its mode.
///
/// # Errors
///
/// When there is none, or it is no regular file.
pub(crate) fn open_existing(path: &Path) -> io::Result<File> {
    open_regular(OpenOptions::new().read(true).write(true), path, true).map(|(file, _)| file)
}

/// Makes a file that is not there yet, with exactly these permission bits.
///
/// # Errors
///
/// When anything stands there, or the system refuses.
pub(crate) fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    set_creation_mode(&mut options, PRIVATE_MODE);
    let file = options.open(path)?;
    set_mode(&file, mode)?;
    Ok(file)
}

/// Replaces what a file of trueup's own says, in place; a missing one is made, and so is its
/// directory. Only for what may be lost: a reader or a crash in between sees half of it.
///
/// # Errors
///
/// Those of [`open_to_append`].
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    let mut file = match open_private(&mut options, path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            ensure_private_dir(path.parent().unwrap_or(Path::new(".")))?;
            open_private(&mut options, path)?
        }
        other => other?,
    };
    file.set_len(0)?;
    file.write_all(content)?;
    Ok(file)
}

/// Appends to a file of others in one write; a missing one is made with `mode`, less what the
/// umask takes. The mode of one that is there stays.
///
/// # Errors
///
/// Those of [`open_to_append`].
pub fn append_to_foreign(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    set_creation_mode(&mut options, mode);
    let (mut file, data) = open_regular(&mut options, path, false)?;
    // One that is made here is its owner's to read and write, whatever the umask.
    #[cfg(unix)]
    if data.len() == 0 && mode_bits(&data) & OWNER_BITS != mode & OWNER_BITS {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(fs::Permissions::from_mode(
            mode_bits(&data) | mode & OWNER_BITS,
        ))?;
    }
    file.write_all(content)
}

/// Makes a directory with its parents, readable by its owner alone; one that is there stays as
/// it is, because it may be the user's.
///
/// # Errors
///
/// When it cannot be made.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.is_dir();
    let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    missing.into_iter().rev().try_for_each(|path| {
        create_dir(path, PRIVATE_DIR_MODE).map(drop)?;
        set_dir_mode(path, PRIVATE_DIR_MODE)
    })
}

/// Makes a directory that is trueup's alone, with its parents; one that is there is closed to
/// others.
///
/// # Errors
///
/// When it cannot be made.
pub fn ensure_private_dir(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(data) if data.is_dir() => {
            if mode_bits(&data) != PRIVATE_DIR_MODE {
                // One of another user is used as it is, for as long as that works.
                let _ = set_dir_mode(path, PRIVATE_DIR_MODE);
            }
            Ok(())
        }
        _ => create_private_dir(path),
    }
}

/// The bits of a mode that are the owner's.
const OWNER_BITS: u32 = 0o700;

/// Makes a directory in a repository, which others may look into as far as the umask lets them,
/// and never write to; its owner always may. One that is there stays as it is.
///
/// # Errors
///
/// When it cannot be made, or its parent is not there.
pub(crate) fn create_shared_dir(path: &Path) -> io::Result<()> {
    if create_dir(path, SHARED_DIR_MODE)? {
        let mode = mode_bits(&fs::metadata(path)?);
        if mode & OWNER_BITS != OWNER_BITS {
            set_dir_mode(path, mode | OWNER_BITS)?;
        }
    }
    Ok(())
}

/// Makes a rename into or a removal from a directory durable.
///
/// # Errors
///
/// When the system refuses.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Closes a new file to others, whatever the umask left.
///
/// # Errors
///
/// When the system refuses.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    let _ = (file, mode);
    Ok(())
}

/// Opens a file of trueup's own, which is readable by its owner alone from then on.
fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    set_creation_mode(options, PRIVATE_MODE);
    let (file, data) = open_regular(options, path, false)?;
    if mode_bits(&data) != PRIVATE_MODE {
        // A file system without modes, or a file of another user, works as it is.
        let _ = set_mode(&file, PRIVATE_MODE);
    }
    Ok(file)
}

/// Opens a regular file without waiting for it.
fn open_regular(
    options: &mut OpenOptions,
    path: &Path,
    follow: bool,
) -> io::Result<(File, Metadata)> {
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
    Ok((file, data))
}

/// Makes a directory; tells whether it was not there before.
fn create_dir(path: &Path, mode: u32) -> io::Result<bool> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(mode);
    }
    match builder.create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        other => other.map(|()| true),
    }
}

#[cfg(unix)]
fn mode_bits(data: &Metadata) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    data.mode() & 0o777
}

#[cfg(not(unix))]
fn mode_of(data: &Metadata) -> u32 {
    if data.is_dir() {
        PRIVATE_DIR_MODE
    } else {
        PRIVATE_MODE
    }
}

#[cfg(unix)]
fn set_creation_mode(options: &mut OpenOptions, mode: u32) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(mode);
}

#[cfg(not(unix))]
fn set_creation_mode(_options: &mut OpenOptions, _mode: u32) {}

fn set_dir_mode(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    }
    let _ = (path, mode);
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
