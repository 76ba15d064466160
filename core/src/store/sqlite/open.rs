//! Opening, creating, migrating, copying and checking the file.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::errors::from_sqlite;
use super::handle::Handle;
use super::migrate::{self, SCHEMA_VERSION, SchemaStatus};
use super::{SqliteStore, turn};
use crate::deadline::Deadline;
use crate::files;
use crate::model::Lineage;
use crate::store::{Result, StoreError};

fn connect(path: &Path, flags: OpenFlags, deadline: Deadline) -> Result<Connection> {
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
fn inspect(path: &Path) -> Result<()> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(StoreError::Missing(path.display().to_string()))
        }
        Err(error) => Err(StoreError::Unavailable(format!(
            "{}: {error}",
            path.display()
        ))),
        Ok(data) if !data.is_file() => Err(StoreError::Corrupt(format!(
            "{}: not a file",
            path.display()
        ))),
        // SQLite takes an empty file for a new database; a database of trueup's never is one.
        Ok(data) if data.len() == 0 => Err(StoreError::Corrupt(format!(
            "{}: the database file is empty",
            path.display()
        ))),
        Ok(_) => header(path),
    }
}

/// What every SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Where the header names the application that made the file.
const APPLICATION: std::ops::Range<usize> = 68..72;

/// Tells files of others apart by their header. The application's id is written once, when a
/// database is made, so unlike the version it is never newer in the log; reading it here
/// spares every process a statement.
fn header(path: &Path) -> Result<()> {
    let mut header = [0; APPLICATION.end];
    let read = files::open(path, true).and_then(|(mut file, _)| file.read_exact(&mut header));
    let wrong = match read {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            "the database file is damaged or no database"
        }
        Err(error) => {
            return Err(StoreError::Unavailable(format!(
                "{}: {error}",
                path.display()
            )));
        }
        Ok(()) if !header.starts_with(MAGIC) => "the database file is damaged or no database",
        Ok(()) if header[APPLICATION] != migrate::APPLICATION_ID.to_be_bytes() => {
            "the file is a database, but not one of trueup's"
        }
        Ok(()) => return Ok(()),
    };
    Err(StoreError::Corrupt(format!("{}: {wrong}", path.display())))
}

pub(super) fn existing(path: &Path, deadline: Deadline) -> Result<SqliteStore> {
    inspect(path)?;
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, deadline)
        .map_err(|error| named(path, error))?;
    let mut store = SqliteStore {
        connection: Handle::new(connection, path),
        path: path.to_owned(),
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
fn set_log_aside(path: &Path) -> std::io::Result<()> {
    for end in ["-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        let mut aside = name.clone();
        aside.push(format!(".orphan-{}", uuid::Uuid::now_v7().simple()));
        match fs::rename(&name, &aside) {
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
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    crate::settings::private_dir(folder).map_err(unavailable)?;
    let turn = turn::alone(path, deadline);
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
    set_log_aside(path).map_err(unavailable)?;
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

/// Pages copied between two looks at whether others wait.
const BACKUP_PAGES: std::ffi::c_int = 256;

pub(super) fn backup(connection: &Connection, target: &Path) -> Result<()> {
    // The kind alone: the error's own text names the draft, which nobody asked for.
    let unwritable = |error: std::io::Error| {
        StoreError::CopyUnwritable(format!("{}: {}", target.display(), error.kind()))
    };
    if target.exists() {
        return Err(StoreError::Invalid(format!(
            "{} exists; a backup never replaces a file",
            target.display()
        )));
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let draft = tempfile::Builder::new()
        .prefix(".backup-")
        .tempfile_in(folder)
        .map_err(unwritable)?;
    files::set_mode(draft.as_file(), files::PRIVATE).map_err(unwritable)?;
    let mut copy = Connection::open(draft.path()).map_err(from_sqlite)?;
    Backup::new(connection, &mut copy)
        .and_then(|backup| backup.run_to_completion(BACKUP_PAGES, std::time::Duration::ZERO, None))
        .map_err(from_sqlite)?;
    // A backup is one file: no log beside it.
    copy.query_row("PRAGMA journal_mode = DELETE", [], |row| {
        row.get::<_, String>(0)
    })
    .map_err(from_sqlite)?;
    // A copy that was not read back is a hope.
    let wrong = check(&copy)?;
    if !wrong.is_empty() {
        return Err(StoreError::Corrupt(format!(
            "the copy is damaged: {}",
            wrong.join("; ")
        )));
    }
    copy.close().map_err(|(_, error)| from_sqlite(error))?;
    draft
        .persist_noclobber(target)
        .map_err(|error| unwritable(error.error))?;
    Ok(())
}

pub(super) fn check(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection
        .prepare("PRAGMA quick_check")
        .map_err(from_sqlite)?;
    let lines: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}
