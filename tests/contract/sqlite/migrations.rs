//! An older schema is migrated once, however many processes open it at the same time.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;

use rusqlite::Connection;
use tempfile::TempDir;
use trueup_core::model::{EventFilter, HandoffStatus, ItemKey};
use trueup_core::store::SCHEMA_VERSION;
use trueup_core::store::sqlite::{APPLICATION_ID, SqliteStore};
use trueup_core::store::{HandoffFilter, HandoffStore as _, HookStore as _};

use crate::fixture::test_deadline;
use crate::requests::{session_id, task_note};

const FIRST_SCHEMA: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../core/src/store/sqlite/migrations/0001_sessions_items_events.sql"
));

/// Creates a database as the first version of trueup did, with a session and an item.
fn create_first_version() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
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
             {FIRST_SCHEMA}
             INSERT INTO schema_migrations (version, name, checksum) VALUES (1, 'first', 'x');
             INSERT INTO trueup_meta (key, value) VALUES ('lineage', 'old-lineage');
             INSERT INTO claude_sessions (session_id) VALUES ('s1');
             INSERT INTO work_items (key, holder, claim_epoch) VALUES ('A', 's1', 4);
             PRAGMA user_version = 1;
             COMMIT;"
        ))
        .unwrap();
    (dir, path)
}

fn read_schema(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT coalesce(sql, name) FROM sqlite_schema WHERE name <> 'schema_migrations' ORDER BY name")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn eight_at_once_migrate_exactly_once() {
    let (dir, path) = create_first_version();
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                let mut store = SqliteStore::open(&path, test_deadline()).unwrap();
                store.upsert_task(&session_id("s1"), &task_note("1", "t")).unwrap();
            });
        }
    });
    let status = SqliteStore::read_schema_status(&path, test_deadline()).unwrap();
    assert_eq!((status.version, status.newest_known), (SCHEMA_VERSION, SCHEMA_VERSION));
    let versions: Vec<i64> = status.applied.iter().map(|a| a.version).collect();
    assert_eq!(versions, (1..=SCHEMA_VERSION).collect::<Vec<_>>());
    assert!(!status.applied[0].is_unchanged, "another text was applied as the first");
    let fresh = dir.path().join("fresh.db");
    drop(SqliteStore::open_or_create(&fresh, test_deadline()).unwrap());
    assert_eq!(read_schema(&path), read_schema(&fresh));
}

#[test]
fn what_was_there_is_there_after_a_migration() {
    let (_dir, path) = create_first_version();
    let mut store = SqliteStore::open(&path, test_deadline()).unwrap();
    assert_eq!(store.load_lineage().unwrap().0, "old-lineage");
    let session = store.load_session(&session_id("s1")).unwrap().unwrap();
    assert_eq!(session.item.as_ref().map(ItemKey::as_str), Some("A"));
    assert_eq!(session.epoch.unwrap().0, 4);
    assert_eq!(store.list_events(&EventFilter::default()).unwrap().len(), 2);
    assert_eq!(store.check_integrity().unwrap(), Vec::<String>::new());
}

#[test]
fn reading_the_version_migrates_nothing() {
    let (_dir, path) = create_first_version();
    let status = SqliteStore::read_schema_status(&path, test_deadline()).unwrap();
    assert_eq!((status.version, status.newest_known), (1, SCHEMA_VERSION));
    assert_eq!(SqliteStore::read_schema_status(&path, test_deadline()).unwrap().version, 1);
}

/// Creates a database with all migrations before the named one.
fn create_version_before(name: &str) -> (TempDir, PathBuf) {
    let (dir, path) = create_first_version();
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/src/store/sqlite/migrations");
    let files = fs::read_dir(migrations).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let named = |file: &PathBuf| file.to_string_lossy().contains(name);
    let end = files.iter().position(named).unwrap();
    let connection = Connection::open(&path).unwrap();
    for (version, file) in (1..).zip(&files[..end]).skip(1) {
        let sql = fs::read_to_string(file).unwrap();
        connection
            .execute_batch(&format!(
                "BEGIN; {sql};
                 INSERT INTO schema_migrations (version, name, checksum) VALUES ({version}, 'n', 'x');
                 PRAGMA user_version = {version}; COMMIT;"
            ))
            .unwrap();
    }
    (dir, path)
}

#[test]
fn of_two_open_handoffs_of_an_item_the_older_is_closed_by_the_upgrade() {
    let (dir, path) = create_version_before("one_open_handoff");
    // Of those made at one time the later row is the newer. What is decided or of another item
    // stays as it is.
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "INSERT INTO handoffs (id, type, item, from_session, epoch, status, created_at) VALUES
                 ('h-newest', 'EXEC', 'A', 's1', 4, 'pending_acceptance', '2026-01-03T00:00:00.000Z'),
                 ('h-oldest', 'EXEC', 'A', 's1', 4, 'pending_acceptance', '2026-01-01T00:00:00.000Z'),
                 ('h-blocked', 'EXEC', 'A', 's1', 4, 'blocked', '2026-01-02T00:00:00.000Z'),
                 ('h-decided', 'EXEC', 'A', 's1', 4, 'accepted', '2026-01-04T00:00:00.000Z'),
                 ('h-first', 'EXEC', 'B', 's1', 1, 'pending_acceptance', '2026-01-01T00:00:00.000Z'),
                 ('h-second', 'EXEC', 'B', 's1', 1, 'pending_acceptance', '2026-01-01T00:00:00.000Z'),
                 ('h-alone', 'EXEC', 'C', 's1', 1, 'blocked', '2026-01-01T00:00:00.000Z');",
        )
        .unwrap();
    let mut store = SqliteStore::open(&path, test_deadline()).unwrap();
    let open = store.list_handoffs(HandoffFilter { only_open: true }).unwrap();
    let mut open: Vec<&str> = open.iter().map(|handoff| handoff.id.as_str()).collect();
    open.sort_unstable();
    assert_eq!(open, ["h-alone", "h-newest", "h-second"]);
    let closed = [
        ("h-blocked", "blocked", "h-newest"),
        ("h-first", "pending_acceptance", "h-second"),
        ("h-oldest", "pending_acceptance", "h-newest"),
    ];
    for (id, _, by) in closed {
        let handoff = store.load_handoff(&id.parse().unwrap()).unwrap().unwrap();
        assert_eq!(handoff.status, HandoffStatus::Rejected, "{id}");
        let reason = handoff.reject_reason.as_deref();
        assert_eq!(reason, Some(format!("replaced by {by}").as_str()));
        assert!(handoff.decided_at.is_some());
        assert_eq!((handoff.decided_by, handoff.revision.0), (Some(handoff.from), 2));
    }
    let decided = store.load_handoff(&"h-decided".parse().unwrap());
    assert_eq!(decided.unwrap().unwrap().status, HandoffStatus::Accepted);
    let events = store.list_events(&EventFilter::default()).unwrap();
    let events_of_row: Vec<_> = events.iter().filter(|e| e.entity == "handoff").collect();
    assert_eq!(events_of_row.len(), closed.len());
    for (event, (id, before, by)) in events_of_row.iter().zip(closed) {
        assert_eq!((event.key.as_str(), event.kind.as_str()), (id, "rejected"));
        assert_eq!(event.actor, "trueup");
        assert_eq!(event.before["status"], before);
        let reason = &event.after["reject_reason"];
        assert_eq!(*reason, format!("replaced by {by}"));
        assert!(event.reason.is_some(), "{event:?}");
    }
    assert_eq!(store.check_integrity().unwrap(), Vec::<String>::new());
    drop(store);
    let again = "INSERT INTO handoffs (id, type, item, from_session, epoch)
                 VALUES ('h-more', 'EXEC', 'A', 's1', 4)";
    let error = Connection::open(&path).unwrap().execute_batch(again);
    assert!(error.unwrap_err().to_string().contains("handoffs.item"));
    let fresh = dir.path().join("fresh.db");
    drop(SqliteStore::open_or_create(&fresh, test_deadline()).unwrap());
    assert_eq!(read_schema(&path), read_schema(&fresh));
}
