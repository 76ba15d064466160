//! Compares everything that a reading command must leave unchanged.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::types::Value;
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
        Self { rows: rows(home), files }
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

/// Lists every row of every table.
fn rows(home: &Home) -> Vec<String> {
    let database = home.open_database();
    let mut tables = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .unwrap();
    let names: Vec<String> =
        tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut all = Vec::new();
    for name in names {
        let mut select = database.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = select.column_count();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<Value> = (0..columns).map(|i| row.get(i).unwrap()).collect();
            all.push(format!("{name} {values:?}"));
        }
    }
    all
}
