//! Copying the database into a new file.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::{integrity, set_journal_mode};
use crate::fs::{PRIVATE_MODE, ResolvedPath, set_mode, sync_dir};
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
    // A link without a target takes the name, too.
    if fs::symlink_metadata(target).is_ok() {
        return Err(StoreError::invalid(format!(
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
    let mut copy = Connection::open(draft.path())?;
    copy_pages(connection, &mut copy)?;
    // A backup is one file: no log beside it.
    set_journal_mode(&copy, "DELETE")?;
    approve(&copy)?;
    copy.close().map_err(|(_, error)| error)?;
    draft.as_file().sync_all().map_err(unwritable)?;
    draft.persist_noclobber(target.as_path()).map_err(|error| unwritable(error.error))?;
    sync_dir(target.parent_dir()).map_err(unwritable)
}
