//! How a process that ends parts with the database.

use std::path::PathBuf;

use trueup_core::store::Store;
use trueup_core::store::sqlite::SqliteStore;

use crate::fixture::{File, patience, sqlite};
use crate::request::{id, register};

fn log(file: &File) -> PathBuf {
    file.folder.path().join("t.db-wal")
}

/// A process's store on the file, while nobody else has it open.
fn alone() -> (File, SqliteStore) {
    let mut file = sqlite();
    register(&mut file.store, "s1");
    let path = file.path();
    // Closing it moves the log into the file.
    drop(std::mem::replace(
        &mut file.store.engine,
        SqliteStore::open_or_create(&file.folder.path().join("other.db"), patience()).unwrap(),
    ));
    assert!(!log(&file).exists());
    let store = SqliteStore::open(&path, patience()).unwrap().until_exit();
    (file, store)
}

#[test]
fn who_only_looked_leaves_the_log_to_the_next_one() {
    let (file, mut store) = alone();
    assert!(store.session(&id("s1")).unwrap().is_some());
    drop(store);
    assert_eq!(std::fs::metadata(log(&file)).unwrap().len(), 0);
    let mut next = SqliteStore::open(&file.path(), patience()).unwrap();
    register(&mut next, "s2");
    assert!(next.session(&id("s1")).unwrap().is_some());
    assert!(next.check().unwrap().is_empty());
}

#[test]
fn who_wrote_closes() {
    let (file, mut store) = alone();
    register(&mut store, "s2");
    assert!(std::fs::metadata(log(&file)).unwrap().len() > 0);
    drop(store);
    assert!(!log(&file).exists());
}

#[test]
fn who_finds_a_log_that_others_left_closes_too() {
    let (file, mut store) = alone();
    assert!(store.session(&id("s1")).unwrap().is_some());
    file.sql("UPDATE claude_sessions SET repo = 'elsewhere'");
    assert!(std::fs::metadata(log(&file)).unwrap().len() > 0);
    drop(store);
    assert!(!log(&file).exists());
}
