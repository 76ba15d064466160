//! Restoring the database from a copy.
//!
//! Invariants: the copy is read, checked and migrated to the present schema under another name
//! before anything is changed; a complete copy of the replaced database lies beside it before it
//! changes; a process that is killed at any moment leaves the old database or the new one. While
//! another process has the database open, nothing is replaced.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::migrate;
use super::open::{self, DatabaseFileKind};
use super::{SqliteStore, backup, integrity, set_journal_mode, write_queue};
use crate::deadline::Deadline;
use crate::fs::{
    PRIVATE_MODE, ResolvedPath, create_new, create_private_dir, open_for_reading, sync_dir,
};
use crate::model::{Lineage, Timestamp};
use crate::store::SCHEMA_VERSION;
use crate::store::{Result, StoreError};

/// A database that was restored from a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoredDatabase {
    /// The database.
    pub path: PathBuf,
    /// The path of the replaced database, where there was one.
    pub replaced_path: Option<PathBuf>,
    /// The lineage of the database.
    pub lineage: Lineage,
    /// The schema of the copy; the database has the present one.
    pub schema: i64,
}

/// The start of the names of folders with staged copies.
const STAGE_PREFIX: &str = ".restore-";

/// Files that may lie beside a database and hold part of it.
const LOGS: [&str; 2] = ["-wal", "-journal"];

pub(super) fn restore_database(
    database: &Path,
    copy: &Path,
    now: Timestamp,
    deadline: Deadline,
) -> Result<RestoredDatabase> {
    let (target, source) = (ResolvedPath::resolve(database), ResolvedPath::resolve(copy));
    if open::is_same_file(target.as_path(), source.as_path()) {
        let text = format!("{} is the database itself", copy.display());
        return Err(StoreError::invalid(text));
    }
    create_private_dir(target.parent_dir()).map_err(|error| unwritable_error(&error))?;
    let creation_lock = write_queue::lock_for_creation(&target, deadline);
    if creation_lock.is_some() {
        remove_stage_folders(target.parent_dir());
    }
    let stage = tempfile::Builder::new()
        .prefix(STAGE_PREFIX)
        .tempdir_in(target.parent_dir())
        .map_err(|error| unwritable_error(&error))?;
    let staged = stage.path().join("database");
    let (lineage, schema) =
        stage_copy(&source, &staged, deadline).map_err(|error| unusable_copy_error(copy, error))?;
    let replaced_path = target.with_suffix(&format!(".replaced-{}", now.to_compact_text()));
    let replaced_path = install_staged(&target, &staged, replaced_path, deadline)?;
    let problems = SqliteStore::open(target.as_path(), deadline)?.check_integrity()?;
    if !problems.is_empty() {
        let text = format!("{}: {}", target.as_path().display(), problems.join("; "));
        return Err(StoreError::corrupt(text));
    }
    Ok(RestoredDatabase { path: target.as_path().to_owned(), replaced_path, lineage, schema })
}

fn unwritable_error(error: &io::Error) -> StoreError {
    StoreError::unavailable(error.to_string())
}

fn unusable_copy_error(copy: &Path, error: StoreError) -> StoreError {
    match error {
        contended @ StoreError::Contended { .. } => contended,
        // These name the file themselves.
        missing @ StoreError::Missing(_) => StoreError::CopyUnusable(missing.to_string()),
        other => StoreError::CopyUnusable(format!("{}: {other}", copy.display())),
    }
}

/// Removes the folders that killed restorations left.
fn remove_stage_folders(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(STAGE_PREFIX) {
            // Another process may have removed it.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Stages the copy with the files beside it, so that opening it changes none of the user's files,
/// and migrates it to the present schema.
fn stage_copy(source: &ResolvedPath, staged: &Path, deadline: Deadline) -> Result<(Lineage, i64)> {
    if open::classify_file(source.as_path())? != DatabaseFileKind::HardLinked {
        open::check_is_database(source.as_path())?;
    }
    if open::is_open_elsewhere(source.as_path()) {
        let text = "another process has it open; use trueup db backup to copy it";
        return Err(StoreError::invalid(text.to_owned()));
    }
    copy_file(source.as_path(), staged).map_err(|error| unwritable_error(&error))?;
    for ending in LOGS {
        match copy_file(&source.with_suffix(ending), &append_extension(staged, ending)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(unwritable_error(&error));
            }
            _ => {}
        }
    }
    let mut connection =
        open::open_connection(staged, OpenFlags::SQLITE_OPEN_READ_WRITE, deadline)?;
    let schema = migrate::read_schema_version(&connection)?;
    check_undamaged(&connection)?;
    let lineage = open::load_lineage(&connection)?;
    set_journal_mode(&connection, "WAL")?;
    if schema < SCHEMA_VERSION {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        migrate::migrate_to(&tx, SCHEMA_VERSION)?;
        tx.commit()?;
        check_undamaged(&connection)?;
    }
    // Closing the last connection moves the log into the file and removes it.
    connection.close().map_err(|(_, error)| error)?;
    open_for_reading(staged, false)
        .and_then(|(file, _)| file.sync_all())
        .map_err(|error| unwritable_error(&error))?;
    Ok((lineage, schema))
}

fn check_undamaged(connection: &Connection) -> Result<()> {
    match integrity::check_integrity(connection)? {
        wrong if wrong.is_empty() => Ok(()),
        wrong => Err(StoreError::corrupt(format!("damaged: {}", wrong.join("; ")))),
    }
}

/// Copies a regular file into a new private one.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let (mut source, _) = open_for_reading(from, true)?;
    let mut target = create_new(to, PRIVATE_MODE)?;
    io::copy(&mut source, &mut target)?;
    target.sync_all()?;
    // Closing a database's file drops the locks that the engine holds on it in this process.
    std::mem::forget(source);
    Ok(())
}

fn append_extension(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Puts the staged database in its place; returns the path of the database it replaced.
fn install_staged(
    target: &ResolvedPath,
    staged: &Path,
    replaced_path: PathBuf,
    deadline: Deadline,
) -> Result<Option<PathBuf>> {
    match open::classify_file(target.as_path())? {
        DatabaseFileKind::Missing => {
            open::move_wal_aside(target).map_err(|error| unwritable_error(&error))?;
            rename_to_unused(staged, target)?;
            return Ok(None);
        }
        DatabaseFileKind::Database => {
            match overwrite_pages(target, staged, &replaced_path, deadline) {
                // Too damaged to be written to as a database, or to be read as one.
                Err(StoreError::Corrupt { .. } | StoreError::Unavailable { .. }) => {}
                other => return other.map(|()| Some(replaced_path)),
            }
        }
        DatabaseFileKind::Damaged => {}
        DatabaseFileKind::HardLinked => return Err(open::hard_link_error(target.as_path())),
        DatabaseFileKind::Foreign => {
            return Err(StoreError::corrupt(format!(
                "{}: the file is a database of another program; move it away first",
                target.as_path().display()
            )));
        }
    }
    replace_file(target, staged, &replaced_path)?;
    Ok(Some(replaced_path))
}

/// Writes the staged pages over those of the database, as one transaction of SQLite that excludes
/// all other processes: no process keeps a file that has lost its name, and after a kill the log
/// decides.
fn overwrite_pages(
    target: &ResolvedPath,
    staged: &Path,
    replaced_path: &Path,
    deadline: Deadline,
) -> Result<()> {
    let mut connection =
        open::open_connection(target.as_path(), OpenFlags::SQLITE_OPEN_READ_WRITE, deadline)?;
    connection
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
        .map_err(|error| in_use_error(target, error.into()))?;
    let drafts = staged.parent().unwrap_or_else(|| target.parent_dir());
    backup::copy_database(&connection, replaced_path, drafts, |_| Ok(()))?;
    let new = open::open_connection(staged, OpenFlags::SQLITE_OPEN_READ_ONLY, deadline)?;
    backup::copy_pages(&new, &mut connection)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    // No other process has it open, so no process needs the index of the old log.
    let _ = fs::remove_file(target.with_suffix("-shm"));
    Ok(connection.close().map_err(|(_, error)| error)?)
}

/// The error for a database that other processes have open.
fn in_use_error(target: &ResolvedPath, error: StoreError) -> StoreError {
    match error {
        StoreError::Contended { .. } => StoreError::InUse(target.as_path().display().to_string()),
        other => other,
    }
}

/// Puts the staged file in the place of an unusable database. The log of the old file is removed
/// before the new file gets the name: SQLite would replay it over the new one.
fn replace_file(target: &ResolvedPath, staged: &Path, replaced_path: &Path) -> Result<()> {
    if open::is_open_elsewhere(target.as_path()) {
        return Err(StoreError::InUse(target.as_path().display().to_string()));
    }
    // An attempt to copy it as a database may have left this file.
    let _ = fs::remove_file(replaced_path);
    copy_file(target.as_path(), replaced_path).map_err(|error| unwritable_error(&error))?;
    for ending in LOGS {
        match copy_file(&target.with_suffix(ending), &append_extension(replaced_path, ending)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(unwritable_error(&error));
            }
            _ => {}
        }
    }
    sync_dir(target.parent_dir()).map_err(|error| unwritable_error(&error))?;
    for ending in LOGS.into_iter().chain(["-shm"]) {
        match fs::remove_file(target.with_suffix(ending)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(unwritable_error(&error));
            }
            _ => {}
        }
    }
    fs::rename(staged, target.as_path()).map_err(|error| unwritable_error(&error))?;
    sync_dir(target.parent_dir()).map_err(|error| unwritable_error(&error))
}

/// Gives the staged file a name that is free.
fn rename_to_unused(staged: &Path, target: &ResolvedPath) -> Result<()> {
    let draft =
        tempfile::TempPath::try_from_path(staged).map_err(|error| unwritable_error(&error))?;
    match draft.persist_noclobber(target.as_path()) {
        Ok(()) => sync_dir(target.parent_dir()).map_err(|error| unwritable_error(&error)),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
            Err(StoreError::InUse(target.as_path().display().to_string()))
        }
        Err(error) => Err(unwritable_error(&error.error)),
    }
}

impl SqliteStore {
    /// Restores a database, which may be missing or damaged, from a copy.
    ///
    /// # Errors
    ///
    /// [`StoreError::CopyUnusable`] when the copy is missing, damaged, not trueup's or newer than
    /// this program; [`StoreError::InUse`] when other processes have the database open until the deadline.
    /// Then the database is as it was.
    pub fn restore(
        database: &Path,
        copy: &Path,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<RestoredDatabase> {
        restore_database(database, copy, now, deadline)
    }
}
