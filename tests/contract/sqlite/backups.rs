//! A backup is a whole database, taken while others work.

use std::fs;

use trueup_core::model::EventFilter;
use trueup_core::store::Store as _;
use trueup_core::store::sqlite::SqliteStore;

use crate::fixture::{patience, sqlite};
use crate::request::{holder, item, phase, refused, register, session};

#[test]
fn a_backup_opens_as_what_was_copied() {
    let mut file = sqlite();
    holder(&mut file.store);
    let target = file.folder.path().join("copy.db");
    file.store.engine.backup(&target).unwrap();
    let me = session(&mut file.store, "s1");
    file.store.push(&phase(&me, "LATER")).unwrap();
    let mut copy = SqliteStore::open(&target, patience()).unwrap();
    assert_eq!(copy.lineage().unwrap(), file.store.lineage().unwrap());
    let kept = session(&mut copy, "s1");
    assert_eq!((kept.revision, kept.metadata), (me.revision, me.metadata));
    assert_eq!(item(&mut copy, "A").holder, Some(me.id));
    assert_eq!(copy.events(&EventFilter::default()).unwrap().len(), 4);
    assert_eq!(copy.check().unwrap(), Vec::<String>::new());
    register(&mut copy, "s2");
}

#[test]
fn a_copy_that_is_damaged_is_no_backup() {
    let mut file = sqlite();
    register(&mut file.store, "s1");
    // What an open does not see, and only a look at every row finds.
    file.stranger()
        .execute_batch(
            "PRAGMA ignore_check_constraints = ON;
             UPDATE claude_sessions SET status = 'none of ours'",
        )
        .unwrap();
    let target = file.folder.path().join("copy.db");
    refused(file.store.engine.backup(&target), "store_corrupt");
    assert!(!target.exists());
}

#[test]
fn a_backup_replaces_no_file() {
    let file = sqlite();
    let target = file.folder.path().join("copy.db");
    fs::write(&target, "mine").unwrap();
    refused(file.store.engine.backup(&target), "invalid");
    assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
    refused(
        file.store
            .engine
            .backup(&file.folder.path().join("none/copy.db")),
        "io",
    );
}

#[test]
fn a_backup_is_one_file() {
    let mut file = sqlite();
    holder(&mut file.store);
    let folder = tempfile::tempdir().unwrap();
    file.store
        .engine
        .backup(&folder.path().join("copy.db"))
        .unwrap();
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names, ["copy.db"]);
}
