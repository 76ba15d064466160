//! One database under many names: one log, one queue, one file.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::SqliteStore;
use crate::deadline::Deadline;
use crate::model::NewItem;
use crate::store::{ItemStore as _, Provenance, StoreError};

fn short_deadline() -> Deadline {
    Deadline::after(Duration::from_mins(1))
}

fn add_item(store: &mut SqliteStore, key: &str) {
    let item = NewItem::new(key.parse().unwrap());
    store.add_item(&item, &Provenance::new("me", "test")).unwrap();
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A folder with a real place and names that lead there; the database is at the first.
fn wal_and_queue_paths() -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("real/deep")).unwrap();
    fs::create_dir(at("links")).unwrap();
    symlink("../real/some.db", at("links/file.db")).unwrap();
    symlink(at("links/file.db"), at("links/twice.db")).unwrap();
    symlink("../real", at("links/folder")).unwrap();
    symlink("../real/deep", at("links/deep")).unwrap();
    let names = [
        "real/some.db",
        "links/file.db",
        "links/twice.db",
        "links/folder/some.db",
        "links/deep/../some.db",
        "real/./deep/../../links/file.db",
    ];
    let names = names.map(at).to_vec();
    (folder, names)
}

#[test]
fn a_database_has_one_log_and_one_queue_whatever_it_is_called() {
    for creator in 0..6 {
        let (folder, names) = wal_and_queue_paths();
        let at = |name: &str| folder.path().join(name);
        let links = names_in(&at("links"));
        // Behind a link that leads nowhere yet it is made where the link leads.
        let mut first = SqliteStore::open_or_create(&names[creator], short_deadline()).unwrap();
        for (number, name) in names.iter().enumerate() {
            let mut store = SqliteStore::open(name, short_deadline()).unwrap();
            add_item(&mut store, &format!("SD-{number}"));
            // What is waited for until it is on the disk is the log that was written to.
            let log = store.engine.connection.wal_path();
            assert!(fs::metadata(&log).unwrap().len() > 0, "{}", log.display());
            assert_eq!(log.canonicalize().unwrap(), at("real/some.db-wal").canonicalize().unwrap());
        }
        add_item(&mut first, "SD-9");
        drop(first);
        assert_eq!(names_in(&at("links")), links, "nothing lies beside a link");
        assert_eq!(
            names_in(&at("real")),
            ["deep", "some.db", "some.db.queue"],
            "made by {}",
            names[creator].display()
        );
        let mut store = SqliteStore::open(&names[0], short_deadline()).unwrap();
        assert_eq!(store.list_items(&crate::store::ItemFilter::default()).unwrap().len(), 7);
    }
}

#[test]
fn a_link_into_a_folder_that_is_not_there_gets_both() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    symlink("new/more/some.db", at("link.db")).unwrap();
    let mut store = SqliteStore::open_or_create(&at("link.db"), short_deadline()).unwrap();
    add_item(&mut store, "SD-1");
    assert!(at("new/more/some.db").is_file());
    assert!(at("new/more/some.db.queue").is_file());
}

#[test]
fn a_link_that_leads_to_itself_is_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    symlink("b.db", at("a.db")).unwrap();
    symlink("a.db", at("b.db")).unwrap();
    let error = SqliteStore::open_or_create(&at("a.db"), short_deadline()).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}

#[test]
fn a_second_name_by_a_hard_link_is_refused_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    drop(SqliteStore::open_or_create(&at("some.db"), short_deadline()).unwrap());
    fs::hard_link(at("some.db"), at("other.db")).unwrap();
    for name in ["some.db", "other.db"] {
        let error = SqliteStore::open_or_create(&at(name), short_deadline()).unwrap_err();
        assert!(error.to_string().contains("hard link"), "{error}");
    }
    fs::remove_file(at("other.db")).unwrap();
    SqliteStore::open(&at("some.db"), short_deadline()).unwrap();
}
