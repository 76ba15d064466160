//! Concurrent writes: no update is lost, and one claim wins.

use std::sync::Barrier;
use std::thread;

use serde_json::{Map, json};
use trueup_core::model::{Epoch, FieldValue, StateField};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{ClaimStore as _, HookStore as _, SessionStore as _, StoreError};

use crate::fixture::{new_sqlite, test_deadline};
use crate::requests::{
    add_item, claim_request, field_push, foreign_keys_of, item_key, list_event_kinds, list_events,
    load_item, load_session, new_provenance, register_session, session_id,
};

pub(super) const THREADS: usize = 32;

/// Runs work on many threads, each with its own connection, all starting at the same moment.
pub(super) fn run_at_once<T: Send>(
    path: &std::path::Path,
    work: impl Fn(usize, &mut SqliteStore) -> T + Sync,
) -> Vec<T> {
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                let (start, work) = (&start, &work);
                scope.spawn(move || {
                    let mut store = SqliteStore::open(path, test_deadline()).unwrap();
                    start.wait();
                    work(n, &mut store)
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

#[test]
fn many_create_one_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/t.db");
    let start = Barrier::new(THREADS);
    let lineages: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                let (start, path) = (&start, &path);
                scope.spawn(move || {
                    start.wait();
                    let mut store = SqliteStore::open_or_create(path, test_deadline()).unwrap();
                    register_session(&mut store, &format!("s{n}"));
                    store.load_lineage().unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(lineages.iter().all(|l| *l == lineages[0]), "{lineages:?}");
    let mut store = SqliteStore::open(&path, test_deadline()).unwrap();
    assert_eq!(
        store.list_sessions(&trueup_core::store::SessionFilter::default()).unwrap().len(),
        THREADS
    );
    let left = std::fs::read_dir(dir.path().join("deep")).unwrap();
    let drafts = left.filter(|e| {
        e.as_ref().unwrap().file_name().to_string_lossy().starts_with(".new-database-")
    });
    assert_eq!(drafts.count(), 0);
}

#[test]
fn many_merge_different_keys_and_none_is_lost() {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    run_at_once(&file.path(), |n, store| {
        for round in 0..4 {
            let patch = Map::from_iter([(format!("k{n}-{round}"), json!(round))]);
            store.merge_metadata(&session_id("s1"), &patch, &new_provenance("s1")).unwrap();
        }
    });
    let metadata = load_session(&mut file.store, "s1").metadata;
    assert_eq!(foreign_keys_of(&metadata).len(), THREADS * 4);
    let seen = list_event_kinds(&mut file.store, 0);
    assert_eq!(seen.iter().filter(|k| *k == "s1 metadata").count(), THREADS * 4);
}

#[test]
fn many_push_on_one_revision_and_each_that_took_effect_counts_once() {
    let mut file = new_sqlite();
    let before = register_session(&mut file.store, "s1").revision.0;
    let tries = run_at_once(&file.path(), |n, store| {
        let mut tries = 0;
        loop {
            tries += 1;
            let session = store.load_session(&session_id("s1")).unwrap().unwrap();
            let task = FieldValue::Text(Some(format!("task {n}")));
            match store.push_state(&field_push(&session, StateField::Task, task)) {
                Ok(_) => return tries,
                Err(StoreError::Conflict(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
    });
    assert!(tries.iter().all(|t| *t >= 1));
    assert_eq!(load_session(&mut file.store, "s1").revision.0, before + THREADS as u64);
}

#[test]
fn many_claim_one_item_and_one_wins() {
    let mut file = new_sqlite();
    add_item(&mut file.store, "A");
    for n in 0..THREADS {
        register_session(&mut file.store, &format!("s{n}"));
    }
    let template = claim_request(&mut file.store, "s0", "A");
    let won = run_at_once(&file.path(), |n, store| {
        let mut request = template.clone();
        request.grant.session = session_id(&format!("s{n}"));
        request.provenance = new_provenance(&format!("s{n}"));
        match store.claim(&request) {
            Ok(_) => true,
            Err(StoreError::Conflict(_)) => false,
            Err(other) => panic!("{other}"),
        }
    });
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    let winner = won.iter().position(|won| *won).unwrap();
    let item = load_item(&mut file.store, "A");
    assert_eq!(item.holder, Some(session_id(&format!("s{winner}"))));
    assert_eq!(item.epoch, Epoch(1));
    assert_eq!(list_events(&mut file.store).iter().filter(|e| e.kind == "claimed").count(), 1);
}

#[test]
fn many_swap_items_and_each_holds_one() {
    let mut file = new_sqlite();
    for n in 0..THREADS {
        register_session(&mut file.store, &format!("s{n}"));
        add_item(&mut file.store, &format!("A{n}"));
    }
    run_at_once(&file.path(), |n, store| {
        for step in 0..3 {
            let wanted = format!("A{}", (n * 7 + step) % THREADS);
            let request = claim_request(store, &format!("s{n}"), &wanted);
            match store.claim(&request) {
                Ok(_) | Err(StoreError::Conflict(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
    });
    for n in 0..THREADS {
        let session = load_session(&mut file.store, &format!("s{n}"));
        if let Some(held) = session.item {
            assert_eq!(load_item(&mut file.store, held.as_str()).holder, Some(session.id));
        }
        let one = load_item(&mut file.store, &format!("A{n}"));
        let claims = list_events(&mut file.store)
            .iter()
            .filter(|e| e.key == one.key.as_str())
            .filter(|e| ["claimed", "taken_over"].contains(&e.kind.as_str()))
            .count();
        assert_eq!(one.epoch.0, claims as u64, "every claim raises the fence by one");
    }
    assert!(file.store.load_item(&item_key("A0")).unwrap().is_some());
}
