//! Restores what an interrupted run left in files: replaced, and in no commit.
//!
//! Before files are replaced, the edits that undo it are recorded outside of the repository. The
//! record is deleted once the files are committed or restored, so a record found under the lock
//! belongs to a run that died.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::checkout_files::MAX_PLAN_BYTES;
use super::file_edits::{FileEdit, PlannedEdit};
use super::finding::redacted_error;
use super::protected_files::find_uncommitted;
use crate::fs::{
    FileLock, FileReplacement, PRIVATE_MODE, WriteOutcome, create_private_dir, is_symlink,
    read_bytes, sweep_temp_files,
};
use crate::git::{Repository, Worktree};
use crate::text::pluralize;

/// How long the git of an interrupted run may take to end.
const GIT_LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Largest record read, in bytes: as much as one run can change.
const MAX_LOG_BYTES: u64 = 1024 * 1024 * 1024;

#[derive(Debug, Default, Serialize, Deserialize)]
struct UndoLog {
    files: Vec<FileEdit>,
}

/// Records how the files that are about to be replaced are restored.
pub(super) fn record_edits(log_path: &Path, edits: &[PlannedEdit]) -> io::Result<()> {
    let log = UndoLog { files: edits.iter().map(|planned| planned.undo.clone()).collect() };
    if let Some(dir) = log_path.parent() {
        create_private_dir(dir)?;
    }
    let replacement = FileReplacement {
        path: log_path,
        content: &serde_json::to_vec(&log)?,
        mode: PRIVATE_MODE,
        durable: true,
        exists: log_path.exists(),
    };
    replacement.apply(&|_| true).map(drop)
}

/// Deletes the record: all files are committed or restored.
pub(super) fn delete_log(log_path: &Path) {
    // A record that stays does nothing: its files are in a commit.
    let _ = fs::remove_file(log_path);
}

/// Restores the files that an earlier run replaced and did not commit. Returns what the user is
/// to know.
pub(super) fn undo_interrupted_run(log_path: &Path, git_lock: &Path, root: &Path) -> Vec<String> {
    sweep_temp_files(log_path);
    let Ok(bytes) = read_bytes(log_path, MAX_LOG_BYTES, false) else {
        return Vec::new();
    };
    let Ok(log) = serde_json::from_slice::<UndoLog>(&bytes) else {
        // Records are replaced whole, so trueup did not write this one.
        delete_log(log_path);
        return Vec::new();
    };
    match undo_uncommitted(&log, git_lock, root) {
        Ok(count) => {
            delete_log(log_path);
            let restored = (count > 0).then(|| {
                let files = pluralize(count, "file", "files");
                format!("restored {files} changed by an interrupted run")
            });
            restored.into_iter().collect()
        }
        Err(reason) => {
            vec![format!("files changed by an interrupted run were not restored: {reason}")]
        }
    }
}

/// Restores files that git has as changed; returns how many.
fn undo_uncommitted(log: &UndoLog, git_lock: &Path, root: &Path) -> Result<usize, String> {
    let Some(repository) = Repository::discover(root).filter(|found| found.root() == root) else {
        return Err("no longer a git repository".to_owned());
    };
    // The git of the interrupted run may still live and be about to commit the files, long before
    // its own lock shows that. The commit would then differ from what is restored.
    let _ended = FileLock::acquire(git_lock, GIT_LOCK_TIMEOUT)
        .map_err(|error| format!("the git process of that run is still running ({error})"))?;
    let index_lock = Worktree::discover(root).map(|git| git.git_dir.join("index.lock"));
    if let Some(lock) = index_lock.filter(|lock| lock.exists()) {
        return Err(format!("another git process is running ({})", lock.display()));
    }
    let paths = log.files.iter().map(|entry| entry.path.as_str());
    let dirty = find_uncommitted(&repository, paths)?;
    let mut count = 0;
    for undo in &log.files {
        let path = root.join(&undo.path);
        sweep_temp_files(&path);
        if dirty.contains_key(&undo.path) && !is_symlink(&path) {
            let is_restored = restore_file(undo, &path)
                .map_err(|error| format!("{}: {}", undo.path, redacted_error(&error)))?;
            count += usize::from(is_restored);
        }
    }
    Ok(count)
}

/// Restores a file, if it is as the run left it.
fn restore_file(undo: &FileEdit, path: &Path) -> io::Result<bool> {
    let Ok(bytes) = read_bytes(path, MAX_PLAN_BYTES, false) else {
        return Ok(false);
    };
    Ok(undo.replace(path, &bytes)? == WriteOutcome::Replaced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::sha256_hex;
    use crate::workplan::ByteEdit;

    fn undo(old: &str, new: &str) -> FileEdit {
        let edit = serde_json::json!({
            "path": "a.md",
            "old": sha256_hex(old.as_bytes()),
            "new": sha256_hex(new.as_bytes()),
            "back": [(0, new.len(), old)],
        });
        serde_json::from_value(edit).unwrap()
    }

    #[test]
    fn only_what_the_run_itself_wrote_is_put_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.md");
        for (found, after, is_restored) in
            [("new", "old", true), ("old", "old", false), ("edited since", "edited since", false)]
        {
            fs::write(&path, found).unwrap();
            let restored = restore_file(&undo("old", "new"), &path).unwrap();
            assert_eq!(restored, is_restored);
            assert_eq!(fs::read_to_string(&path).unwrap(), after);
        }
        fs::remove_file(&path).unwrap();
        assert!(!restore_file(&undo("old", "new"), &path).unwrap());
        // Edits that do not lead to the old content.
        fs::write(&path, "new").unwrap();
        let wrong = FileEdit {
            edits: vec![ByteEdit { span: 0..1, text: "x".to_owned() }],
            ..undo("old", "new")
        };
        assert!(!restore_file(&wrong, &path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_record_that_is_none_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("record");
        let lock = dir.path().join("lock");
        assert_eq!(undo_interrupted_run(&log, &lock, dir.path()), [""; 0]);
        fs::write(&log, "{\"files\": [").unwrap();
        assert_eq!(undo_interrupted_run(&log, &lock, dir.path()), [""; 0]);
        assert!(!log.exists());
    }
}
