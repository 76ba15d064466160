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

use super::drafts::{Draft, digest};
use super::files::{LARGEST, LARGEST_PLAN, mode};
use super::finding::{counted, told};
use super::writeback::uncommitted;
use crate::cache::lock::FileLock;
use crate::files::{PRIVATE, Replacement, Written, is_symlink, read_bytes, sweep_drafts};
use crate::git::{Repository, Worktree};
use crate::settings::private_dir;
use crate::workplan::{Edit, apply};

/// How long the git of a run that was killed may take to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Largest record read, in bytes: as large as all that a run could change.
const LARGEST_RECORD: u64 = 1024 * 1024 * 1024;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    files: Vec<File>,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    path: String,
    old: String,
    new: String,
    /// Bytes of the new content, and what stood there.
    back: Vec<(usize, usize, String)>,
}

/// Records what is about to be replaced.
pub(super) fn record(place: &Path, drafts: &[Draft]) -> io::Result<()> {
    let files = drafts.iter().map(|draft| File {
        path: draft.path.clone(),
        old: draft.old.clone(),
        new: draft.new.clone(),
        back: draft
            .back
            .iter()
            .map(|edit| (edit.span.start, edit.span.end, edit.text.clone()))
            .collect(),
    });
    let record = Record {
        files: files.collect(),
    };
    if let Some(folder) = place.parent() {
        private_dir(folder)?;
    }
    let replacement = Replacement {
        path: place,
        content: &serde_json::to_vec(&record)?,
        mode: PRIVATE,
        durable: true,
        exists: place.exists(),
    };
    replacement.carry_out(&|_| true).map(drop)
}

/// Forgets the record: all is committed, or as it was.
pub(super) fn forget(place: &Path) {
    // One that stays finds nothing to do: its files are in a commit.
    let _ = fs::remove_file(place);
}

/// Puts back what an earlier run replaced and did not commit; says how much, or why not.
pub(super) fn recover(place: &Path, lock: &Path, root: &Path) -> Vec<String> {
    sweep_drafts(place);
    let Ok(bytes) = read_bytes(place, LARGEST_RECORD, false) else {
        return Vec::new();
    };
    let Ok(record) = serde_json::from_slice::<Record>(&bytes) else {
        // It is replaced whole, so it is none of ours.
        forget(place);
        return Vec::new();
    };
    match put_back(&record, lock, root) {
        Ok(0) => {
            forget(place);
            Vec::new()
        }
        Ok(count) => {
            forget(place);
            let count = counted(count, "file");
            vec![format!("restored {count} changed by an interrupted run")]
        }
        Err(reason) => vec![format!(
            "files changed by an interrupted run were not restored: {reason}"
        )],
    }
}

fn put_back(record: &Record, lock: &Path, root: &Path) -> Result<u64, String> {
    let Some(repository) = Repository::discover(root).filter(|found| found.root() == root) else {
        return Err("no longer a git repository".to_owned());
    };
    // The git of the run that was killed lives on, and may be about to commit them, long before
    // its own lock shows that. What is put back then would be other than what is committed.
    let _ended = FileLock::exclusive(lock, PATIENCE)
        .map_err(|error| format!("the git process of that run is still running ({error})"))?;
    let lock = Worktree::discover(root).map(|git| git.git_dir.join("index.lock"));
    if let Some(lock) = lock.filter(|lock| lock.exists()) {
        return Err(format!(
            "another git process is running ({})",
            lock.display()
        ));
    }
    let paths = record.files.iter().map(|file| file.path.as_str());
    let dirty = uncommitted(&repository, paths)?;
    let mut count = 0;
    for file in &record.files {
        let path = root.join(&file.path);
        sweep_drafts(&path);
        if dirty.contains_key(&file.path) && !is_symlink(&path) {
            let done = restore(file, &path).map_err(|e| format!("{}: {}", file.path, told(&e)))?;
            count += u64::from(done);
        }
    }
    Ok(count)
}

/// Puts one file back, if it is as the run left it.
fn restore(file: &File, path: &Path) -> io::Result<bool> {
    let largest = LARGEST.max(LARGEST_PLAN);
    let Ok(new) = read_bytes(path, largest, false) else {
        return Ok(false);
    };
    if digest(&new) != file.new {
        return Ok(false);
    }
    let back = file.back.iter().map(|(start, end, text)| Edit {
        span: *start..*end,
        text: text.clone(),
    });
    let old = apply(&new, back.collect());
    if digest(&old) != file.old {
        return Ok(false);
    }
    let replacement = Replacement {
        path,
        content: &old,
        mode: mode(path),
        durable: true,
        exists: true,
    };
    let same = |found: &Path| read_bytes(found, largest, false).is_ok_and(|bytes| bytes == new);
    Ok(replacement.carry_out(&same)? == Written::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(old: &str, new: &str) -> File {
        File {
            path: "a.md".to_owned(),
            old: digest(old.as_bytes()),
            new: digest(new.as_bytes()),
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
            assert_eq!(restore(&file("old", "new"), &path).unwrap(), is_done);
            assert_eq!(fs::read_to_string(&path).unwrap(), after);
        }
        fs::remove_file(&path).unwrap();
        assert!(!restore(&file("old", "new"), &path).unwrap());
        // One that does not lead to what was there is none.
        fs::write(&path, "new").unwrap();
        let wrong = File {
            back: vec![(0, 1, "x".to_owned())],
            ..file("old", "new")
        };
        assert!(!restore(&wrong, &path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_record_that_is_none_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("record");
        let lock = folder.path().join("lock");
        assert_eq!(recover(&place, &lock, folder.path()), [""; 0]);
        fs::write(&place, "{\"files\": [").unwrap();
        assert_eq!(recover(&place, &lock, folder.path()), [""; 0]);
        assert!(!place.exists());
    }
}
