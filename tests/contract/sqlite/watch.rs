//! Waiting for writes of others.

use std::thread;
use std::time::Duration;

use trueup_core::store::CommandStore as _;
use trueup_core::store::sqlite::SqliteStore;

use crate::fixture::{new_sqlite, test_deadline};
use crate::requests::{add_item, list_events};

#[test]
fn a_write_of_another_ends_the_wait_and_nothing_before_it_is_missed() {
    let mut file = new_sqlite();
    let path = file.path();
    let mut reader = SqliteStore::open(&path, test_deadline()).unwrap();
    let seen = reader.change_mark().unwrap();
    // Written between the reading and the wait, so the wait ends at once.
    add_item(&mut file.store, "A");
    let later = reader.wait_for_change(seen, Duration::ZERO).unwrap().unwrap();
    assert_ne!(later, seen);
    assert_eq!(reader.wait_for_change(later, Duration::ZERO).unwrap(), None);
    let waiter = thread::spawn(move || reader.wait_for_change(later, Duration::from_mins(2)));
    add_item(&mut file.store, "B");
    assert!(waiter.join().unwrap().unwrap().is_some());
}

#[test]
fn reading_ends_no_wait() {
    let mut file = new_sqlite();
    let seen = file.store.engine.change_mark().unwrap();
    let mut other = SqliteStore::open(&file.path(), test_deadline()).unwrap();
    list_events(&mut other);
    let change = file.store.engine.wait_for_change(seen, Duration::from_millis(1));
    assert_eq!(change.unwrap(), None);
}
