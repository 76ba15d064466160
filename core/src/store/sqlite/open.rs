//! Opening, creating, migrating, copying and checking the file.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::connection::StoreConnection;
use super::errors::from_sqlite;
use super::migrate::{self, SCHEMA_VERSION, SchemaStatus};
use super::{SqliteStore, write_queue};
use crate::deadline::Deadline;
use crate::fs::{PRIVATE_MODE, ResolvedPath, create_private_dir, open_for_reading, set_mode};
use crate::model::Lineage;
use crate::store::{Result, StoreError};

pub(super) fn open_connection(
    path: &Path,
    flags: OpenFlags,
    deadline: Deadline,
) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(from_sqlite)?;
    connection
        .busy_timeout(deadline.remaining())
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

fn with_path(path: &Path, error: StoreError) -> StoreError {
    let prefixed = |text: String| format!("{}: {text}", path.display());
    match error {
        StoreError::Corrupt(text) => StoreError::Corrupt(prefixed(text)),
        // SQLite calls a disk without room for its shared memory an input or output error.
        StoreError::Unavailable(text) if is_full(path) => {
            StoreError::Unavailable(prefixed(format!("{text}; the disk is full")))
        }
        StoreError::Unavailable(text) => StoreError::Unavailable(prefixed(text)),
        other => other,
    }
}

/// Room a database needs to be opened, in bytes: SQLite's shared memory, and a little.
const MIN_FREE_BYTES: u64 = 64 * 1024;

fn is_full(path: &Path) -> bool {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    crate::fs::available_space(folder).is_ok_and(|room| room < MIN_FREE_BYTES)
}

/// Refuses what cannot be opened as a database before SQLite could touch it.
pub(super) fn check_is_database(path: &Path) -> Result<()> {
    let problem = match classify_file(path)? {
        DatabaseFileKind::Database => return Ok(()),
        DatabaseFileKind::Missing => return Err(StoreError::Missing(path.display().to_string())),
        DatabaseFileKind::HardLinked => return Err(hard_link_error(path)),
        DatabaseFileKind::Damaged => "the database file is damaged or not a database",
        DatabaseFileKind::Foreign => "the file is a database of another program",
    };
    Err(StoreError::Corrupt(format!(
        "{}: {problem}",
        path.display()
    )))
}

/// What lies where the database belongs, as far as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DatabaseFileKind {
    /// Nothing.
    Missing,
    /// A database of trueup's.
    Database,
    /// A database of trueup's that has a second name by a hard link.
    HardLinked,
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
pub(super) fn classify_file(path: &Path) -> Result<DatabaseFileKind> {
    let unreadable =
        |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", path.display()));
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(DatabaseFileKind::Missing),
        Err(error) => Err(unreadable(error)),
        Ok(data) if !data.is_file() => Err(StoreError::Corrupt(format!(
            "{}: not a file",
            path.display()
        ))),
        Ok(data) => match classify_header(path).map_err(unreadable)? {
            DatabaseFileKind::Database if has_other_names(&data) => {
                Ok(DatabaseFileKind::HardLinked)
            }
            other => Ok(other),
        },
    }
}

/// Says that a file has a second name, under which the engine would keep a second log.
pub(super) fn hard_link_error(path: &Path) -> StoreError {
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
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Where the header names the application that made the file.
const APPLICATION_ID_RANGE: std::ops::Range<usize> = 68..72;

/// Tells files of others apart by their header. The application's id is written once, when a
/// database is made, so unlike the version it is never newer in the log; reading it here
/// spares every process a statement.
fn classify_header(path: &Path) -> std::io::Result<DatabaseFileKind> {
    let mut header = [0; APPLICATION_ID_RANGE.end];
    let read = open_for_reading(path, true).and_then(|(mut file, _)| file.read_exact(&mut header));
    Ok(match read {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => DatabaseFileKind::Damaged,
        Err(error) => return Err(error),
        Ok(()) if !header.starts_with(SQLITE_MAGIC) => DatabaseFileKind::Damaged,
        Ok(()) if header[APPLICATION_ID_RANGE] != migrate::APPLICATION_ID.to_be_bytes() => {
            DatabaseFileKind::Foreign
        }
        Ok(()) => DatabaseFileKind::Database,
    })
}

/// Tells whether another process has the database open.
#[cfg(target_os = "linux")]
pub(super) fn is_open_elsewhere(database: &Path) -> bool {
    super::open_elsewhere::is_open_elsewhere(database)
}

/// Elsewhere nobody can be asked.
#[cfg(not(target_os = "linux"))]
pub(super) const fn is_open_elsewhere(_: &Path) -> bool {
    false
}

/// Returns the name after which the engine names its log and the index of that: it resolves
/// links itself.
fn resolve_open_path(connection: &Connection, path: &Path) -> ResolvedPath {
    match connection.path() {
        Some(name) if !name.is_empty() => ResolvedPath::from_resolved(name.into()),
        // A name that is no UTF-8.
        _ => ResolvedPath::resolve(path),
    }
}

pub(super) fn open_existing(path: &Path, deadline: Deadline) -> Result<SqliteStore> {
    check_is_database(path)?;
    let connection = open_connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE, deadline)
        .map_err(|error| with_path(path, error))?;
    let database = resolve_open_path(&connection, path);
    let mut store = SqliteStore {
        connection: StoreConnection::new(connection, database),
        deadline,
    };
    let version =
        migrate::read_schema_version(&store.connection).map_err(|error| with_path(path, error))?;
    if version < SCHEMA_VERSION {
        let migrated = store.run_write(|tx| migrate::migrate_to(tx, SCHEMA_VERSION));
        migrated.map_err(|error| with_path(path, error))?;
    }
    Ok(store)
}

pub(super) fn open_or_create(path: &Path, deadline: Deadline) -> Result<SqliteStore> {
    match open_existing(path, deadline) {
        Err(StoreError::Missing(_)) => {
            create_database(path, deadline).map_err(|error| with_path(path, error))?;
            open_existing(path, deadline)
        }
        other => other,
    }
}

/// How the names of databases under construction start.
const DRAFT_PREFIX: &str = ".new-database-";

/// Removes what killed creators left; who has the turn is the only one that creates.
fn remove_drafts(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(DRAFT_PREFIX)
        {
            // Gone already is as good.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Moves the log of a database that is gone out of the way: SQLite would play it back over
/// the new one.
pub(super) fn move_wal_aside(database: &ResolvedPath) -> std::io::Result<()> {
    for end in ["-wal", "-shm"] {
        let orphan = format!("{end}.orphan-{}", uuid::Uuid::now_v7().simple());
        match fs::rename(database.with_suffix(end), database.with_suffix(&orphan)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Makes the database complete under another name and then gives it its own, so that no
/// process ever sees half of one. Of several at once the first wins and the others use it.
fn create_database(path: &Path, deadline: Deadline) -> Result<()> {
    let unavailable = |error: std::io::Error| StoreError::Unavailable(error.to_string());
    // Behind a link that leads nowhere yet, the database is made where the link leads.
    let resolved = ResolvedPath::resolve(path);
    let (path, folder) = (resolved.as_path(), resolved.parent_dir());
    create_private_dir(folder).map_err(unavailable)?;
    let creation_lock = write_queue::lock_for_creation(&resolved, deadline);
    if path.exists() {
        return Ok(());
    }
    if creation_lock.is_some() {
        remove_drafts(folder);
    }
    let draft = tempfile::Builder::new()
        .prefix(DRAFT_PREFIX)
        .tempfile_in(folder)
        .map_err(unavailable)?;
    set_mode(draft.as_file(), PRIVATE_MODE).map_err(unavailable)?;
    let mut connection =
        open_connection(draft.path(), OpenFlags::SQLITE_OPEN_READ_WRITE, deadline)?;
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
    move_wal_aside(&resolved).map_err(unavailable)?;
    match draft.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unavailable(error.error)),
    }
}

pub(super) fn read_schema_status(path: &Path, deadline: Deadline) -> Result<SchemaStatus> {
    check_is_database(path)?;
    let connection = open_connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE, deadline)
        .map_err(|error| with_path(path, error))?;
    migrate::load_schema_status(&connection).map_err(|error| with_path(path, error))
}

pub(super) fn load_lineage(connection: &Connection) -> Result<Lineage> {
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
