//! The copies of other repositories' status files.

use std::path::Path;

use super::{Removal, remove_file};
use crate::fs::{ChangeError, is_symlink, read_bytes};
use crate::repo_state::{MAX_FILE_BYTES, has_only_sections, list_sections};

pub(super) fn is_left(path: &Path) -> bool {
    !path.parent().is_some_and(is_symlink)
        && read_bytes(path, MAX_FILE_BYTES, false)
            .is_ok_and(|file| !list_sections(&file).is_empty())
}

pub(super) fn remove_copies(path: &Path) -> Result<Option<Removal>, ChangeError> {
    let file = read_bytes(path, MAX_FILE_BYTES, false)
        .map_err(|source| ChangeError::Io { path: path.to_owned(), source })?;
    if !has_only_sections(&file) {
        let reason = "it has text besides the copies that trueup wrote".to_owned();
        return Ok(Some(Removal::Kept(reason)));
    }
    remove_file(path)
}
