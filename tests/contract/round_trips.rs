//! How many requests an operation needs of a database behind a network, and what becomes of one
//! whose answer is lost.

use std::cell::Cell;
use std::rc::Rc;

use support::postgres::TestDatabase;
use trueup_core::deadline::Deadline;
use trueup_core::model::{EventKind, FieldValue, StateField};
use trueup_core::settings::DatabaseAddress;
use trueup_core::store::{HookStore as _, Store as _};
use trueup_remote::{FailureKind, RemoteStore, RemoteTransport, Transport, TransportError};

use crate::postgres_fixture::new_postgres_through;
use crate::requests::{
    add_item, claim_request, field_push, list_events, new_heartbeat, new_provenance,
    register_session, session_id,
};

/// Counts requests, and loses the answer to the next commit where it is told to.
struct WatchedTransport {
    inner: RemoteTransport,
    address: DatabaseAddress,
    watch: Rc<Watch>,
}

#[derive(Default)]
struct Watch {
    requests: Cell<usize>,
    loses_next_commit: Cell<bool>,
}

impl Transport for WatchedTransport {
    fn exchange(&mut self, request: &str, deadline: Deadline) -> Result<String, TransportError> {
        self.watch.requests.set(self.watch.requests.get() + 1);
        let answer = self.inner.exchange(request, deadline)?;
        if request.contains(r#""mode":"commit""#) && self.watch.loses_next_commit.take() {
            let kind = FailureKind::ClosedMidway;
            return Err(TransportError {
                address: Box::new(self.address.clone()),
                kind,
                cause: None,
            });
        }
        Ok(answer)
    }
}

fn watched_store() -> Option<(TestDatabase, RemoteStore, Rc<Watch>)> {
    let watch = Rc::new(Watch::default());
    let watched = Rc::clone(&watch);
    let (database, store) = new_postgres_through(|inner, address| {
        Box::new(WatchedTransport { inner, address, watch: watched })
    })?;
    Some((database, store, watch))
}

impl Watch {
    /// Returns how many requests something needs.
    fn count(&self, operation: impl FnOnce()) -> usize {
        let before = self.requests.get();
        operation();
        self.requests.get() - before
    }
}

#[test]
fn signs_of_life_pushes_and_ends_need_one_request_and_a_claim_few() {
    let Some((_database, mut store, watch)) = watched_store() else {
        return;
    };
    let session = register_session(&mut store, "s1");
    let heartbeats = watch.count(|| store.record_heartbeat(&new_heartbeat("s1")).unwrap());
    assert_eq!(heartbeats, 1);
    let task = FieldValue::Text(Some("t".to_owned()));
    let push = field_push(&session, StateField::Task, task);
    assert_eq!(watch.count(|| drop(store.push_state(&push).unwrap())), 1);
    add_item(&mut store, "A");
    let claim = claim_request(&mut store, "s1", "A");
    let claims = watch.count(|| drop(store.claim(&claim).unwrap()));
    assert!(claims <= 3, "{claims} requests for a claim");
    let provenance = new_provenance("s1");
    let ends = watch.count(|| {
        store.end_session(&session_id("s1"), "other", &provenance).unwrap();
    });
    assert_eq!(ends, 1);
}

#[test]
fn a_commit_whose_answer_is_lost_is_carried_out_once_and_answered() {
    let Some((_database, mut store, watch)) = watched_store() else {
        return;
    };
    let session = register_session(&mut store, "s1");
    let task = FieldValue::Text(Some("t".to_owned()));
    let push = field_push(&session, StateField::Task, task);
    watch.loses_next_commit.set(true);
    let pushed = store.push_state(&push).unwrap();
    assert_eq!(pushed.execution_state().work.task.as_deref(), Some("t"));
    assert_eq!(pushed.revision.0, session.revision.0 + 1);
    add_item(&mut store, "A");
    let claim = claim_request(&mut store, "s1", "A");
    watch.loses_next_commit.set(true);
    assert_eq!(store.claim(&claim).unwrap().item.epoch.0, 1);
    let events = list_events(&mut store);
    let claims = events.iter().filter(|event| event.is_kind(EventKind::Claimed));
    assert_eq!(claims.count(), 1);
}
