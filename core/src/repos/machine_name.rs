//! The name of this machine in the database.

use std::io;

use crate::fs::{ensure_id, read_id};
use crate::settings::Paths;

/// What messages call it.
const MACHINE_NAME: &str = "machine name";

/// Reads the name of this machine, or `None` before anything was registered from it.
///
/// # Errors
///
/// When the file exists but holds no name.
pub fn read_machine_name(paths: &Paths) -> io::Result<Option<String>> {
    read_id(&paths.machine_name(), MACHINE_NAME)
}

/// Reads the name of this machine and makes one first if there is none.
///
/// # Errors
///
/// When the file cannot be read or written.
pub fn ensure_machine_name(paths: &Paths) -> io::Result<String> {
    ensure_id(&paths.machine_name(), MACHINE_NAME)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

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
