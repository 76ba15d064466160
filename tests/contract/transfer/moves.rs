//! Between all kinds of stores, and back.

use std::fs;

use support::postgres::TestDatabase;
use support::sample_database::{create_sample, sample_items};
use trueup_core::store::HookStore as _;
use trueup_core::store::sqlite::SqliteStore;

use super::{
    ITEMS, PATIENCE, assert_same_export, export_postgres, export_sqlite, exported_at,
    import_into_postgres, import_into_sqlite, remote,
};
use crate::fixture::test_deadline;
use crate::requests::{add_item, register_session};

#[test]
fn a_copy_in_another_file_is_equal() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from.db"), dir.path().join("to.db"));
    create_sample(&from, ITEMS);
    let export = export_sqlite(&from);
    assert_eq!(export, export_sqlite(&from));
    let outcome = import_into_sqlite(&to, &export).unwrap();
    assert!(!outcome.was_there && outcome.summary.rows() > u64::from(ITEMS) * 11);
    assert_same_export(&export_sqlite(&to), &export);
    let mut copy = SqliteStore::open(&to, test_deadline()).unwrap();
    let original = SqliteStore::open(&from, test_deadline()).unwrap().load_lineage().unwrap();
    assert_eq!(copy.load_lineage().unwrap(), original);
    assert_eq!(copy.check_integrity().unwrap(), Vec::<String>::new());
    // The same import again, as after one whose answer was lost.
    assert!(import_into_sqlite(&to, &export).unwrap().was_there);
}

#[test]
fn rules_apply_to_a_copy_and_its_numbers_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from.db"), dir.path().join("to.db"));
    create_sample(&from, ITEMS);
    import_into_sqlite(&to, &export_sqlite(&from)).unwrap();
    let connection = rusqlite::Connection::open(&to).unwrap();
    let newest = "SELECT max(seq) FROM events";
    let before: i64 = connection.query_row(newest, [], |row| row.get(0)).unwrap();
    let mut copy = SqliteStore::open(&to, test_deadline()).unwrap();
    register_session(&mut copy, "s9");
    add_item(&mut copy, "NEW");
    let after: i64 = connection.query_row(newest, [], |row| row.get(0)).unwrap();
    assert_eq!(after, before + 2);
    let refused = connection.execute("UPDATE events SET actor = 'x' WHERE seq = 1", []);
    assert!(refused.is_ok_and(|changed| changed == 0));
    let refused = connection.execute("UPDATE events SET actor = 'x'", []).unwrap_err();
    assert_eq!(refused.to_string(), "events are append-only");
}

#[test]
fn a_database_moves_to_a_server_and_back() {
    let Some(server) = TestDatabase::create() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from.db"), dir.path().join("to.db"));
    create_sample(&from, sample_items());
    let export = export_sqlite(&from);
    assert!(!import_into_postgres(&server, &export).unwrap().was_there);
    let export_of_server = export_postgres(&server.url());
    assert_same_export(&export_of_server, &export);
    import_into_sqlite(&to, &export_of_server).unwrap();
    assert_same_export(&export_sqlite(&to), &export);
    assert!(import_into_postgres(&server, &export).unwrap().was_there);
    fs::remove_file(&to).unwrap();
}

#[test]
fn a_client_that_may_read_no_table_exports_the_same() {
    let Some(server) = TestDatabase::create() else { return };
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from.db");
    create_sample(&from, ITEMS);
    let export = export_sqlite(&from);
    import_into_postgres(&server, &export).unwrap();
    for role in ["trueup_client", "trueup_hub"] {
        assert_same_export(&export_postgres(&server.add_user(role)), &export);
    }
    // A database moves with its tokens, whose digests no reader sees.
    let reader = remote(&server.add_user("trueup_reader"));
    let error = reader.export(&mut Vec::new(), exported_at(), PATIENCE, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("permission denied"), "{error}");
}

#[test]
fn rules_apply_to_a_server_after_an_import_and_its_numbers_go_on() {
    let Some(server) = TestDatabase::create() else { return };
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from.db");
    create_sample(&from, ITEMS);
    import_into_postgres(&server, &export_sqlite(&from)).unwrap();
    let newest = |column: &str, table: &str| -> i64 {
        let sql = format!("SELECT max({column}) FROM trueup.{table}");
        server.run(&sql).unwrap().parse().unwrap()
    };
    let before = newest("seq", "events");
    server.run("INSERT INTO trueup.work_items (key) VALUES ('NEW')").unwrap();
    assert_eq!(newest("seq", "events"), before + 1);
    let before = newest("rowid", "phase_queue");
    let add = "INSERT INTO trueup.phase_queue (queue_id, item, phase_number, current_phase)
        VALUES ('NEW:1', 'NEW', 1, 'plan')";
    server.run(add).unwrap();
    assert_eq!(newest("rowid", "phase_queue"), before + 1);
    for (sql, message) in [
        ("UPDATE trueup.events SET actor = 'x'", "events are append-only"),
        ("UPDATE trueup.work_items SET key = 'X' WHERE key = 'NEW'", "a key never changes"),
        ("TRUNCATE trueup.events", "rows are removed by DELETE, which the rules see"),
    ] {
        assert_eq!(server.run(sql).unwrap_err().message, message);
    }
    let disabled = "SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'";
    assert_eq!(server.run(disabled).unwrap(), "0");
}
