//! Every file is opened and every directory of trueup's own is created here.
//!
//! Anyone can put a pipe, a device, a symlink or an endless file in place of a file. The functions
//! here only open regular files, never block on opening, and never write through a symlink. Modes
//! are set after creation, because the umask may remove bits or none. `clippy.toml` forbids the
//! standard library's functions everywhere else.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::path::Path;

/// Permission bits of a private file.
pub(crate) const PRIVATE_MODE: u32 = 0o600;

/// Permission bits of a private directory.
const PRIVATE_DIR_MODE: u32 = 0o700;

/// Permissions of a new file in a repository.
const SHARED_FILE_MODE: u32 = 0o644;

/// Most permission bits of a directory that others may read.
const SHARED_DIR_MODE: u32 = 0o755;

/// Returns whether the path is a symlink.
pub(crate) fn is_symlink(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink())
}

/// Opens a regular file for reading; returns it and its size in bytes.
///
/// `follow` tells whether a symlink is allowed, as it is for files that the user names.
///
/// # Errors
///
/// When the file is missing, is a symlink that is not allowed, or is not a regular file.
pub fn open_for_reading(path: &Path, follow: bool) -> io::Result<(File, u64)> {
    let (file, data) = open_regular(OpenOptions::new().read(true), path, follow)?;
    Ok((file, data.len()))
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
///
/// When the file is missing, is a symlink that is not allowed, is not a regular file, or is too
/// large.
pub fn read_bytes(path: &Path, limit: u64, follow: bool) -> io::Result<Vec<u8>> {
    let (file, size) = open_for_reading(path, follow)?;
    read_limited(file, size, limit)
}

/// Reads a file of `size` bytes, of at most `limit`.
fn read_limited(file: File, size: u64, limit: u64) -> io::Result<Vec<u8>> {
    let too_large =
        || io::Error::new(ErrorKind::FileTooLarge, format!("larger than {limit} bytes"));
    if size > limit {
        return Err(too_large());
    }
    // One byte more than the size, so that the first read already meets the end.
    let mut bytes = Vec::with_capacity(usize::try_from(size + 1).unwrap_or_default());
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Reads a regular text file of at most `limit` bytes.
///
/// # Errors
///
/// Those of [`read_bytes`], and when it is not UTF-8.
pub fn read_text(path: &Path, limit: u64, follow: bool) -> io::Result<String> {
    into_text(read_bytes(path, limit, follow)?)
}

/// Reads a text file of the user's that contains a secret.
///
/// # Errors
///
/// Those of [`read_text`], and when others than its owner have any right to it.
pub fn read_private_text(path: &Path, limit: u64) -> io::Result<String> {
    let (file, data) = open_regular(OpenOptions::new().read(true), path, true)?;
    let mode = mode_bits(&data);
    if mode & !OWNER_BITS != 0 {
        let problem = format!("others can read it (mode {mode:o}); make it 600");
        return Err(io::Error::new(ErrorKind::PermissionDenied, problem));
    }
    into_text(read_limited(file, data.len(), limit)?)
}

fn into_text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// Opens a private file for appending, creating it if it is missing.
///
/// # Errors
///
/// When the system refuses, or a symlink or something that is not a regular file is there.
pub fn open_to_append(path: &Path) -> io::Result<File> {
    open_private(OpenOptions::new().append(true).create(true), path)
}

/// Opens a private file for reading and writing in place, creating it if it is missing.
///
/// # Errors
///
/// Those of [`open_to_append`].
pub(crate) fn open_to_update(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    open_private(options.read(true).write(true).create(true), path)
}

/// Opens an existing file for reading and writing, keeping its mode.
///
/// # Errors
///
/// When there is none, or it is not a regular file.
#[cfg(target_os = "linux")]
pub(crate) fn open_existing(path: &Path) -> io::Result<File> {
    open_regular(OpenOptions::new().read(true).write(true), path, true).map(|(file, _)| file)
}

/// Creates a new file with exactly these permission bits.
///
/// # Errors
///
/// When anything exists there, or the system refuses.
pub(crate) fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    set_creation_mode(&mut options, PRIVATE_MODE);
    let file = options.open(path)?;
    set_mode(&file, mode)?;
    Ok(file)
}

/// Creates a new file in a repository that others may read, as far as the umask allows.
///
/// # Errors
///
/// [`ErrorKind::AlreadyExists`] when anything exists there; or when the system refuses.
pub fn create_shared_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    set_creation_mode(&mut options, SHARED_FILE_MODE);
    options.open(path)?.write_all(content)
}

/// Creates a private file that has no name, with this content, for a program to read from its
/// beginning. It is gone when the last process has closed it.
///
/// # Errors
///
/// When the system refuses.
pub fn create_unlinked_file(dir: &Path, content: &[u8]) -> io::Result<File> {
    let mut file = match tempfile::tempfile_in(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            ensure_private_dir(dir)?;
            tempfile::tempfile_in(dir)?
        }
        other => other?,
    };
    file.write_all(content)?;
    file.rewind()?;
    Ok(file)
}

/// Overwrites a private file in place, creating it and its directory if they are missing. Only for
/// content that may be lost: a reader, or a crash, can meet half of it.
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

/// Appends to a file of others in one write. A missing file is created with `mode`, less the umask;
/// an existing one keeps its mode.
///
/// # Errors
///
/// Those of [`open_to_append`].
pub fn append_to_foreign(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    set_creation_mode(&mut options, mode);
    let (mut file, data) = open_regular(&mut options, path, false)?;
    // The owner may always read and write a new file, whatever the umask.
    #[cfg(unix)]
    if data.len() == 0 && mode_bits(&data) & OWNER_BITS != mode & OWNER_BITS {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(fs::Permissions::from_mode(mode_bits(&data) | mode & OWNER_BITS))?;
    }
    file.write_all(content)
}

/// Creates a directory and its parents, private to the owner. An existing directory keeps its mode,
/// because it may be the user's.
///
/// # Errors
///
/// When it cannot be created.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.is_dir();
    let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    missing.into_iter().rev().try_for_each(|path| {
        create_dir(path, PRIVATE_DIR_MODE).map(drop)?;
        set_dir_mode(path, PRIVATE_DIR_MODE)
    })
}

/// Creates a directory of trueup's own and its parents, private to the owner. An existing one is
/// made private too.
///
/// # Errors
///
/// When it cannot be created.
pub fn ensure_private_dir(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(data) if data.is_dir() => {
            if mode_bits(&data) != PRIVATE_DIR_MODE {
                // The directory of another user is used as it is, for as long as that works.
                let _ = set_dir_mode(path, PRIVATE_DIR_MODE);
            }
            Ok(())
        }
        _ => create_private_dir(path),
    }
}

/// The owner's bits of a mode.
const OWNER_BITS: u32 = 0o700;

/// Creates a directory in a repository that others may read, as far as the umask allows, and never
/// write; its owner always may. An existing one stays as it is.
///
/// # Errors
///
/// When it cannot be created, or its parent is missing.
pub fn create_shared_dir(path: &Path) -> io::Result<()> {
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

/// Sets exactly these permission bits, whatever the umask left.
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

/// Opens a private file and makes sure that only its owner can read it.
fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    set_creation_mode(options, PRIVATE_MODE);
    let (file, data) = open_regular(options, path, false)?;
    if mode_bits(&data) != PRIVATE_MODE {
        // A file system without modes, or another user's file, works as it is.
        let _ = set_mode(&file, PRIVATE_MODE);
    }
    Ok(file)
}

/// Opens a regular file without blocking.
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

/// Creates a directory; returns whether it was missing.
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
fn mode_bits(data: &Metadata) -> u32 {
    if data.is_dir() { PRIVATE_DIR_MODE } else { PRIVATE_MODE }
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
