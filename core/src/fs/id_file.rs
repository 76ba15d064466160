//! Files that hold a random id, made once.

use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use super::open::{PRIVATE_MODE, create_private_dir, read_text, set_mode};

/// Largest file read, in bytes: an id and what an editor may add.
const MAX_FILE_BYTES: u64 = 1_024;

/// Reads the id, or `None` where there is no file. `what` says what the id names.
///
/// # Errors
///
/// When the file exists but holds no id.
pub(crate) fn read_id(path: &Path, what: &str) -> io::Result<Option<String>> {
    match read_text(path, MAX_FILE_BYTES, true) {
        Ok(text) => parse_id(path, what, text.trim()).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(with_path(path, &error)),
    }
}

fn parse_id(path: &Path, what: &str, text: &str) -> io::Result<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if text.is_empty() || !text.chars().all(is_plain) {
        return Err(with_path(path, &io::Error::other(format!("it does not contain a {what}"))));
    }
    Ok(text.to_owned())
}

fn with_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Reads the id, and makes one first if there is none. Of two processes that do so at once, both get
/// the same.
///
/// # Errors
///
/// When the file cannot be read or written.
pub(crate) fn ensure_id(path: &Path, what: &str) -> io::Result<String> {
    if let Some(known) = read_id(path, what)? {
        return Ok(known);
    }
    let dir = path.parent().unwrap_or(Path::new("."));
    create_private_dir(dir)?;
    let mut draft = tempfile::NamedTempFile::new_in(dir)?;
    set_mode(draft.as_file(), PRIVATE_MODE)?;
    writeln!(draft, "{}", uuid::Uuid::now_v7())?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(path) {
        Ok(_) => {}
        // Another process made one at the same moment, and that one is used.
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(with_path(path, &error.error)),
    }
    read_id(path, what)?.ok_or_else(|| with_path(path, &io::Error::from(ErrorKind::NotFound)))
}
