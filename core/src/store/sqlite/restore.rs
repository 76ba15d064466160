//! Putting a copy in the place of the database.
//!
//! Invariants: the copy is read, checked and brought to the present schema under another name
//! before anything is touched; what is replaced lies complete beside the database before that
//! changes; killed at any moment, the database is the old one or the new one. While another
//! process has the database open nothing is replaced.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::errors::from_sqlite;
use super::migrate::{self, SCHEMA_VERSION};
use super::open::{self, Contents};
use super::{SqliteStore, backup, integrity, turn};
use crate::deadline::Deadline;
use crate::files::{self, ResolvedPath};
use crate::model::{Lineage, Timestamp};
use crate::store::{Result, StoreError};

/// What putting a copy in place came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The database.
    pub path: PathBuf,
    /// Where what it replaced is now, when there was something.
    pub aside: Option<PathBuf>,
    /// Which database it is.
    pub lineage: Lineage,
    /// The schema that the copy had; the database has the present one.
    pub schema: i64,
}

/// How the names of folders with copies under inspection start.
const STAGE: &str = ".restore-";

/// Files that may lie beside a database and hold part of it.
const LOGS: [&str; 2] = ["-wal", "-journal"];

pub(super) fn restore(
    database: &Path,
    copy: &Path,
    now: Timestamp,
    deadline: Deadline,
) -> Result<Restored> {
    let (place, source) = (ResolvedPath::of(database), ResolvedPath::of(copy));
    if open::is_same_file(place.as_path(), source.as_path()) {
        let text = format!("{} is the database itself", copy.display());
        return Err(StoreError::Invalid(text));
    }
    files::private_dir(place.folder()).map_err(|error| unwritable(&error))?;
    let turn = turn::alone(&place, deadline);
    if turn.is_some() {
        remove_stages(place.folder());
    }
    let stage = tempfile::Builder::new()
        .prefix(STAGE)
        .tempdir_in(place.folder())
        .map_err(|error| unwritable(&error))?;
    let staged = stage.path().join("database");
    let (lineage, schema) =
        inspect_copy(&source, &staged, deadline).map_err(|error| unusable(copy, error))?;
    let name = place.beside(&format!(".replaced-{}", now.compact()));
    let aside = put_in_place(&place, &staged, name, deadline)?;
    let result = open::existing(place.as_path(), deadline)?.check()?;
    if !result.is_empty() {
        let text = format!("{}: {}", place.as_path().display(), result.join("; "));
        return Err(StoreError::Corrupt(text));
    }
    Ok(Restored {
        path: place.as_path().to_owned(),
        aside,
        lineage,
        schema,
    })
}

fn unwritable(error: &io::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

fn unusable(copy: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Contended(text) => StoreError::Contended(text),
        other => StoreError::CopyUnusable(format!("{}: {other}", copy.display())),
    }
}

/// Removes what killed restorations left.
fn remove_stages(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(STAGE) {
            // Gone already is as good.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Copies the copy with what lies beside it, so that reading it changes nothing of the user's,
/// and makes a complete database of the present schema of it.
fn inspect_copy(
    source: &ResolvedPath,
    staged: &Path,
    deadline: Deadline,
) -> Result<(Lineage, i64)> {
    if open::contents(source.as_path())? != Contents::Linked {
        open::inspect(source.as_path())?;
    }
    if open::is_open_elsewhere(source.as_path()) {
        let text = "another process has it open; use trueup db backup to copy it";
        return Err(StoreError::Invalid(text.to_owned()));
    }
    copy_file(source.as_path(), staged).map_err(|error| unwritable(&error))?;
    for ending in LOGS {
        match copy_file(&source.beside(ending), &with_ending(staged, ending)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(unwritable(&error)),
            _ => {}
        }
    }
    let mut connection = open::connect(staged, OpenFlags::SQLITE_OPEN_READ_WRITE, deadline)?;
    let schema = migrate::version(&connection)?;
    refuse_damage(&connection)?;
    let lineage = open::lineage(&connection)?;
    connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        })
        .map_err(from_sqlite)?;
    if schema < SCHEMA_VERSION {
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(from_sqlite)?;
        migrate::migrate_to(&tx, SCHEMA_VERSION)?;
        tx.commit().map_err(from_sqlite)?;
        refuse_damage(&connection)?;
    }
    // Closing the last connection moves the log into the file and removes it.
    connection
        .close()
        .map_err(|(_, error)| from_sqlite(error))?;
    files::open(staged, false)
        .and_then(|(file, _)| file.sync_all())
        .map_err(|error| unwritable(&error))?;
    Ok((lineage, schema))
}

fn refuse_damage(connection: &Connection) -> Result<()> {
    match integrity::check(connection)? {
        wrong if wrong.is_empty() => Ok(()),
        wrong => Err(StoreError::Corrupt(format!(
            "damaged: {}",
            wrong.join("; ")
        ))),
    }
}

/// Copies a regular file into a new private one.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let (mut source, _) = files::open(from, true)?;
    let mut target = files::create_new(to, files::PRIVATE)?;
    io::copy(&mut source, &mut target)?;
    target.sync_all()?;
    // Closing a database's file drops the locks that the engine holds on it in this process.
    std::mem::forget(source);
    Ok(())
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Puts the staged database in its place; returns where the one before it is now.
fn put_in_place(
    place: &ResolvedPath,
    staged: &Path,
    aside: PathBuf,
    deadline: Deadline,
) -> Result<Option<PathBuf>> {
    match open::contents(place.as_path())? {
        Contents::Missing => {
            open::set_log_aside(place).map_err(|error| unwritable(&error))?;
            rename_new(staged, place)?;
            return Ok(None);
        }
        Contents::Database => match overwrite(place, staged, &aside, deadline) {
            // Too damaged to be written to as a database, or to be read as one.
            Err(StoreError::Corrupt(_) | StoreError::Unavailable(_)) => {}
            other => return other.map(|()| Some(aside)),
        },
        Contents::Damaged => {}
        Contents::Linked => return Err(open::linked(place.as_path())),
        Contents::Foreign => {
            return Err(StoreError::Corrupt(format!(
                "{}: the file is a database of another program; move it away first",
                place.as_path().display()
            )));
        }
    }
    replace(place, staged, &aside)?;
    Ok(Some(aside))
}

/// Writes the staged pages over those of the database, as one transaction of the engine with
/// nobody else let in: no process is left with a file that has lost its name, and a kill leaves
/// what the log says.
fn overwrite(place: &ResolvedPath, staged: &Path, aside: &Path, deadline: Deadline) -> Result<()> {
    let mut connection =
        open::connect(place.as_path(), OpenFlags::SQLITE_OPEN_READ_WRITE, deadline)?;
    connection
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
        .map_err(from_sqlite)
        .map_err(|error| in_use(place, error))?;
    let drafts = staged.parent().unwrap_or_else(|| place.folder());
    backup::copy(&connection, aside, drafts, |_| Ok(()))?;
    let new = open::connect(staged, OpenFlags::SQLITE_OPEN_READ_ONLY, deadline)?;
    backup::copy_pages(&new, &mut connection)?;
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .map_err(from_sqlite)?;
    // Nobody else has it: the index of the old log is of no use to anybody.
    let _ = fs::remove_file(place.beside("-shm"));
    connection.close().map_err(|(_, error)| from_sqlite(error))
}

/// Says that others have the database open.
fn in_use(place: &ResolvedPath, error: StoreError) -> StoreError {
    match error {
        StoreError::Contended(_) => StoreError::InUse(place.as_path().display().to_string()),
        other => other,
    }
}

/// Puts the staged file in the place of one that is no usable database. The log of that one goes
/// before the new file gets the name: the engine would play it back over the new one.
fn replace(place: &ResolvedPath, staged: &Path, aside: &Path) -> Result<()> {
    if open::is_open_elsewhere(place.as_path()) {
        return Err(StoreError::InUse(place.as_path().display().to_string()));
    }
    // What an attempt to copy it as a database left.
    let _ = fs::remove_file(aside);
    copy_file(place.as_path(), aside).map_err(|error| unwritable(&error))?;
    for ending in LOGS {
        match copy_file(&place.beside(ending), &with_ending(aside, ending)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(unwritable(&error)),
            _ => {}
        }
    }
    files::sync_dir(place.folder()).map_err(|error| unwritable(&error))?;
    for ending in LOGS.into_iter().chain(["-shm"]) {
        match fs::remove_file(place.beside(ending)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(unwritable(&error)),
            _ => {}
        }
    }
    fs::rename(staged, place.as_path()).map_err(|error| unwritable(&error))?;
    files::sync_dir(place.folder()).map_err(|error| unwritable(&error))
}

/// Gives the staged file a name that nothing has.
fn rename_new(staged: &Path, place: &ResolvedPath) -> Result<()> {
    let draft = tempfile::TempPath::try_from_path(staged).map_err(|error| unwritable(&error))?;
    match draft.persist_noclobber(place.as_path()) {
        Ok(()) => files::sync_dir(place.folder()).map_err(|error| unwritable(&error)),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
            Err(StoreError::InUse(place.as_path().display().to_string()))
        }
        Err(error) => Err(unwritable(&error.error)),
    }
}

impl SqliteStore {
    /// Puts a copy in the place of a database, which may be missing or damaged.
    ///
    /// # Errors
    ///
    /// [`StoreError::CopyUnusable`] when the copy is missing, damaged, not trueup's or newer than
    /// this program; [`StoreError::InUse`] when others have the database open until the deadline.
    /// Then the database is as it was.
    pub fn restore(
        database: &Path,
        copy: &Path,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Restored> {
        restore(database, copy, now, deadline)
    }
}
