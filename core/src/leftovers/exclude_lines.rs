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

/// Returns a file without the lines that trueup writes: only both together are trueup's.
fn without_lines(file: &[u8]) -> Vec<u8> {
    let text_of = |line: &[u8]| line.strip_suffix(b"\n").unwrap_or(line).to_owned();
    let mut lines = file.split_inclusive(|byte| *byte == b'\n').peekable();
    let mut kept = Vec::new();
    let [first, second] = EXCLUDE_PATTERNS.map(str::as_bytes);
    while let Some(line) = lines.next() {
        let is_pair =
            text_of(line) == first && lines.peek().is_some_and(|it| text_of(it) == second);
        if is_pair {
            lines.next();
        } else {
            kept.extend_from_slice(line);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_user_stays() {
        let [first, second] = EXCLUDE_PATTERNS;
        let ours = format!("{first}\n{second}\n");
        for (before, after) in [
            (format!("mine\n{second}\n{ours}"), format!("mine\n{second}\n")),
            (format!("{first}\nmine\n{ours}{ours}"), format!("{first}\nmine\n")),
            (format!("{ours}{second}"), second.to_owned()),
            (ours.clone(), String::new()),
            (format!("{first}\n{second}"), String::new()),
        ] {
            assert_eq!(without_lines(before.as_bytes()), after.as_bytes(), "{before:?}");
        }
    }
}
