//! What the two floor programs share.
//!
//! A floor does what no hook can do without, and nothing else: the process itself, stdin, the
//! database opened as the hooks open it, one statement. What a hook costs beyond it is trueup's.

use std::error::Error;
use std::io::{self, Read as _};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// The one of the hooks, which is explained there.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What ends a floor program early.
pub type BenchError = Box<dyn Error>;

/// Reads all of stdin, as every hook must.
///
/// # Errors
///
/// When it cannot be read.
pub fn read_stdin() -> io::Result<Vec<u8>> {
    let mut input = Vec::new();
    io::stdin().lock().read_to_end(&mut input)?;
    Ok(input)
}

/// Opens the database as the hooks do: same flags, same pragmas.
///
/// # Errors
///
/// When it cannot be opened.
pub fn open_database(path: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(1))?;
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;")?;
    Ok(connection)
}

/// Reads the state of one session by its key.
///
/// # Errors
///
/// When it cannot be read.
pub fn select_session(connection: &Connection, session: &str) -> rusqlite::Result<String> {
    let sql = "SELECT metadata FROM claude_sessions WHERE session_id = ?1";
    connection.query_row(sql, [session], |row| row.get(0))
}

/// Takes the next argument.
///
/// # Errors
///
/// When there is none.
pub fn next_argument(arguments: &mut impl Iterator<Item = String>) -> Result<String, BenchError> {
    arguments
        .next()
        .ok_or_else(|| BenchError::from("usage: floor-… DATABASE SESSION [FILE]"))
}
