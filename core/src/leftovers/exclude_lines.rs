//! Lines in the `info/exclude` of a git directory.

use std::path::Path;

use super::{Removal, remove_file};
use crate::bounds::EXCLUDE;
use crate::cache::EXCLUDE_PATTERNS;
use crate::fs::{ChangeError, WriteOutcome, read_bytes, replace_if_unchanged};

pub(super) fn is_left(path: &Path) -> bool {
    read_bytes(path, EXCLUDE.most, false).is_ok_and(|old| without_lines(&old) != old)
}

pub(super) fn remove_lines(path: &Path) -> Result<Option<Removal>, ChangeError> {
    let old = read_bytes(path, EXCLUDE.most, false)
        .map_err(|source| ChangeError::Io { path: path.to_owned(), source })?;
    let new = without_lines(&old);
    // git needs none.
    if new.is_empty() {
        return remove_file(path);
    }
    let written = replace_if_unchanged(path, &new, Some(&old), EXCLUDE.most)?;
    Ok((written != WriteOutcome::ChangedMeanwhile).then_some(Removal::Removed))
}

/// Returns a file without the lines that trueup writes.
fn without_lines(file: &[u8]) -> Vec<u8> {
    let is_ours = |line: &[u8]| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        EXCLUDE_PATTERNS.iter().any(|pattern| pattern.as_bytes() == line)
    };
    file.split_inclusive(|byte| *byte == b'\n')
        .filter(|line| !is_ours(line))
        .flatten()
        .copied()
        .collect()
}
