//! Copying the database into a new file.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::errors::from_sqlite;
use super::integrity;
use crate::fs::{PRIVATE_MODE, ResolvedPath, set_mode, sync_dir};
use crate::store::{Result, StoreError};

/// Pages copied between two looks at whether others wait.
const PAGES_PER_STEP: std::ffi::c_int = 256;

/// Copies all pages of one database over another, as one change: whoever has that one open sees
/// the old or the new.
pub(super) fn copy_pages(from: &Connection, to: &mut Connection) -> Result<()> {
    Backup::new(from, to)
        .and_then(|backup| {
            backup.run_to_completion(PAGES_PER_STEP, std::time::Duration::ZERO, None)
        })
        .map_err(from_sqlite)
}

/// Copies a database into a new file while others go on working, and reads the copy back.
pub(super) fn back_up_database(connection: &Connection, target: &Path) -> Result<()> {
    let folder = ResolvedPath::resolve(target).parent_dir().to_owned();
    copy_database(
        connection,
        target,
        &folder,
        |copy| match integrity::check_integrity(copy)? {
            wrong if wrong.is_empty() => Ok(()),
            wrong => Err(StoreError::Corrupt(format!(
                "the backup is damaged: {}",
                wrong.join("; ")
            ))),
        },
    )
}

/// Copies a database into a new file, private and on the disk when this returns. It is written
/// under another name in `drafts`; `approve` says whether it may have its own.
pub(super) fn copy_database(
    connection: &Connection,
    target: &Path,
    draft_folder: &Path,
    approve: impl FnOnce(&Connection) -> Result<()>,
) -> Result<()> {
    // The kind alone: the error's own text names the draft, which nobody asked for.
    let unwritable = |error: std::io::Error| {
        StoreError::CopyUnwritable(format!("{}: {}", target.display(), error.kind()))
    };
    // A link that leads nowhere is a name that is taken, too.
    if fs::symlink_metadata(target).is_ok() {
        return Err(StoreError::Invalid(format!(
            "{} exists; a backup never replaces a file",
            target.display()
        )));
    }
    let target = ResolvedPath::resolve(target);
    let draft = tempfile::Builder::new()
        .prefix(".backup-")
        .tempfile_in(draft_folder)
        .map_err(unwritable)?;
    set_mode(draft.as_file(), PRIVATE_MODE).map_err(unwritable)?;
    let mut copy = Connection::open(draft.path()).map_err(from_sqlite)?;
    copy_pages(connection, &mut copy)?;
    // A backup is one file: no log beside it.
    copy.query_row("PRAGMA journal_mode = DELETE", [], |row| {
        row.get::<_, String>(0)
    })
    .map_err(from_sqlite)?;
    approve(&copy)?;
    copy.close().map_err(|(_, error)| from_sqlite(error))?;
    draft.as_file().sync_all().map_err(unwritable)?;
    draft
        .persist_noclobber(target.as_path())
        .map_err(|error| unwritable(error.error))?;
    sync_dir(target.parent_dir()).map_err(unwritable)
}
