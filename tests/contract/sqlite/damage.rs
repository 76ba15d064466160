//! A file that is foreign, damaged or newer is refused and stays unchanged.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use trueup_core::store::SCHEMA_VERSION;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{HookStore as _, StoreError};

use crate::fixture::{new_sqlite, test_deadline};
use crate::requests::{register_holder, register_session, session_id};

/// Creates a database with content, and closes it.
fn closed_database() -> (TempDir, PathBuf) {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    let path = file.path();
    let dir = file.dir;
    drop(file.store);
    (dir, path)
}

/// Asserts that every way of opening refuses the file with this code and leaves it unchanged.
#[track_caller]
fn assert_open_refused(path: &Path, code: &str) {
    let before = fs::read(path).unwrap();
    let answers = [
        SqliteStore::open(path, test_deadline()).map(drop),
        SqliteStore::open_or_create(path, test_deadline()).map(drop),
        SqliteStore::read_schema_status(path, test_deadline()).map(drop),
    ];
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    assert!(fs::read(path).unwrap() == before, "the file was changed");
}

#[test]
fn a_database_of_another_program() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)").unwrap();
    drop(other);
    assert_open_refused(&path, "store_corrupt");
}

#[test]
fn a_database_of_another_program_with_our_table_names() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    let sql = "CREATE TABLE claude_sessions (session_id); PRAGMA user_version = 1";
    other.execute_batch(sql).unwrap();
    drop(other);
    assert_open_refused(&path, "store_corrupt");
}

#[test]
fn a_file_that_is_no_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    for content in ["", "x", &"no database ".repeat(1_000)] {
        fs::write(&path, content).unwrap();
        assert_open_refused(&path, "store_corrupt");
    }
}

#[test]
fn a_truncated_database() {
    let (_dir, path) = closed_database();
    let bytes = fs::read(&path).unwrap();
    for length in [50, 100, 1_000, 4_096, bytes.len() / 2 / 4_096 * 4_096] {
        fs::write(&path, &bytes[..length]).unwrap();
        assert_open_refused(&path, "store_corrupt");
    }
}

#[test]
fn a_database_with_an_overwritten_schema() {
    let (_dir, path) = closed_database();
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..4_096].fill(0xff);
    fs::write(&path, &bytes).unwrap();
    let error =
        SqliteStore::open(&path, test_deadline()).and_then(|mut store| store.load_lineage());
    assert_eq!(error.unwrap_err().code(), "store_corrupt");
    assert!(fs::read(&path).unwrap() == bytes);
}

#[test]
fn a_newer_schema() {
    let (_dir, path) = closed_database();
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.execute_batch("PRAGMA user_version = 99; ALTER TABLE work_items ADD x TEXT").unwrap();
    drop(newer);
    assert_open_refused(&path, "schema_too_new");
    match SqliteStore::open(&path, test_deadline()).unwrap_err() {
        StoreError::SchemaTooNew { found, known } => {
            assert_eq!((found, known), (99, SCHEMA_VERSION));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_directory_in_place_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let error = SqliteStore::open_or_create(dir.path(), test_deadline()).unwrap_err();
    assert_eq!(error.code(), "store_corrupt");
}

#[test]
fn opening_what_is_missing_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sub/t.db");
    let error = SqliteStore::open(&path, test_deadline()).unwrap_err();
    assert_eq!(error.code(), "store_missing");
    assert_eq!(
        SqliteStore::read_schema_status(&path, test_deadline()).unwrap_err().code(),
        "store_missing"
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn the_log_of_a_database_that_is_gone_is_not_played_back_over_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let mut old = SqliteStore::open_or_create(&path, test_deadline()).unwrap();
    register_session(&mut old, "s1");
    let log = fs::read(dir.path().join("t.db-wal")).unwrap();
    drop(old);
    fs::remove_file(&path).unwrap();
    fs::write(dir.path().join("t.db-wal"), &log).unwrap();

    let mut new = SqliteStore::open_or_create(&path, test_deadline()).unwrap();
    assert!(new.check_integrity().unwrap().is_empty());
    assert!(new.load_session(&session_id("s1")).unwrap().is_none());
    let kept = fs::read_dir(dir.path()).unwrap().flatten();
    let kept = kept.filter(|e| e.file_name().to_string_lossy().contains("-wal.orphan-"));
    assert_eq!(kept.count(), 1, "nothing is deleted");
}
