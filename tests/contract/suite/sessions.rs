//! Sessions: registration, leases and metadata.

use serde_json::{Map, Value as Json, json};
use trueup_core::model::{
    ProcessId, ProcessPlace, QUIET_PERIOD_CEILING_SECONDS, Revision, SessionStatus,
};
use trueup_core::store::{HeartbeatRequest, KeyPage, SessionFilter, SessionRegistration};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_item, expect_refusal, foreign_keys_of, load_session, new_heartbeat,
    new_provenance, register_session, registration, session_id,
};

on_every_store! {
    a_session_registers_with_what_it_says
    registering_again_refreshes_and_keeps_what_is_not_said
    an_ended_session_that_registers_is_active_and_holds_what_it_held
    a_sign_of_life_renews_the_lease
    a_span_is_announced_and_kept
    a_new_session_has_every_key_of_the_contract
    metadata_merges_key_by_key_and_null_removes
    what_was_told_is_remembered
    sessions_are_listed_latest_sign_of_life_first
    a_page_of_sessions_is_in_the_order_of_ids
    an_end_keeps_the_claim_and_says_why
}

fn as_map(json: &Json) -> Map<String, Json> {
    json.as_object().unwrap().clone()
}

fn a_session_registers_with_what_it_says(f: &mut impl StoreFixture) {
    let process = ProcessId {
        pid: 42,
        started: Some(7),
        place: ProcessPlace {
            machine: Some("m".to_owned()),
            boot: Some("b".to_owned()),
            namespace: Some("n".to_owned()),
        },
    };
    let new = SessionRegistration {
        repo: Some("r".to_owned()),
        branch: Some("main".to_owned()),
        host: Some("h".to_owned()),
        process: Some(process.clone()),
        predecessor: Some(session_id("s0")),
        ..registration("s1")
    };
    let session = f.store().register_session(&new).unwrap();
    assert_eq!(session.status, SessionStatus::Active);
    assert_eq!(session.revision, Revision(1));
    assert_eq!(session.branch(), Some("main"));
    assert_eq!(session.process, Some(process));
    assert_eq!(session.predecessor, Some(session_id("s0")));
    assert_eq!((session.item.clone(), session.epoch), (None, None));
    assert!(!session.is_lease_expired());
    let read = load_session(f.store(), "s1");
    assert_eq!(read.worktree.as_deref(), Some("/w"));
    assert_eq!(read.heartbeat_at, session.heartbeat_at);
    assert_eq!(f.store().load_session(&session_id("s2")).unwrap(), None);
}

fn registering_again_refreshes_and_keeps_what_is_not_said(f: &mut impl StoreFixture) {
    let first = SessionRegistration {
        repo: Some("r".to_owned()),
        branch: Some("main".to_owned()),
        predecessor: Some(session_id("s0")),
        ..registration("s1")
    };
    f.store().register_session(&first).unwrap();
    f.advance_time(1_000);
    assert!(load_session(f.store(), "s1").is_lease_expired());
    let second = SessionRegistration {
        worktree: None,
        branch: Some("next".to_owned()),
        predecessor: Some(session_id("s9")),
        ..registration("s1")
    };
    let read = f.store().register_session(&second).unwrap();
    assert!(!read.is_lease_expired() && read.silence_seconds() == 0);
    assert_eq!(read.repo.as_deref(), Some("r"));
    assert_eq!(read.worktree.as_deref(), Some("/w"));
    assert_eq!(read.branch(), Some("next"));
    assert_eq!(read.predecessor, Some(session_id("s0")), "a predecessor is said once");
    assert_eq!(read.revision, Revision(1), "nothing a cache mirrors changed");
}

fn an_ended_session_that_registers_is_active_and_holds_what_it_held(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_item(f.store(), "A");
    let token = claim_item(f.store(), "s1", "A").item.epoch;
    f.store().end_session(&session_id("s1"), "logout", &new_provenance("s1")).unwrap();
    let again = register_session(f.store(), "s1");
    assert_eq!(again.status, SessionStatus::Active);
    assert_eq!(again.ended_reason, None);
    assert_eq!(again.epoch, Some(token));
}

fn a_sign_of_life_renews_the_lease(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    f.advance_time(600);
    assert!(load_session(f.store(), "s1").silence_seconds() >= 600);
    f.store().record_heartbeat(&new_heartbeat("s1")).unwrap();
    f.advance_time(600);
    assert!(!load_session(f.store(), "s1").is_lease_expired());
    let idle = HeartbeatRequest {
        status: Some(SessionStatus::Idle),
        lease_seconds: Some(10),
        ..new_heartbeat("s1")
    };
    f.store().record_heartbeat(&idle).unwrap();
    f.advance_time(11);
    let read = load_session(f.store(), "s1");
    assert_eq!(read.status, SessionStatus::Idle);
    assert!(read.is_lease_expired());
    f.store().end_session(&session_id("s1"), "x", &new_provenance("s1")).unwrap();
    f.store().record_heartbeat(&new_heartbeat("s1")).unwrap();
    assert_eq!(load_session(f.store(), "s1").status, SessionStatus::Ended);
}

fn a_span_is_announced_and_kept(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let announced =
        |seconds| HeartbeatRequest { quiet_seconds: Some(seconds), ..new_heartbeat("s1") };
    f.store().record_heartbeat(&announced(1_800)).unwrap();
    f.store().record_heartbeat(&new_heartbeat("s1")).unwrap();
    f.advance_time(1_700);
    assert!(load_session(f.store(), "s1").is_in_quiet_period());
    f.advance_time(200);
    assert!(!load_session(f.store(), "s1").is_in_quiet_period());
    // An announced quiet period counts up to its ceiling only.
    f.store().record_heartbeat(&announced(7_200)).unwrap();
    assert!(!load_session(f.store(), "s1").is_in_quiet_period(), "nobody grants that much");
    f.store().record_heartbeat(&announced(QUIET_PERIOD_CEILING_SECONDS)).unwrap();
    f.advance_time(QUIET_PERIOD_CEILING_SECONDS - 60);
    assert!(load_session(f.store(), "s1").is_in_quiet_period());
    f.advance_time(120);
    assert!(!load_session(f.store(), "s1").is_in_quiet_period());
}

fn a_new_session_has_every_key_of_the_contract(f: &mut impl StoreFixture) {
    let metadata = register_session(f.store(), "s1").metadata;
    let expected = json!({
        "branch": metadata["branch"], "auto_proceed": false, "chain_orchestrators": false,
        "execution_state": {
            "currentSd": null, "currentPhase": null, "currentTask": null, "isActive": false,
            "wasInterrupted": false, "lastUpdatedAt": null,
        },
    });
    assert_eq!(Json::Object(metadata), expected);
}

fn metadata_merges_key_by_key_and_null_removes(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1").id;
    let mut merge = |patch: Json| {
        f.store().merge_metadata(&session, &as_map(&patch), &new_provenance("x")).unwrap()
    };
    merge(json!({"a": 1, "deep": {"x": 1, "y": [1, null]}, "big": 12_345_678_901_234_u64}));
    merge(json!({"b": "é\n", "deep": {"z": {}}}));
    let read = merge(json!({"a": null, "deep": {"x": null}}));
    let expected = json!({"deep": {"y": [1, null], "z": {}}, "big": 12_345_678_901_234_u64,
                          "b": "é\n"});
    assert_eq!(Json::Object(foreign_keys_of(&read.metadata)), expected);
    assert_eq!(read.revision, Revision(1), "no cache mirrors these");
    let read = merge(json!({"auto_proceed": true}));
    assert_eq!(read.revision, Revision(2));
    let read = merge(json!({"execution_state": {"currentPhase": "PLAN"}}));
    assert_eq!(read.revision, Revision(3));
    assert_eq!(read.execution_state().work.phase.as_deref(), Some("PLAN"));
}

fn what_was_told_is_remembered(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1");
    f.store().acknowledge_revision(&session.id, session.revision).unwrap();
    assert_eq!(load_session(f.store(), "s1").acknowledged, session.revision);
    expect_refusal(f.store().acknowledge_revision(&session_id("s2"), Revision(1)), "invalid");
}

fn sessions_are_listed_latest_sign_of_life_first(f: &mut impl StoreFixture) {
    for name in ["s1", "s2", "s3"] {
        register_session(f.store(), name);
        f.advance_time(10);
    }
    let elsewhere =
        SessionRegistration { worktree: Some("/other".to_owned()), ..registration("s4") };
    f.store().register_session(&elsewhere).unwrap();
    f.store().end_session(&session_id("s2"), "x", &new_provenance("s2")).unwrap();
    let mut list = |filter: SessionFilter| -> Vec<String> {
        let found = f.store().list_sessions(&filter).unwrap();
        found.iter().map(|s| s.id.to_string()).collect()
    };
    assert_eq!(list(SessionFilter::default()), ["s4", "s3", "s2", "s1"]);
    let here = SessionFilter {
        statuses: SessionStatus::PRESENT.to_vec(),
        worktree: Some("/w".to_owned()),
        limit: 0,
        ..SessionFilter::default()
    };
    assert_eq!(list(here.clone()), ["s3", "s1"]);
    assert_eq!(list(SessionFilter { limit: 1, ..here }), ["s3"]);
}

fn a_page_of_sessions_is_in_the_order_of_ids(f: &mut impl StoreFixture) {
    for name in ["s2", "S1", "s4", "s3"] {
        register_session(f.store(), name);
        f.advance_time(10);
    }
    f.store().end_session(&session_id("s2"), "x", &new_provenance("s2")).unwrap();
    let mut list = |after: &str, limit, filter: SessionFilter| -> Vec<String> {
        let page = Some(KeyPage { after: after.to_owned(), limit });
        let found = f.store().list_sessions(&SessionFilter { page, ..filter }).unwrap();
        found.iter().map(|s| s.id.to_string()).collect()
    };
    let all = SessionFilter::default;
    assert_eq!(list("", 2, all()), ["S1", "s2"]);
    assert_eq!(list("s2", 2, all()), ["s3", "s4"]);
    assert_eq!(list("s4", 2, all()), [""; 0]);
    let present = SessionFilter { statuses: SessionStatus::PRESENT.to_vec(), ..all() };
    assert_eq!(list("", 2, present), ["S1", "s3"]);
    let elsewhere = SessionFilter { worktree: Some("/other".to_owned()), ..all() };
    assert_eq!(list("", 9, elsewhere), [""; 0]);
    assert_eq!(list("", 9, SessionFilter { prefix: Some("s".to_owned()), ..all() }).len(), 3);
}

fn an_end_keeps_the_claim_and_says_why(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_item(f.store(), "A");
    claim_item(f.store(), "s1", "A");
    let ended = f.store().end_session(&session_id("s1"), "logout", &new_provenance("s1")).unwrap();
    assert_eq!(ended.status, SessionStatus::Ended);
    assert_eq!(ended.ended_reason.as_deref(), Some("logout"));
    assert!(ended.item.is_some());
}
