//! A backup is a complete database, even if others write meanwhile.

use std::fs;

use trueup_core::model::EventFilter;
use trueup_core::store::HookStore as _;
use trueup_core::store::sqlite::SqliteStore;

use crate::fixture::{new_sqlite, test_deadline};
use crate::requests::{
    expect_refusal, load_item, load_session, phase_push, register_holder, register_session,
};

#[test]
fn a_backup_opens_as_what_was_copied() {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    let target = file.dir.path().join("copy.db");
    file.store.engine.back_up(&target).unwrap();
    let own_session = load_session(&mut file.store, "s1");
    file.store.push_state(&phase_push(&own_session, "LATER")).unwrap();
    let mut copy = SqliteStore::open(&target, test_deadline()).unwrap();
    assert_eq!(copy.load_lineage().unwrap(), file.store.load_lineage().unwrap());
    let session = load_session(&mut copy, "s1");
    assert_eq!((session.revision, session.metadata), (own_session.revision, own_session.metadata));
    assert_eq!(load_item(&mut copy, "A").holder, Some(own_session.id));
    assert_eq!(copy.list_events(&EventFilter::default()).unwrap().len(), 4);
    assert_eq!(copy.check_integrity().unwrap(), Vec::<String>::new());
    register_session(&mut copy, "s2");
}

#[test]
fn a_copy_that_is_damaged_is_no_backup() {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    // Damage that opening does not notice, and only reading every row finds.
    file.open_foreign_connection()
        .execute_batch(
            "PRAGMA ignore_check_constraints = ON;
             UPDATE claude_sessions SET status = 'none of ours'",
        )
        .unwrap();
    let target = file.dir.path().join("copy.db");
    expect_refusal(file.store.engine.back_up(&target), "store_corrupt");
    assert!(!target.exists());
}

#[test]
fn a_backup_replaces_no_file() {
    let file = new_sqlite();
    let target = file.dir.path().join("copy.db");
    fs::write(&target, "mine").unwrap();
    expect_refusal(file.store.engine.back_up(&target), "invalid");
    assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
    expect_refusal(file.store.engine.back_up(&file.dir.path().join("none/copy.db")), "io");
}

#[test]
fn a_backup_is_one_file() {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    let dir = tempfile::tempdir().unwrap();
    file.store.engine.back_up(&dir.path().join("copy.db")).unwrap();
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["copy.db"]);
}
