//! Whether other processes have the database open.

use std::path::Path;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::byte_range;
use crate::fs::open_existing;

/// The bytes on which every connection to a database with a log holds a shared lock, and their
/// number: part of SQLite's file format, "Locking-Page Range".
const SHARED_LOCK_START: i64 = 0x4000_0002;
const SHARED_LOCK_LENGTH: i64 = 510;

/// Whether another process has the database open at this moment; `false` where that cannot be
/// known.
///
/// The file that is opened for it stays open until the process ends: closing it would drop the
/// locks that SQLite holds in this process.
pub(super) fn is_open_elsewhere(database: &Path) -> bool {
    let mut range = byte_range::lock_request(libc::F_WRLCK, SHARED_LOCK_START, SHARED_LOCK_LENGTH);
    let Ok(file) = open_existing(database) else {
        return false;
    };
    let answer = fcntl(&file, FcntlArg::F_GETLK(&mut range));
    std::mem::forget(file);
    answer.is_ok() && !byte_range::is_free(&range)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn another_process_counts_and_this_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("some.db");
        assert!(!is_open_elsewhere(&database), "there is none");
        let mine = rusqlite::Connection::open(&database).unwrap();
        mine.pragma_update(None, "journal_mode", "WAL").unwrap();
        assert!(!is_open_elsewhere(&database));

        let mut shell = Command::new("sqlite3")
            .arg(&database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = shell.stdin.take().unwrap();
        writeln!(stdin, "SELECT count(*) FROM sqlite_schema;").unwrap();
        let mut answer = String::new();
        let mut stdout = BufReader::new(shell.stdout.take().unwrap());
        stdout.read_line(&mut answer).unwrap();
        assert!(is_open_elsewhere(&database));
        drop(stdin);
        shell.wait().unwrap();
        assert!(!is_open_elsewhere(&database));
    }
}
