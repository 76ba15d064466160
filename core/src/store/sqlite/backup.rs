//! Copying the database into a new file.

use std::io::ErrorKind;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::{integrity, set_journal_mode};
use crate::fs::{NewFile, ResolvedPath};
use crate::store::{Result, StoreError};

/// Pages copied in one step; other processes may write between two steps.
const PAGES_PER_STEP: std::ffi::c_int = 256;

/// Copies all pages of one database over another, as one change: a process that has the target
/// open sees the old content or the new one.
pub(super) fn copy_pages(from: &Connection, to: &mut Connection) -> Result<()> {
    let backup = Backup::new(from, to)?;
    Ok(backup.run_to_completion(PAGES_PER_STEP, std::time::Duration::ZERO, None)?)
}

/// Copies a database into a new file while other processes go on working, and reads the copy
/// back.
pub(super) fn back_up_database(connection: &Connection, target: &Path) -> Result<()> {
    let folder = ResolvedPath::resolve(target).parent_dir().to_owned();
    copy_database(connection, target, &folder, |copy| match integrity::check_integrity(copy)? {
        wrong if wrong.is_empty() => Ok(()),
        wrong => Err(StoreError::corrupt(format!("the backup is damaged: {}", wrong.join("; ")))),
    })
}

/// Copies a database into a new private file, which is on the disk when this returns. It is
/// written under another name in `draft_folder`, and gets its own once `approve` accepts it.
pub(super) fn copy_database(
    connection: &Connection,
    target: &Path,
    draft_folder: &Path,
    approve: impl FnOnce(&Connection) -> Result<()>,
) -> Result<()> {
    // The kind alone: the error's own text names the draft, which means nothing to the caller.
    let unwritable = |error: std::io::Error| {
        StoreError::CopyUnwritable(format!("{}: {}", target.display(), error.kind()))
    };
    let draft = NewFile::create_in(draft_folder, target).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let text = format!("{} exists; a backup never replaces a file", target.display());
            StoreError::invalid(text)
        }
        _ => unwritable(error),
    })?;
    let mut copy = Connection::open(draft.draft_path())?;
    copy_pages(connection, &mut copy)?;
    // A backup is one file: no log beside it.
    set_journal_mode(&copy, "DELETE")?;
    approve(&copy)?;
    copy.close().map_err(|(_, error)| error)?;
    draft.persist().map_err(unwritable)
}
