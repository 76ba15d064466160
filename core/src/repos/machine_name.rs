//! The name of this machine in the database.

use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use crate::fs::{PRIVATE_MODE, create_private_dir, set_mode};
use crate::settings::Paths;

/// Largest file read, in bytes: an id and what an editor may add.
const MAX_FILE_BYTES: u64 = 1_024;

/// Reads the name of this machine, or `None` before anything was registered from it.
///
/// # Errors
///
/// When the file exists but holds no name.
pub fn read_machine_name(paths: &Paths) -> io::Result<Option<String>> {
    let path = paths.machine_name();
    match crate::fs::read_text(&path, MAX_FILE_BYTES, true) {
        Ok(text) => parse_machine_name(&path, text.trim()).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(with_path(&path, &error)),
    }
}

fn parse_machine_name(path: &Path, text: &str) -> io::Result<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if text.is_empty() || !text.chars().all(is_name) {
        return Err(with_path(path, &io::Error::other("it does not contain a machine name")));
    }
    Ok(text.to_owned())
}

fn with_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Reads the name of this machine and makes one first if there is none.
///
/// # Errors
///
/// When the file cannot be read or written.
pub fn ensure_machine_name(paths: &Paths) -> io::Result<String> {
    if let Some(known) = read_machine_name(paths)? {
        return Ok(known);
    }
    create_private_dir(&paths.data)?;
    let mut draft = tempfile::NamedTempFile::new_in(&paths.data)?;
    set_mode(draft.as_file(), PRIVATE_MODE)?;
    writeln!(draft, "{}", uuid::Uuid::now_v7())?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(paths.machine_name()) {
        Ok(_) => {}
        // Another process made one at the same moment, and that one is used.
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(with_path(&paths.machine_name(), &error.error)),
    }
    read_machine_name(paths)?
        .ok_or_else(|| with_path(&paths.machine_name(), &io::Error::from(ErrorKind::NotFound)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn paths(dir: &Path) -> Paths {
        Paths { config: dir.to_owned(), data: dir.join("data") }
    }

    #[test]
    fn a_machine_keeps_the_name_it_was_given() {
        let dir = tempfile::tempdir().unwrap();
        let paths = paths(dir.path());
        assert_eq!(read_machine_name(&paths).unwrap(), None);
        assert!(!paths.data.exists());
        let name = ensure_machine_name(&paths).unwrap();
        assert_eq!(ensure_machine_name(&paths).unwrap(), name);
        assert_eq!(read_machine_name(&paths).unwrap(), Some(name));
    }

    #[test]
    fn two_that_name_a_machine_at_once_come_to_one_name() {
        let dir = tempfile::tempdir().unwrap();
        let paths = paths(dir.path());
        let names: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| ensure_machine_name(&paths).unwrap())).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    }

    #[test]
    fn what_is_no_name_is_an_error_that_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let paths = paths(dir.path());
        fs::create_dir(&paths.data).unwrap();
        fs::write(paths.machine_name(), "a b\n").unwrap();
        let error = ensure_machine_name(&paths).unwrap_err().to_string();
        assert!(error.contains("machine: "), "{error}");
    }
}
