//! Reading the files of databases beside SQLite.
//!
//! A process that closes any handle of a file loses all POSIX locks that it has on that file, those
//! of SQLite among them (<https://sqlite.org/howtocorrupt.html>, 2.2). Another process would then take
//! a database for unused that a connection of this one works on, and remove its log. So a file that
//! was opened here stays open, one handle for each file, until it has no name any more.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::fs::open_for_reading;

/// The files that were opened.
static KEPT: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// Reads the first bytes of a file.
///
/// # Errors
///
/// When the file is shorter, is not regular, or cannot be read.
pub(super) fn read_header(path: &Path, header: &mut [u8]) -> io::Result<()> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let present = fs::metadata(path)?;
    kept.retain(|file| file.metadata().is_ok_and(|data| data.nlink() > 0));
    if let Some(file) = kept.iter().find(|file| is_same(file, &present)) {
        return file.read_exact_at(header, 0);
    }
    let (file, _) = open_for_reading(path, true)?;
    let read = file.read_exact_at(header, 0);
    kept.push(file);
    read
}

fn is_same(file: &File, present: &Metadata) -> bool {
    let identity = |data: &Metadata| (data.dev(), data.ino());
    file.metadata().is_ok_and(|data| identity(&data) == identity(present))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::deadline::Deadline;
    use crate::store::sqlite::SqliteStore;

    #[test]
    fn a_second_connection_leaves_the_locks_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("some.db");
        let deadline = Deadline::after(std::time::Duration::from_mins(1));
        let first = SqliteStore::open_or_create(&database, deadline).unwrap();
        drop(SqliteStore::open(&database, deadline).unwrap());
        let _second = SqliteStore::open(&database, deadline).unwrap();
        let output = Command::new("sqlite3")
            .arg(&database)
            .arg("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("locked"), "another process takes it for unused: {said:?}");
        drop(first);
    }

    #[test]
    fn a_file_without_a_name_is_let_go_and_one_in_its_place_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        for content in [b"first", b"other"] {
            fs::write(&path, content).unwrap();
            let mut header = [0; 5];
            read_header(&path, &mut header).unwrap();
            assert_eq!(&header, content);
            fs::remove_file(&path).unwrap();
        }
    }
}
