//! A whole database moves between stores, and every row arrives as it was.

mod damaged;
mod moves;
mod schemas;

use std::path::Path;
use std::time::Duration;

use support::postgres::TestDatabase;
use trueup_core::model::Timestamp;
use trueup_core::store::sql::transfer::{ExportReader, ImportOutcome, TransferResult};
use trueup_core::store::sqlite::SqliteStore;
use trueup_remote::RemoteDatabase;

use crate::fixture::test_deadline;
use crate::postgres_fixture::{remote_database, remote_url};

/// How long a command may wait; a busy machine takes its time.
const PATIENCE: Duration = Duration::from_mins(2);

/// How many items a database of a test has.
const ITEMS: u32 = 120;

fn exported_at() -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000)
}

fn export_sqlite(path: &Path) -> Vec<u8> {
    let mut export = Vec::new();
    let mut store = SqliteStore::open(path, test_deadline()).unwrap();
    store.export(&mut export, exported_at(), &mut |_| {}).unwrap();
    export
}

fn import_into_sqlite(path: &Path, export: &[u8]) -> TransferResult<ImportOutcome> {
    let mut store = SqliteStore::open_or_create(path, test_deadline()).unwrap();
    store.import(ExportReader::new(export)?, &mut |_| {})
}

fn export_postgres(url: &str) -> Vec<u8> {
    let mut export = Vec::new();
    remote(url).export(&mut export, exported_at(), PATIENCE, &mut |_| {}).unwrap();
    export
}

fn import_into_postgres(database: &TestDatabase, export: &[u8]) -> TransferResult<ImportOutcome> {
    remote(&database.url()).import(ExportReader::new(export)?, PATIENCE, &mut |_| {})
}

fn remote(url: &str) -> RemoteDatabase {
    remote_database(remote_url(url))
}

/// Asserts that two exports are equal, and names the first line that is not.
fn assert_same_export(found: &[u8], expected: &[u8]) {
    let lines = |export: &[u8]| -> Vec<String> {
        String::from_utf8(export.to_vec()).unwrap().lines().map(str::to_owned).collect()
    };
    for (found, expected) in lines(found).iter().zip(&lines(expected)) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
}
