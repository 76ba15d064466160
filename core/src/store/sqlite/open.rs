//! Opening, creating, migrating, copying and checking the file.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior};

use super::connection::StoreConnection;
use super::kept_files::read_header;
use super::migrate;
use super::{SqliteEngine, set_journal_mode, write_queue};
use crate::deadline::Deadline;
use crate::fs::{PRIVATE_MODE, ResolvedPath, create_private_dir, set_mode};
use crate::model::Lineage;
use crate::store::{Result, SCHEMA_VERSION, SchemaStatus, StoreError};

pub(super) fn open_connection(
    path: &Path,
    flags: OpenFlags,
    deadline: Deadline,
) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(deadline.remaining())?;
    // Through the interface and not by PRAGMA, which would have to be parsed.
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        // Without it a statement is prepared again each time it is bound to other values; no plan
        // here depends on values.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
    ] {
        connection.set_db_config(setting, on)?;
    }
    Ok(connection)
}

fn with_path(path: &Path, error: StoreError) -> StoreError {
    let prefixed = |text: String| format!("{}: {text}", path.display());
    match error {
        StoreError::Corrupt { message, source } => {
            StoreError::Corrupt { message: prefixed(message), source }
        }
        // SQLite reports a disk without room for its shared memory as an input or output error.
        StoreError::Unavailable { message, source } => StoreError::Unavailable {
            message: prefixed(if is_full(path) {
                format!("{message}; the disk is full")
            } else {
                message
            }),
            source,
        },
        other => other,
    }
}

/// The room that opening a database needs, in bytes: SQLite's shared memory, and a little more.
const MIN_FREE_BYTES: u64 = 64 * 1024;

fn is_full(path: &Path) -> bool {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    crate::fs::available_space(folder).is_ok_and(|room| room < MIN_FREE_BYTES)
}

/// Refuses a file that cannot be opened as a database, before SQLite could change it.
pub(super) fn check_is_database(path: &Path) -> Result<()> {
    let problem = match classify_file(path)? {
        DatabaseFileKind::Database => return Ok(()),
        DatabaseFileKind::Missing => return Err(StoreError::Missing(path.display().to_string())),
        DatabaseFileKind::HardLinked => return Err(hard_link_error(path)),
        DatabaseFileKind::Damaged => "the database file is damaged or not a database",
        DatabaseFileKind::Foreign => "the file is a database of another program",
    };
    Err(StoreError::corrupt(format!("{}: {problem}", path.display())))
}

/// The kind of file at the path of the database, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DatabaseFileKind {
    /// There is no file.
    Missing,
    /// A database of trueup's.
    Database,
    /// A database of trueup's that has a second name by a hard link.
    HardLinked,
    /// A database of another program.
    Foreign,
    /// Not a database. SQLite takes an empty file for a new database, but one of trueup's is never
    /// empty.
    Damaged,
}

/// Classifies the file at a path.
///
/// # Errors
///
/// When it cannot be read or is not a file.
pub(super) fn classify_file(path: &Path) -> Result<DatabaseFileKind> {
    let unreadable =
        |error: std::io::Error| StoreError::unavailable(format!("{}: {error}", path.display()));
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(DatabaseFileKind::Missing),
        Err(error) => Err(unreadable(error)),
        Ok(data) if !data.is_file() => {
            Err(StoreError::corrupt(format!("{}: not a file", path.display())))
        }
        Ok(data) => match classify_header(path).map_err(unreadable)? {
            DatabaseFileKind::Database if has_other_names(&data) => {
                Ok(DatabaseFileKind::HardLinked)
            }
            other => Ok(other),
        },
    }
}

/// The error for a file with a second name, under which SQLite would keep a second log.
pub(super) fn hard_link_error(path: &Path) -> StoreError {
    StoreError::unavailable(format!(
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

/// Whether two paths lead to one file, also by a hard link.
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

/// The bytes with which every SQLite file starts.
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The bytes of the header that name the application which created the file.
const APPLICATION_ID_RANGE: std::ops::Range<usize> = 68..72;

/// Classifies a file by its header. The application's id is written once, when a database is
/// created, so unlike the version it is never newer in the log; reading it here saves every
/// process a statement.
fn classify_header(path: &Path) -> std::io::Result<DatabaseFileKind> {
    let mut header = [0; APPLICATION_ID_RANGE.end];
    Ok(match read_header(path, &mut header) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => DatabaseFileKind::Damaged,
        Err(error) => return Err(error),
        Ok(()) if !header.starts_with(SQLITE_MAGIC) => DatabaseFileKind::Damaged,
        Ok(()) if header[APPLICATION_ID_RANGE] != migrate::APPLICATION_ID.to_be_bytes() => {
            DatabaseFileKind::Foreign
        }
        Ok(()) => DatabaseFileKind::Database,
    })
}

/// Whether another process has the database open.
#[cfg(target_os = "linux")]
pub(super) fn is_open_elsewhere(database: &Path) -> bool {
    super::open_elsewhere::is_open_elsewhere(database)
}

/// On other systems open files of other processes are not known.
#[cfg(not(target_os = "linux"))]
pub(super) const fn is_open_elsewhere(_: &Path) -> bool {
    false
}

/// Returns the name after which SQLite, which resolves links itself, names its log.
fn resolve_open_path(connection: &Connection, path: &Path) -> ResolvedPath {
    match connection.path() {
        Some(name) if !name.is_empty() => ResolvedPath::from_resolved(name.into()),
        // A name that is not UTF-8.
        _ => ResolvedPath::resolve(path),
    }
}

pub(super) fn open_existing(path: &Path, deadline: Deadline) -> Result<SqliteEngine> {
    check_is_database(path)?;
    let connection = open_connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE, deadline)
        .map_err(|error| with_path(path, error))?;
    let database = resolve_open_path(&connection, path);
    let mut engine =
        SqliteEngine { connection: StoreConnection::new(connection, database), deadline };
    let version =
        migrate::read_schema_version(&engine.connection).map_err(|error| with_path(path, error))?;
    if version < SCHEMA_VERSION {
        let migrated = engine.run_write(|tx| migrate::migrate_to(tx, SCHEMA_VERSION));
        migrated.map_err(|error| with_path(path, error))?;
    }
    Ok(engine)
}

pub(super) fn open_or_create(path: &Path, deadline: Deadline) -> Result<SqliteEngine> {
    match open_existing(path, deadline) {
        Err(StoreError::Missing(_)) => {
            create_database(path, deadline).map_err(|error| with_path(path, error))?;
            open_existing(path, deadline)
        }
        other => other,
    }
}

/// The start of the names of databases that are being created.
const DRAFT_PREFIX: &str = ".new-database-";

/// Removes the drafts of killed processes. The caller holds the creation lock, so no other process
/// has a draft.
fn remove_drafts(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(DRAFT_PREFIX) {
            // Another process may have removed it.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Moves the log of a removed database out of the way: SQLite would replay it over the new one.
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

/// Creates the database under another name and renames it when it is complete, so that no process
/// ever sees half of one. Of several processes the first wins, and the others use its database.
fn create_database(path: &Path, deadline: Deadline) -> Result<()> {
    let unavailable = |error: std::io::Error| StoreError::unavailable(error.to_string());
    // Behind a link without a target, the database is created at the target.
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
    let draft =
        tempfile::Builder::new().prefix(DRAFT_PREFIX).tempfile_in(folder).map_err(unavailable)?;
    set_mode(draft.as_file(), PRIVATE_MODE).map_err(unavailable)?;
    let mut connection =
        open_connection(draft.path(), OpenFlags::SQLITE_OPEN_READ_WRITE, deadline)?;
    set_journal_mode(&connection, "WAL")?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    migrate::migrate_to(&tx, SCHEMA_VERSION)?;
    tx.execute(
        "INSERT INTO trueup_meta (key, value) VALUES ('lineage', ?1)",
        [uuid::Uuid::new_v4().to_string()],
    )?;
    tx.commit()?;
    // Closing the last connection moves the log into the file and removes it.
    connection.close().map_err(|(_, error)| error)?;
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
    let lineage = connection
        .query_row("SELECT value FROM trueup_meta WHERE key = 'lineage'", [], |row| {
            row.get(0).map(Lineage)
        })
        .optional()?;
    lineage.ok_or_else(|| StoreError::corrupt("the database has no lineage"))
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
