//! Processes that work on the same items over PostgreSQL at the same time: no item has two holders,
//! no write is lost, and who follows the events meets every one.
//!
//! A worker is another run of this test program.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use support::postgres::{PgBouncer, TestDatabase};
use trueup_core::model::{
    Event, EventFilter, EventKind, FieldValue, ItemStatus, NextItem, RepoScope, Session, StateField,
};
use trueup_core::store::{
    ClaimNextRequest, ClaimStore as _, HookStore as _, ItemFilter, ItemStore as _, Store,
};

use crate::postgres_fixture::open_store;
use crate::requests::{
    LEASE_SECONDS, add_item, field_push, load_session, move_item, new_provenance, register_session,
    release_request, session_id,
};

const ITEM_COUNT: usize = 40;

/// The session whose task counts how many items were worked on.
const COUNTER: &str = "counter";

fn count_of(counter: &Session) -> u64 {
    let task = counter.execution_state().work.task;
    task.map_or(0, |count| count.parse().unwrap())
}

/// Adds one to the count: reads it, and writes on the condition that nobody else did meanwhile.
fn count_up(store: &mut dyn Store) {
    loop {
        let session = load_session(store, COUNTER);
        let value = FieldValue::Text(Some((count_of(&session) + 1).to_string()));
        match store.push_state(&field_push(&session, StateField::Task, value)) {
            Ok(_) => return,
            Err(error) => assert_eq!(error.code(), "conflict", "{error}"),
        }
    }
}

#[test]
#[ignore = "the other tests of this module run it"]
fn work_for_another_process() {
    let (url, me) = (std::env::var("TEST_URL").unwrap(), std::env::var("TEST_WORKER").unwrap());
    let mut store = open_store(&url);
    register_session(&mut store, &me);
    println!("READY");
    std::io::stdin().read_exact(&mut [0]).unwrap();
    loop {
        let request = ClaimNextRequest {
            session: session_id(&me),
            parent: None,
            scope: RepoScope::All,
            may_release_unfinished: false,
            lease_seconds: LEASE_SECONDS,
            provenance: new_provenance(&me),
        };
        let item = match store.claim_next_item(&request).unwrap().next {
            NextItem::Offer { item, .. } => item,
            NextItem::Nothing { .. } => return,
            other => panic!("{me}: {other:?}"),
        };
        println!("CLAIMED {} {}", item.key, item.epoch);
        count_up(&mut store);
        if item.epoch.0 == 1 && item.key.as_str().ends_with(['0', '3', '7']) {
            store.release(&release_request(&me, item.key.as_str())).unwrap();
        } else {
            move_item(&mut store, &me, item.key.as_str(), ItemStatus::Completed);
        }
    }
}

/// Starts a worker and waits until it is ready.
fn start_worker(url: &str, number: usize) -> Child {
    let mut worker = Command::new(std::env::current_exe().unwrap());
    worker.args(["process_races::work_for_another_process", "--exact", "--ignored", "--nocapture"]);
    worker.env("TEST_URL", url).env("TEST_WORKER", format!("w{number}"));
    let mut worker = worker.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    while !line.ends_with("READY\n") {
        line.push(read_char(worker.stdout.as_mut().unwrap()));
    }
    worker
}

/// Reads without reading ahead: what follows is read when the worker has ended.
fn read_char(stdout: &mut ChildStdout) -> char {
    let mut byte = [0];
    stdout.read_exact(&mut byte).unwrap();
    byte[0].into()
}

/// Follows the events until all workers have ended; returns them in the order in which they came.
fn follow_events(url: &str, is_over: &AtomicBool) -> Vec<Event> {
    let mut store = open_store(url);
    let mut seen: Vec<Event> = Vec::new();
    loop {
        // Asked before the look, so that the last look comes after the last event.
        let was_over = is_over.load(Ordering::SeqCst);
        let after = seen.last().map_or(0, |event| event.seq);
        let filter = EventFilter { after, ..EventFilter::default() };
        let news = store.list_events(&filter).unwrap();
        if news.is_empty() && was_over {
            return seen;
        }
        seen.extend(news);
    }
}

/// Lets processes work until nothing is left, and checks what they leave.
fn race(database: &TestDatabase, url: &str, processes: usize) {
    let mut store = open_store(url);
    register_session(&mut store, COUNTER);
    for number in 0..ITEM_COUNT {
        add_item(&mut store, &format!("i{number}"));
    }
    let mut workers: Vec<Child> = (0..processes).map(|number| start_worker(url, number)).collect();
    let is_over = AtomicBool::new(false);
    let (outputs, followed) = std::thread::scope(|scope| {
        let follower = scope.spawn(|| follow_events(url, &is_over));
        for worker in &mut workers {
            worker.stdin.take().unwrap().write_all(b"\n").unwrap();
        }
        let outputs: Vec<_> =
            workers.into_iter().map(|worker| worker.wait_with_output().unwrap()).collect();
        is_over.store(true, Ordering::SeqCst);
        (outputs, follower.join().unwrap())
    });
    let mut tokens = BTreeSet::new();
    for output in outputs {
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        for token in text.lines().filter_map(|line| line.strip_prefix("CLAIMED ")) {
            assert!(tokens.insert(token.to_owned()), "{token} was claimed twice");
        }
    }
    let items = store.list_items(&ItemFilter::default()).unwrap();
    assert!(items.iter().all(|item| item.status == ItemStatus::Completed), "{items:?}");
    let claims: u64 = items.iter().map(|item| item.epoch.0).sum();
    assert_eq!(tokens.len() as u64, claims, "a claim was lost");
    assert_eq!(count_of(&load_session(&mut store, COUNTER)), claims, "a push was lost");
    let events = store.list_events(&EventFilter::default()).unwrap();
    assert_eq!(followed, events, "who follows misses none");
    check_holders(&events);
    drop(store);
    database.clear();
}

/// Checks by the events that nobody claimed what another held.
fn check_holders(events: &[Event]) {
    let mut holders: BTreeMap<&str, &str> = BTreeMap::new();
    for event in events.iter().filter(|event| event.entity == "item") {
        if event.is_kind(EventKind::Claimed) {
            let holder = holders.insert(&event.key, &event.actor);
            assert_eq!(holder, None, "{event:?}");
        } else if event.is_kind(EventKind::Released) || event.after["status"] == "completed" {
            assert_eq!(holders.remove(event.key.as_str()), Some(event.actor.as_str()), "{event:?}");
        }
    }
    assert!(holders.is_empty(), "{holders:?}");
}

#[test]
fn two_and_eight_processes_share_the_work() {
    let Some(database) = TestDatabase::create() else { return };
    let url = database.add_user("trueup_client");
    for processes in [2, 8] {
        race(&database, &url, processes);
    }
}

#[test]
fn eight_processes_share_the_work_through_a_pooler() {
    let Some(database) = TestDatabase::create() else { return };
    let Some(pooler) = PgBouncer::shared() else { return };
    race(&database, &pooler.url(&database.add_user("trueup_client")), 8);
}
