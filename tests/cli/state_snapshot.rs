//! Compares everything that a reading command must leave unchanged.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use support::home::Home;

/// The content of the database, the caches, the journal and the outbox.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StateSnapshot {
    rows: Vec<String>,
    files: Vec<(PathBuf, SystemTime, Vec<u8>)>,
}

impl StateSnapshot {
    /// Reads all of it.
    pub(crate) fn take(home: &Home) -> Self {
        let mut files = Vec::new();
        for dir in [home.project_dir().join(".claude"), home.project_dir().join(".git/info")] {
            list(&dir, &mut files);
        }
        for name in ["journal.jsonl", "outbox.jsonl", "config.toml"] {
            note(&home.trueup_home().join(name), &mut files);
        }
        Self { rows: home.list_rows(), files }
    }

    /// The same without what only tells a person of it.
    pub(crate) fn without_reports(mut self) -> Self {
        self.rows.retain(|row| {
            let is_event = row.starts_with("events [") && row.contains("Text(\"attention\")");
            // The number of the last event is in a table of its own.
            !is_event && !row.starts_with("attention [") && !row.starts_with("sqlite_sequence [")
        });
        self
    }
}

fn list(dir: &Path, files: &mut Vec<(PathBuf, SystemTime, Vec<u8>)>) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        note(&path, files);
    }
}

fn note(path: &Path, files: &mut Vec<(PathBuf, SystemTime, Vec<u8>)>) {
    if let Ok(bytes) = fs::read(path) {
        let changed = fs::metadata(path).unwrap().modified().unwrap();
        files.push((path.to_owned(), changed, bytes));
    }
}
