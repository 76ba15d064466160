//! Writers that bypass the write queue: waiting for them is bounded, and reading never waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Map, json};
use trueup_core::deadline::Deadline;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{HookStore as _, RetryAdvice};

use crate::fixture::{new_sqlite, test_deadline};
use crate::requests::{
    add_item, expect_refusal, foreign_keys_of, load_session, new_provenance, phase_push,
    register_holder, register_session, session_id,
};

#[test]
fn a_write_that_others_keep_out_until_the_deadline_is_contended() {
    let mut file = new_sqlite();
    register_holder(&mut file.store);
    let foreign_connection = file.open_foreign_connection();
    foreign_connection.execute_batch("BEGIN IMMEDIATE; UPDATE work_items SET title = 'x'").unwrap();
    let soon = Deadline::after(Duration::ZERO);
    let mut store = SqliteStore::open(&file.path(), soon).unwrap();
    let session = load_session(&mut store, "s1");
    let error = expect_refusal(store.push_state(&phase_push(&session, "PLAN")), "store_contended");
    assert_eq!(error.retry_advice(), RetryAdvice::Retry);
    assert_eq!(load_session(&mut store, "s1").revision, session.revision);
    foreign_connection.execute_batch("ROLLBACK").unwrap();
    store.push_state(&phase_push(&session, "PLAN")).unwrap();
}

#[test]
fn others_that_write_plain_sql_all_the_time_fail_no_write() {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    add_item(&mut file.store, "A");
    let path = file.path();
    let foreign_connections: Vec<_> = (0..2).map(|_| file.open_foreign_connection()).collect();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        for foreign_connection in foreign_connections {
            let is_done = &is_done;
            scope.spawn(move || {
                while !is_done.load(Ordering::Relaxed) {
                    foreign_connection
                        .execute("UPDATE work_items SET position = coalesce(position, 0) + 1", [])
                        .unwrap();
                }
            });
        }
        let workers: Vec<_> = (0..4)
            .map(|n| {
                let path = &path;
                scope.spawn(move || {
                    let mut store = SqliteStore::open(path, test_deadline()).unwrap();
                    for round in 0..50 {
                        let key = Map::from_iter([(format!("k{n}-{round}"), json!(1))]);
                        store.merge_metadata(&session_id("s1"), &key, &new_provenance("s1"))?;
                    }
                    trueup_core::store::Result::Ok(())
                })
            })
            .collect();
        let answers: Vec<_> = workers.into_iter().map(|w| w.join().unwrap()).collect();
        is_done.store(true, Ordering::Relaxed);
        for answer in answers {
            answer.unwrap();
        }
    });
    let metadata = load_session(&mut file.store, "s1").metadata;
    assert_eq!(foreign_keys_of(&metadata).len(), 200);
}
