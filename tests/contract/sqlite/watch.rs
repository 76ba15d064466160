//! Waiting for what others write.

use std::thread;
use std::time::Duration;

use trueup_core::store::sqlite::SqliteStore;

use crate::fixture::{patience, sqlite};
use crate::request::{add, events};

#[test]
fn a_write_of_another_ends_the_wait_and_nothing_before_it_is_missed() {
    let mut file = sqlite();
    let path = file.path();
    let reader = SqliteStore::open(&path, patience()).unwrap();
    let seen = reader.seen().unwrap();
    // Written between the note and the wait: the wait is over before it begins.
    add(&mut file.store, "A");
    let later = reader
        .wait_for_change(seen, Duration::ZERO)
        .unwrap()
        .unwrap();
    assert_ne!(later, seen);
    assert_eq!(reader.wait_for_change(later, Duration::ZERO).unwrap(), None);
    let waiter = thread::spawn(move || reader.wait_for_change(later, Duration::from_mins(2)));
    add(&mut file.store, "B");
    assert!(waiter.join().unwrap().unwrap().is_some());
}

#[test]
fn reading_ends_no_wait() {
    let file = sqlite();
    let seen = file.store.engine.seen().unwrap();
    let mut other = SqliteStore::open(&file.path(), patience()).unwrap();
    events(&mut other);
    let none = file
        .store
        .engine
        .wait_for_change(seen, Duration::from_millis(1));
    assert_eq!(none.unwrap(), None);
}
