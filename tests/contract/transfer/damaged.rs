//! What is not a whole export, or meets work that is there, changes nothing.

use std::io::{self, BufReader, Read};
use std::path::Path;

use support::postgres::TestDatabase;
use support::sample_database::create_sample;
use trueup_core::store::sql::transfer::{ExportReader, TransferError};
use trueup_core::store::sqlite::SqliteStore;

use super::{
    ITEMS, PATIENCE, assert_same_export, export_postgres, export_sqlite, import_into_postgres,
    import_into_sqlite, remote,
};
use crate::fixture::test_deadline;

fn sample_export(dir: &Path) -> Vec<u8> {
    let from = dir.join("from.db");
    create_sample(&from, ITEMS);
    export_sqlite(&from)
}

/// Returns the lines of an export after `change`.
fn with_lines(export: &[u8], change: impl FnOnce(&mut Vec<String>)) -> Vec<u8> {
    let mut lines: Vec<String> =
        std::str::from_utf8(export).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    lines.into_iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

#[test]
fn what_is_no_whole_export_is_refused_and_nothing_stays() {
    let dir = tempfile::tempdir().unwrap();
    let export = sample_export(dir.path());
    let to = dir.path().join("to.db");
    drop(SqliteStore::open_or_create(&to, test_deadline()).unwrap());
    let empty = export_sqlite(&to);
    let middle = std::str::from_utf8(&export).unwrap().lines().count() / 2;
    let damaged = [
        (Vec::new(), "line 1: the export ends too early"),
        (b"{\"a\":1}\n".to_vec(), "line 1: no header of an export"),
        (export[..export.len() - 2].to_vec(), "the line is cut off"),
        (export[..export.len() / 2].to_vec(), "the line is cut off"),
        (with_lines(&export, |lines| drop(lines.pop())), "the export ends too early"),
        (with_lines(&export, |lines| drop(lines.remove(middle))), "a row of events is missing"),
        (with_lines(&export, |lines| lines.insert(middle, lines[middle].clone())), ""),
        (with_lines(&export, |lines| lines.push("{}".to_owned())), "more follows the last line"),
        (
            with_lines(&export, |lines| {
                let line = lines.iter_mut().find(|line| line.contains("title 3\"")).unwrap();
                *line = line.replace("title 3\"", "title 4\"");
            }),
            "the rows of work_items are not those that were exported",
        ),
        (
            with_lines(&export, |lines| {
                lines[1] = lines[1].replace("\"value\"", "\"unknown\"");
            }),
            "trueup_meta has no column unknown",
        ),
    ];
    for (number, (export, problem)) in damaged.into_iter().enumerate() {
        let error = import_into_sqlite(&to, &export).unwrap_err().to_string();
        assert!(error.contains(problem), "{number}: {error}");
        assert_same_export(&export_sqlite(&to), &empty);
    }
    import_into_sqlite(&to, &export).unwrap();
}

#[test]
fn an_export_of_another_schema_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let export = with_lines(&sample_export(dir.path()), |lines| {
        let version = format!("\"schema\":{}", trueup_core::store::SCHEMA_VERSION);
        assert!(lines[0].contains(&version));
        lines[0] = lines[0].replace(&version, "\"schema\":7");
    });
    let error = import_into_sqlite(&dir.path().join("to.db"), &export).unwrap_err();
    assert!(matches!(error, TransferError::OtherSchema { found: 7, .. }), "{error}");
}

#[test]
fn a_database_with_work_of_its_own_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let export = sample_export(dir.path());
    let to = dir.path().join("to.db");
    import_into_sqlite(&to, &export).unwrap();
    // The same lineage, and work since then.
    let connection = rusqlite::Connection::open(&to).unwrap();
    connection.execute("INSERT INTO work_items (key) VALUES ('MINE')", []).unwrap();
    let before = export_sqlite(&to);
    let error = import_into_sqlite(&to, &export).unwrap_err();
    assert!(matches!(error, TransferError::Occupied(_)), "{error}");
    assert_same_export(&export_sqlite(&to), &before);
    // Another lineage, and one row.
    let other = dir.path().join("other.db");
    drop(SqliteStore::open_or_create(&other, test_deadline()).unwrap());
    let connection = rusqlite::Connection::open(&other).unwrap();
    connection.execute("INSERT INTO repo_names VALUES ('remote', 'mine')", []).unwrap();
    let error = import_into_sqlite(&other, &export).unwrap_err().to_string();
    assert_eq!(error, "the database has work of its own: 1 in repo_names");
}

/// An export whose reading fails in the middle.
struct Interrupted<'e>(&'e [u8]);

impl Read for Interrupted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("interrupted")),
            read => Ok(read),
        }
    }
}

#[test]
fn an_import_into_a_server_that_is_interrupted_leaves_nothing() {
    let Some(server) = TestDatabase::create() else { return };
    let dir = tempfile::tempdir().unwrap();
    let export = sample_export(dir.path());
    let empty = export_postgres(&server.url());
    for share in [3, 2] {
        let part = &export[..export.len() - export.len() / share];
        let reader = ExportReader::new(BufReader::new(Interrupted(part))).unwrap();
        let outcome = remote(&server.url()).import(reader, PATIENCE, &mut |_| {});
        assert!(matches!(outcome.unwrap_err(), TransferError::Unreadable(_)));
        assert_same_export(&export_postgres(&server.url()), &empty);
    }
    let text = std::str::from_utf8(&export).unwrap();
    let altered = text.replace("title 3\"", "title 4\"");
    assert!(import_into_postgres(&server, altered.as_bytes()).is_err());
    assert_same_export(&export_postgres(&server.url()), &empty);
    import_into_postgres(&server, &export).unwrap();
    server.run("INSERT INTO trueup.work_items (key) VALUES ('MINE')").unwrap();
    let error = import_into_postgres(&server, &export).unwrap_err();
    assert!(matches!(error, TransferError::Occupied(_)), "{error}");
}

#[test]
fn only_an_owner_of_the_tables_imports() {
    let Some(server) = TestDatabase::create() else { return };
    let dir = tempfile::tempdir().unwrap();
    let export = sample_export(dir.path());
    for role in ["trueup_client", "trueup_reader", "trueup_agent"] {
        let user = remote(&server.add_user(role));
        let reader = ExportReader::new(export.as_slice()).unwrap();
        let error = user.import(reader, PATIENCE, &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("permission denied"), "{role}: {error}");
    }
    let owner = remote(&server.add_user("trueup_owner"));
    let reader = ExportReader::new(export.as_slice()).unwrap();
    owner.import(reader, PATIENCE, &mut |_| {}).unwrap();
}

#[test]
fn a_text_that_postgresql_cannot_store_names_its_table() {
    let Some(server) = TestDatabase::create() else { return };
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from.db");
    create_sample(&from, ITEMS);
    let connection = rusqlite::Connection::open(&from).unwrap();
    connection.execute("UPDATE plans SET title = 'a' || char(0)", []).unwrap();
    let error = import_into_postgres(&server, &export_sqlite(&from)).unwrap_err().to_string();
    assert!(error.contains("a text of plans has a NUL character"), "{error}");
}
