//! Signs of life wait for no other writer of a shared database.

use std::thread;

use trueup_core::model::{Revision, SessionStatus};
use trueup_core::store::{HeartbeatRequest, HookStore as _, OrchestratorStore as _, StoreError};

use crate::fixture::new_sqlite;
use crate::postgres_fixture::SharedDatabase;
use crate::requests::{
    begin_run, list_events, new_heartbeat, new_provenance, phase_push, register_session, session_id,
};

#[test]
fn signs_of_life_are_recorded_while_another_connection_holds_the_turn() {
    let Some(shared) = SharedDatabase::create() else { return };
    let mut store = shared.open_store();
    let session = register_session(&mut store, "s1");
    let run = begin_run(&mut store, "o1", "p1");
    let events = list_events(&mut store).len();
    let turn = shared.database.hold_turn();
    store.record_heartbeat(&new_heartbeat("s1")).unwrap();
    let idle = HeartbeatRequest { status: Some(SessionStatus::Idle), ..new_heartbeat("s1") };
    store.record_heartbeat(&idle).unwrap();
    store.acknowledge_revision(&session.id, Revision(1)).unwrap();
    let heard = store.record_orchestrator_heartbeat(&run.id).unwrap();
    assert!(heard.heartbeat_at >= run.heartbeat_at);
    let after = store.load_session(&session.id).unwrap().unwrap();
    assert_eq!((after.status, after.acknowledged), (SessionStatus::Idle, Revision(1)));
    assert!(after.heartbeat_at >= session.heartbeat_at);
    assert_eq!(list_events(&mut store).len(), events);
    turn.release();
}

#[test]
fn what_writes_an_event_waits_for_its_turn() {
    let Some(shared) = SharedDatabase::create() else { return };
    let mut store = shared.open_store();
    let session = register_session(&mut store, "s1");
    register_session(&mut store, "s2");
    let provenance = new_provenance("s2");
    store.end_session(&session_id("s2"), "other", &provenance).unwrap();
    let turn = shared.database.hold_turn();
    thread::scope(|scope| {
        let push = scope.spawn(|| shared.open_store().push_state(&phase_push(&session, "PLAN")));
        // A heartbeat that brings an ended session back is news, and so has an event.
        let revive = scope.spawn(|| {
            let active =
                HeartbeatRequest { status: Some(SessionStatus::Active), ..new_heartbeat("s2") };
            shared.open_store().record_heartbeat(&active)
        });
        shared.database.await_waiting(2);
        turn.release();
        push.join().unwrap().unwrap();
        revive.join().unwrap().unwrap();
    });
    let kinds: Vec<String> = list_events(&mut store).into_iter().map(|event| event.kind).collect();
    assert!(
        kinds.contains(&"state".to_owned()) && kinds.contains(&"active".to_owned()),
        "{kinds:?}"
    );
}

#[test]
fn an_event_tells_who_called_a_shared_database_and_nobody_calls_an_embedded_one() {
    let mut embedded = new_sqlite();
    register_session(&mut embedded.store, "s1");
    assert_eq!(list_events(&mut embedded.store)[0].via, None);
    let Some(shared) = SharedDatabase::create() else { return };
    let mut store = shared.open_store();
    register_session(&mut store, "s1");
    let via = list_events(&mut store)[0].via.clone().unwrap();
    assert!(via.ends_with("_trueup_client"), "{via}");
}

#[test]
fn a_heartbeat_of_an_unknown_session_is_an_error() {
    let Some(shared) = SharedDatabase::create() else { return };
    let error = shared.open_store().record_heartbeat(&new_heartbeat("s9")).unwrap_err();
    assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
}
