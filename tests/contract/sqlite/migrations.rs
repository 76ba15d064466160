//! An older schema is brought up to date, once, whoever comes at the same time.

use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;

use rusqlite::Connection;
use tempfile::TempDir;
use trueup_core::model::{EventFilter, ItemKey};
use trueup_core::store::Store as _;
use trueup_core::store::sqlite::{APPLICATION_ID, SCHEMA_VERSION, SqliteStore};

use crate::fixture::patience;
use crate::request::{id, note};

const FIRST: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../core/src/store/sqlite/migrations/0001_sessions_items_events.sql"
));

/// Makes a database as the first version of trueup made it, with a session and an item.
fn first_version() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL;
             BEGIN;
             PRAGMA application_id = {APPLICATION_ID};
             CREATE TABLE schema_migrations (
                 version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL,
                 checksum TEXT NOT NULL,
                 applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
             ) STRICT;
             {FIRST}
             INSERT INTO schema_migrations (version, name, checksum) VALUES (1, 'first', 'x');
             INSERT INTO trueup_meta (key, value) VALUES ('lineage', 'old-lineage');
             INSERT INTO claude_sessions (session_id) VALUES ('s1');
             INSERT INTO work_items (key, holder, claim_epoch) VALUES ('A', 's1', 4);
             PRAGMA user_version = 1;
             COMMIT;"
        ))
        .unwrap();
    (folder, path)
}

fn schema(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT coalesce(sql, name) FROM sqlite_schema WHERE name <> 'schema_migrations' ORDER BY name")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn eight_at_once_migrate_exactly_once() {
    let (folder, path) = first_version();
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                let mut store = SqliteStore::open(&path, patience()).unwrap();
                store.note_task(&id("s1"), &note("1", "t")).unwrap();
            });
        }
    });
    let status = SqliteStore::schema(&path, patience()).unwrap();
    assert_eq!(
        (status.version, status.known),
        (SCHEMA_VERSION, SCHEMA_VERSION)
    );
    let versions: Vec<i64> = status.applied.iter().map(|a| a.version).collect();
    assert_eq!(versions, (1..=SCHEMA_VERSION).collect::<Vec<_>>());
    assert!(
        !status.applied[0].unchanged,
        "another text was applied as the first"
    );
    let fresh = folder.path().join("fresh.db");
    drop(SqliteStore::open_or_create(&fresh, patience()).unwrap());
    assert_eq!(schema(&path), schema(&fresh));
}

#[test]
fn what_was_there_is_there_after_a_migration() {
    let (_folder, path) = first_version();
    let mut store = SqliteStore::open(&path, patience()).unwrap();
    assert_eq!(store.lineage().unwrap().0, "old-lineage");
    let session = store.session(&id("s1")).unwrap().unwrap();
    assert_eq!(session.item.as_ref().map(ItemKey::as_str), Some("A"));
    assert_eq!(session.epoch.unwrap().0, 4);
    assert_eq!(store.events(&EventFilter::default()).unwrap().len(), 2);
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

#[test]
fn reading_the_version_migrates_nothing() {
    let (_folder, path) = first_version();
    let status = SqliteStore::schema(&path, patience()).unwrap();
    assert_eq!((status.version, status.known), (1, SCHEMA_VERSION));
    assert_eq!(SqliteStore::schema(&path, patience()).unwrap().version, 1);
}
