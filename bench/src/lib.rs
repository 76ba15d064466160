//! What the two floor programs share.
//!
//! A floor program does only what every hook must do: start, read stdin, open the database as the
//! hooks do, run one statement. What a hook costs beyond that is trueup's own work.

use std::error::Error;
use std::io::{self, Read as _};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// The same allocator as in the hooks.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An error that ends a floor program.
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
    arguments.next().ok_or_else(|| BenchError::from("usage: floor-… DATABASE SESSION [FILE]"))
}
