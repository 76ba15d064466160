//! What a process that ends does with the write-ahead log.

use std::path::PathBuf;

use trueup_core::store::sqlite::SqliteStore;

use crate::fixture::{DatabaseFile, new_sqlite, test_deadline};
use crate::requests::{register_session, session_id};
use trueup_core::store::HookStore as _;

fn wal_path(file: &DatabaseFile) -> PathBuf {
    file.dir.path().join("t.db-wal")
}

/// Opens a store on a file that nobody else has open.
fn open_alone() -> (DatabaseFile, SqliteStore) {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    let path = file.path();
    // Closing it moves the log into the file.
    drop(std::mem::replace(
        &mut file.store.engine,
        SqliteStore::open_or_create(&file.dir.path().join("other.db"), test_deadline()).unwrap(),
    ));
    assert!(!wal_path(&file).exists());
    let store = SqliteStore::open(&path, test_deadline()).unwrap().until_exit();
    (file, store)
}

#[test]
fn who_only_looked_leaves_the_log_to_the_next_one() {
    let (file, mut store) = open_alone();
    assert!(store.load_session(&session_id("s1")).unwrap().is_some());
    drop(store);
    assert_eq!(std::fs::metadata(wal_path(&file)).unwrap().len(), 0);
    let mut next = SqliteStore::open(&file.path(), test_deadline()).unwrap();
    register_session(&mut next, "s2");
    assert!(next.load_session(&session_id("s1")).unwrap().is_some());
    assert!(next.check_integrity().unwrap().is_empty());
}

#[test]
fn who_wrote_closes() {
    let (file, mut store) = open_alone();
    register_session(&mut store, "s2");
    assert!(std::fs::metadata(wal_path(&file)).unwrap().len() > 0);
    drop(store);
    assert!(!wal_path(&file).exists());
}

#[test]
fn who_finds_a_log_that_others_left_closes_too() {
    let (file, mut store) = open_alone();
    assert!(store.load_session(&session_id("s1")).unwrap().is_some());
    file.execute_sql("UPDATE claude_sessions SET repo = 'elsewhere'");
    assert!(std::fs::metadata(wal_path(&file)).unwrap().len() > 0);
    drop(store);
    assert!(!wal_path(&file).exists());
}
