//! Opening, creating, migrating, copying and checking the file.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::errors::from_sqlite;
use super::handle::Handle;
use super::migrate::{self, SCHEMA_VERSION, SchemaStatus};
use super::{SqliteStore, turn};
use crate::deadline::Deadline;
use crate::files::{self, ResolvedPath};
use crate::model::Lineage;
use crate::store::{Result, StoreError};

pub(super) fn connect(path: &Path, flags: OpenFlags, deadline: Deadline) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(from_sqlite)?;
    connection
        .busy_timeout(deadline.left())
        .map_err(from_sqlite)?;
    // By the interface, not by PRAGMA: nothing has to be parsed.
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        // Else a statement is parsed once more each time it is bound to other values, whose plan
        // might be better for them: no plan here depends on values.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
    ] {
        connection.set_db_config(setting, on).map_err(from_sqlite)?;
    }
    Ok(connection)
}

fn named(path: &Path, error: StoreError) -> StoreError {
    let at = |text: String| format!("{}: {text}", path.display());
    match error {
        StoreError::Corrupt(text) => StoreError::Corrupt(at(text)),
        // SQLite calls a disk without room for its shared memory an input or output error.
        StoreError::Unavailable(text) if is_full(path) => {
            StoreError::Unavailable(at(format!("{text}; the disk is full")))
        }
        StoreError::Unavailable(text) => StoreError::Unavailable(at(text)),
        other => other,
    }
}

/// Room a database needs to be opened, in bytes: SQLite's shared memory, and a little.
const LEAST_ROOM: u64 = 64 * 1024;

fn is_full(path: &Path) -> bool {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    crate::cache::lock::available_space(folder).is_ok_and(|room| room < LEAST_ROOM)
}

/// Refuses what cannot be opened as a database before SQLite could touch it.
pub(super) fn inspect(path: &Path) -> Result<()> {
    let wrong = match contents(path)? {
        Contents::Database => return Ok(()),
        Contents::Missing => return Err(StoreError::Missing(path.display().to_string())),
        Contents::Linked => return Err(linked(path)),
        Contents::Damaged => "the database file is damaged or not a database",
        Contents::Foreign => "the file is a database of another program",
    };
    Err(StoreError::Corrupt(format!("{}: {wrong}", path.display())))
}

/// What lies where the database belongs, as far as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    /// Nothing.
    Missing,
    /// A database of trueup's.
    Database,
    /// A database of trueup's that has a second name by a hard link.
    Linked,
    /// A database of somebody else's.
    Foreign,
    /// No database. SQLite takes an empty file for a new one; one of trueup's never is empty.
    Damaged,
}

/// Looks at what lies there.
///
/// # Errors
///
/// When it cannot be read or is no file.
pub(super) fn contents(path: &Path) -> Result<Contents> {
    let unreadable =
        |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", path.display()));
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Contents::Missing),
        Err(error) => Err(unreadable(error)),
        Ok(data) if !data.is_file() => Err(StoreError::Corrupt(format!(
            "{}: not a file",
            path.display()
        ))),
        Ok(data) => match header(path).map_err(unreadable)? {
            Contents::Database if has_other_names(&data) => Ok(Contents::Linked),
            other => Ok(other),
        },
    }
}

/// Says that a file has a second name, under which the engine would keep a second log.
pub(super) fn linked(path: &Path) -> StoreError {
    StoreError::Unavailable(format!(
        "{}: the file has a second name (hard link); SQLite keeps a log per name, so writes could \
         be lost; remove the other name",
        path.display()
    ))
}

#[cfg(unix)]
fn has_other_names(data: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    data.nlink() > 1
}

#[cfg(not(unix))]
const fn has_other_names(_: &fs::Metadata) -> bool {
    false
}

/// Tells whether two names lead to one file, also by a hard link.
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let identity = |path: &Path| fs::metadata(path).ok().map(|data| (data.dev(), data.ino()));
        identity(one).is_some_and(|found| identity(other) == Some(found))
    }
    #[cfg(not(unix))]
    {
        one == other
    }
}

/// What every SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Where the header names the application that made the file.
const APPLICATION: std::ops::Range<usize> = 68..72;

/// Tells files of others apart by their header. The application's id is written once, when a
/// database is made, so unlike the version it is never newer in the log; reading it here
/// spares every process a statement.
fn header(path: &Path) -> std::io::Result<Contents> {
    let mut header = [0; APPLICATION.end];
    let read = files::open(path, true).and_then(|(mut file, _)| file.read_exact(&mut header));
    Ok(match read {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Contents::Damaged,
        Err(error) => return Err(error),
        Ok(()) if !header.starts_with(MAGIC) => Contents::Damaged,
        Ok(()) if header[APPLICATION] != migrate::APPLICATION_ID.to_be_bytes() => Contents::Foreign,
        Ok(()) => Contents::Database,
    })
}

/// Tells whether another process has the database open.
#[cfg(target_os = "linux")]
pub(super) fn is_open_elsewhere(database: &Path) -> bool {
    super::others::have_open(database)
}

/// Elsewhere nobody can be asked.
#[cfg(not(target_os = "linux"))]
pub(super) const fn is_open_elsewhere(_: &Path) -> bool {
    false
}

/// Returns the name after which the engine names its log and the index of that: it resolves
/// links itself.
fn name_in_engine(connection: &Connection, path: &Path) -> ResolvedPath {
    match connection.path() {
        Some(name) if !name.is_empty() => ResolvedPath::known(name.into()),
        // A name that is no UTF-8.
        _ => ResolvedPath::of(path),
    }
}

pub(super) fn existing(path: &Path, deadline: Deadline) -> Result<SqliteStore> {
    inspect(path)?;
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, deadline)
        .map_err(|error| named(path, error))?;
    let database = name_in_engine(&connection, path);
    let mut store = SqliteStore {
        connection: Handle::new(connection, database),
        deadline,
    };
    let version = migrate::version(&store.connection).map_err(|error| named(path, error))?;
    if version < SCHEMA_VERSION {
        let migrated = store.write(|tx| migrate::migrate_to(tx, SCHEMA_VERSION));
        migrated.map_err(|error| named(path, error))?;
    }
    Ok(store)
}

pub(super) fn or_create(path: &Path, deadline: Deadline) -> Result<SqliteStore> {
    match existing(path, deadline) {
        Err(StoreError::Missing(_)) => {
            create(path, deadline).map_err(|error| named(path, error))?;
            existing(path, deadline)
        }
        other => other,
    }
}

/// How the names of databases under construction start.
const DRAFT: &str = ".new-database-";

/// Removes what killed creators left; who has the turn is the only one that creates.
fn remove_drafts(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(DRAFT) {
            // Gone already is as good.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Moves the log of a database that is gone out of the way: SQLite would play it back over
/// the new one.
pub(super) fn set_log_aside(database: &ResolvedPath) -> std::io::Result<()> {
    for end in ["-wal", "-shm"] {
        let orphan = format!("{end}.orphan-{}", uuid::Uuid::now_v7().simple());
        match fs::rename(database.beside(end), database.beside(&orphan)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Makes the database complete under another name and then gives it its own, so that no
/// process ever sees half of one. Of several at once the first wins and the others use it.
fn create(path: &Path, deadline: Deadline) -> Result<()> {
    let unavailable = |error: std::io::Error| StoreError::Unavailable(error.to_string());
    // Behind a link that leads nowhere yet, the database is made where the link leads.
    let place = ResolvedPath::of(path);
    let (path, folder) = (place.as_path(), place.folder());
    files::private_dir(folder).map_err(unavailable)?;
    let turn = turn::alone(&place, deadline);
    if path.exists() {
        return Ok(());
    }
    if turn.is_some() {
        remove_drafts(folder);
    }
    let draft = tempfile::Builder::new()
        .prefix(DRAFT)
        .tempfile_in(folder)
        .map_err(unavailable)?;
    files::set_mode(draft.as_file(), files::PRIVATE).map_err(unavailable)?;
    let mut connection = connect(draft.path(), OpenFlags::SQLITE_OPEN_READ_WRITE, deadline)?;
    connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        })
        .map_err(from_sqlite)?;
    let tx = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(from_sqlite)?;
    migrate::migrate_to(&tx, SCHEMA_VERSION)?;
    tx.execute(
        "INSERT INTO trueup_meta (key, value) VALUES ('lineage', ?1)",
        [uuid::Uuid::new_v4().to_string()],
    )
    .map_err(from_sqlite)?;
    tx.commit().map_err(from_sqlite)?;
    // Closing the last connection moves the log into the file and removes it.
    connection
        .close()
        .map_err(|(_, error)| from_sqlite(error))?;
    set_log_aside(&place).map_err(unavailable)?;
    match draft.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unavailable(error.error)),
    }
}

pub(super) fn schema(path: &Path, deadline: Deadline) -> Result<SchemaStatus> {
    inspect(path)?;
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, deadline)
        .map_err(|error| named(path, error))?;
    migrate::status(&connection).map_err(|error| named(path, error))
}

pub(super) fn lineage(connection: &Connection) -> Result<Lineage> {
    connection
        .query_row(
            "SELECT value FROM trueup_meta WHERE key = 'lineage'",
            [],
            |row| row.get(0).map(Lineage),
        )
        .map_err(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => {
                StoreError::Corrupt("the database has no lineage".to_owned())
            }
            other => from_sqlite(other),
        })
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
