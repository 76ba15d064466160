//! What a run that was killed left in files: replaced, and in no commit.
//!
//! Before files are replaced, what makes them as they were is recorded outside of the
//! repository; the record goes once they are committed, or as they were. Whoever finds one
//! under the lock knows that its writer died.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::checkout_files::{MAX_PLAN_BYTES, MAX_WORKPLAN_BYTES, file_mode};
use super::file_edits::{FileEdit, content_digest};
use super::finding::{count_of, redacted_error};
use super::writeback::find_uncommitted;
use crate::fs::{
    FileLock, FileReplacement, PRIVATE_MODE, WriteOutcome, create_private_dir, is_symlink,
    read_bytes, sweep_temp_files,
};
use crate::git::{Repository, Worktree};
use crate::workplan::{ByteEdit, apply_edits};

/// How long the git of a run that was killed may take to end.
const GIT_LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Largest record read, in bytes: as large as all that a run could change.
const MAX_LOG_BYTES: u64 = 1024 * 1024 * 1024;

#[derive(Debug, Default, Serialize, Deserialize)]
struct UndoLog {
    files: Vec<UndoEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct UndoEntry {
    path: String,
    old: String,
    new: String,
    /// Bytes of the new content, and what stood there.
    back: Vec<(usize, usize, String)>,
}

/// Records what is about to be replaced.
pub(super) fn record_edits(place: &Path, drafts: &[FileEdit]) -> io::Result<()> {
    let files = drafts.iter().map(|draft| UndoEntry {
        path: draft.path.clone(),
        old: draft.old_digest.clone(),
        new: draft.new_digest.clone(),
        back: draft
            .undo_edits
            .iter()
            .map(|edit| (edit.span.start, edit.span.end, edit.text.clone()))
            .collect(),
    });
    let record = UndoLog {
        files: files.collect(),
    };
    if let Some(folder) = place.parent() {
        create_private_dir(folder)?;
    }
    let replacement = FileReplacement {
        path: place,
        content: &serde_json::to_vec(&record)?,
        mode: PRIVATE_MODE,
        durable: true,
        exists: place.exists(),
    };
    replacement.apply(&|_| true).map(drop)
}

/// Forgets the record: all is committed, or as it was.
pub(super) fn delete_log(place: &Path) {
    // One that stays finds nothing to do: its files are in a commit.
    let _ = fs::remove_file(place);
}

/// Puts back what an earlier run replaced and did not commit; says how much, or why not.
pub(super) fn undo_interrupted_run(place: &Path, lock: &Path, root: &Path) -> Vec<String> {
    sweep_temp_files(place);
    let Ok(bytes) = read_bytes(place, MAX_LOG_BYTES, false) else {
        return Vec::new();
    };
    let Ok(record) = serde_json::from_slice::<UndoLog>(&bytes) else {
        // It is replaced whole, so it is none of ours.
        delete_log(place);
        return Vec::new();
    };
    match undo_uncommitted(&record, lock, root) {
        Ok(0) => {
            delete_log(place);
            Vec::new()
        }
        Ok(count) => {
            delete_log(place);
            let count = count_of(count, "file");
            vec![format!("restored {count} changed by an interrupted run")]
        }
        Err(reason) => vec![format!(
            "files changed by an interrupted run were not restored: {reason}"
        )],
    }
}

fn undo_uncommitted(record: &UndoLog, lock: &Path, root: &Path) -> Result<u64, String> {
    let Some(repository) = Repository::discover(root).filter(|found| found.root() == root) else {
        return Err("no longer a git repository".to_owned());
    };
    // The git of the run that was killed lives on, and may be about to commit them, long before
    // its own lock shows that. What is put back then would be other than what is committed.
    let _ended = FileLock::acquire(lock, GIT_LOCK_TIMEOUT)
        .map_err(|error| format!("the git process of that run is still running ({error})"))?;
    let lock = Worktree::discover(root).map(|git| git.git_dir.join("index.lock"));
    if let Some(lock) = lock.filter(|lock| lock.exists()) {
        return Err(format!(
            "another git process is running ({})",
            lock.display()
        ));
    }
    let paths = record.files.iter().map(|file| file.path.as_str());
    let dirty = find_uncommitted(&repository, paths)?;
    let mut count = 0;
    for file in &record.files {
        let path = root.join(&file.path);
        sweep_temp_files(&path);
        if dirty.contains_key(&file.path) && !is_symlink(&path) {
            let done = restore_file(file, &path)
                .map_err(|e| format!("{}: {}", file.path, redacted_error(&e)))?;
            count += u64::from(done);
        }
    }
    Ok(count)
}

/// Puts one file back, if it is as the run left it.
fn restore_file(file: &UndoEntry, path: &Path) -> io::Result<bool> {
    let largest = MAX_WORKPLAN_BYTES.max(MAX_PLAN_BYTES);
    let Ok(new) = read_bytes(path, largest, false) else {
        return Ok(false);
    };
    if content_digest(&new) != file.new {
        return Ok(false);
    }
    let back = file.back.iter().map(|(start, end, text)| ByteEdit {
        span: *start..*end,
        text: text.clone(),
    });
    let old = apply_edits(&new, back.collect());
    if content_digest(&old) != file.old {
        return Ok(false);
    }
    let replacement = FileReplacement {
        path,
        content: &old,
        mode: file_mode(path),
        durable: true,
        exists: true,
    };
    let same = |found: &Path| read_bytes(found, largest, false).is_ok_and(|bytes| bytes == new);
    Ok(replacement.apply(&same)? == WriteOutcome::Replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(old: &str, new: &str) -> UndoEntry {
        UndoEntry {
            path: "a.md".to_owned(),
            old: content_digest(old.as_bytes()),
            new: content_digest(new.as_bytes()),
            back: vec![(0, new.len(), old.to_owned())],
        }
    }

    #[test]
    fn only_what_the_run_itself_wrote_is_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        for (found, after, is_done) in [
            ("new", "old", true),
            ("old", "old", false),
            ("edited since", "edited since", false),
        ] {
            fs::write(&path, found).unwrap();
            assert_eq!(restore_file(&file("old", "new"), &path).unwrap(), is_done);
            assert_eq!(fs::read_to_string(&path).unwrap(), after);
        }
        fs::remove_file(&path).unwrap();
        assert!(!restore_file(&file("old", "new"), &path).unwrap());
        // One that does not lead to what was there is none.
        fs::write(&path, "new").unwrap();
        let wrong = UndoEntry {
            back: vec![(0, 1, "x".to_owned())],
            ..file("old", "new")
        };
        assert!(!restore_file(&wrong, &path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_record_that_is_none_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("record");
        let lock = folder.path().join("lock");
        assert_eq!(undo_interrupted_run(&place, &lock, folder.path()), [""; 0]);
        fs::write(&place, "{\"files\": [").unwrap();
        assert_eq!(undo_interrupted_run(&place, &lock, folder.path()), [""; 0]);
        assert!(!place.exists());
    }
}
