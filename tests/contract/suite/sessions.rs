//! Registration, leases, metadata.

use serde_json::{Map, Value as Json, json};
use trueup_core::model::{ProcessId, ProcessPlace, Revision, SPAN_CEILING_SECONDS, SessionStatus};
use trueup_core::store::{Heartbeat, Registration, SessionFilter};

use crate::fixture::Fixture;
use crate::request::{
    add, beat, by, claim, id, of_others, refused, register, registration, session,
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
    an_end_keeps_the_claim_and_says_why
}

fn map(json: &Json) -> Map<String, Json> {
    json.as_object().unwrap().clone()
}

fn a_session_registers_with_what_it_says(f: &mut impl Fixture) {
    let process = ProcessId {
        pid: 42,
        started: Some(7),
        place: ProcessPlace {
            machine: Some("m".to_owned()),
            boot: Some("b".to_owned()),
            namespace: Some("n".to_owned()),
        },
    };
    let new = Registration {
        repo: Some("r".to_owned()),
        branch: Some("main".to_owned()),
        host: Some("h".to_owned()),
        process: Some(process.clone()),
        predecessor: Some(id("s0")),
        ..registration("s1")
    };
    let made = f.store().register(&new).unwrap();
    assert_eq!(made.status, SessionStatus::Active);
    assert_eq!(made.revision, Revision(1));
    assert_eq!(made.branch(), Some("main"));
    assert_eq!(made.process, Some(process));
    assert_eq!(made.predecessor, Some(id("s0")));
    assert_eq!((made.item.clone(), made.epoch), (None, None));
    assert!(!made.lease_expired());
    let read = session(f.store(), "s1");
    assert_eq!(read.worktree.as_deref(), Some("/w"));
    assert_eq!(read.heartbeat_at, made.heartbeat_at);
    assert_eq!(f.store().session(&id("s2")).unwrap(), None);
}

fn registering_again_refreshes_and_keeps_what_is_not_said(f: &mut impl Fixture) {
    let first = Registration {
        repo: Some("r".to_owned()),
        branch: Some("main".to_owned()),
        predecessor: Some(id("s0")),
        ..registration("s1")
    };
    f.store().register(&first).unwrap();
    f.advance(1_000);
    assert!(session(f.store(), "s1").lease_expired());
    let second = Registration {
        worktree: None,
        branch: Some("next".to_owned()),
        predecessor: Some(id("s9")),
        ..registration("s1")
    };
    let read = f.store().register(&second).unwrap();
    assert!(!read.lease_expired() && read.silence_seconds() == 0);
    assert_eq!(read.repo.as_deref(), Some("r"));
    assert_eq!(read.worktree.as_deref(), Some("/w"));
    assert_eq!(read.branch(), Some("next"));
    assert_eq!(
        read.predecessor,
        Some(id("s0")),
        "a predecessor is said once"
    );
    assert_eq!(
        read.revision,
        Revision(1),
        "nothing a cache mirrors changed"
    );
}

fn an_ended_session_that_registers_is_active_and_holds_what_it_held(f: &mut impl Fixture) {
    register(f.store(), "s1");
    add(f.store(), "A");
    let fence = claim(f.store(), "s1", "A").item.epoch;
    f.store().end(&id("s1"), "logout", &by("s1")).unwrap();
    let again = register(f.store(), "s1");
    assert_eq!(again.status, SessionStatus::Active);
    assert_eq!(again.ended_reason, None);
    assert_eq!(again.epoch, Some(fence));
}

fn a_sign_of_life_renews_the_lease(f: &mut impl Fixture) {
    register(f.store(), "s1");
    f.advance(600);
    assert!(session(f.store(), "s1").silence_seconds() >= 600);
    f.store().heartbeat(&beat("s1")).unwrap();
    f.advance(600);
    assert!(!session(f.store(), "s1").lease_expired());
    let idle = Heartbeat {
        status: Some(SessionStatus::Idle),
        lease_seconds: Some(10),
        ..beat("s1")
    };
    f.store().heartbeat(&idle).unwrap();
    f.advance(11);
    let read = session(f.store(), "s1");
    assert_eq!(read.status, SessionStatus::Idle);
    assert!(read.lease_expired());
    f.store().end(&id("s1"), "x", &by("s1")).unwrap();
    f.store().heartbeat(&beat("s1")).unwrap();
    assert_eq!(session(f.store(), "s1").status, SessionStatus::Ended);
}

fn a_span_is_announced_and_kept(f: &mut impl Fixture) {
    register(f.store(), "s1");
    let announced = |seconds| Heartbeat {
        span_seconds: Some(seconds),
        ..beat("s1")
    };
    f.store().heartbeat(&announced(1_800)).unwrap();
    f.store().heartbeat(&beat("s1")).unwrap();
    f.advance(1_700);
    assert!(session(f.store(), "s1").in_declared_span());
    f.advance(200);
    assert!(!session(f.store(), "s1").in_declared_span());
    // However long a silence was announced, it is honoured up to its ceiling alone.
    f.store().heartbeat(&announced(7_200)).unwrap();
    assert!(
        !session(f.store(), "s1").in_declared_span(),
        "nobody grants that much"
    );
    f.store()
        .heartbeat(&announced(SPAN_CEILING_SECONDS))
        .unwrap();
    f.advance(SPAN_CEILING_SECONDS - 60);
    assert!(session(f.store(), "s1").in_declared_span());
    f.advance(120);
    assert!(!session(f.store(), "s1").in_declared_span());
}

fn a_new_session_has_every_key_of_the_contract(f: &mut impl Fixture) {
    let metadata = register(f.store(), "s1").metadata;
    let expected = json!({
        "branch": metadata["branch"], "auto_proceed": false, "chain_orchestrators": false,
        "execution_state": {
            "currentSd": null, "currentPhase": null, "currentTask": null, "isActive": false,
            "wasInterrupted": false, "lastUpdatedAt": null,
        },
    });
    assert_eq!(Json::Object(metadata), expected);
}

fn metadata_merges_key_by_key_and_null_removes(f: &mut impl Fixture) {
    let me = register(f.store(), "s1").id;
    let mut merge = |patch: Json| {
        f.store()
            .merge_metadata(&me, &map(&patch), &by("x"))
            .unwrap()
    };
    merge(json!({"a": 1, "deep": {"x": 1, "y": [1, null]}, "big": 12_345_678_901_234_u64}));
    merge(json!({"b": "é\n", "deep": {"z": {}}}));
    let read = merge(json!({"a": null, "deep": {"x": null}}));
    let expected = json!({"deep": {"y": [1, null], "z": {}}, "big": 12_345_678_901_234_u64,
                          "b": "é\n"});
    assert_eq!(Json::Object(of_others(&read.metadata)), expected);
    assert_eq!(read.revision, Revision(1), "no cache mirrors these");
    let read = merge(json!({"auto_proceed": true}));
    assert_eq!(read.revision, Revision(2));
    let read = merge(json!({"execution_state": {"currentPhase": "PLAN"}}));
    assert_eq!(read.revision, Revision(3));
    assert_eq!(read.execution_state().work.phase.as_deref(), Some("PLAN"));
}

fn what_was_told_is_remembered(f: &mut impl Fixture) {
    let made = register(f.store(), "s1");
    f.store().acknowledge(&made.id, made.revision).unwrap();
    assert_eq!(session(f.store(), "s1").acknowledged, made.revision);
    refused(f.store().acknowledge(&id("s2"), Revision(1)), "invalid");
}

fn sessions_are_listed_latest_sign_of_life_first(f: &mut impl Fixture) {
    for name in ["s1", "s2", "s3"] {
        register(f.store(), name);
        f.advance(10);
    }
    let elsewhere = Registration {
        worktree: Some("/other".to_owned()),
        ..registration("s4")
    };
    f.store().register(&elsewhere).unwrap();
    f.store().end(&id("s2"), "x", &by("s2")).unwrap();
    let mut list = |filter: SessionFilter| -> Vec<String> {
        let found = f.store().sessions(&filter).unwrap();
        found.iter().map(|s| s.id.to_string()).collect()
    };
    assert_eq!(list(SessionFilter::default()), ["s4", "s3", "s2", "s1"]);
    let here = SessionFilter {
        statuses: SessionStatus::PRESENT,
        worktree: Some("/w".to_owned()),
        limit: 0,
        ..SessionFilter::default()
    };
    assert_eq!(list(here.clone()), ["s3", "s1"]);
    assert_eq!(list(SessionFilter { limit: 1, ..here }), ["s3"]);
}

fn an_end_keeps_the_claim_and_says_why(f: &mut impl Fixture) {
    register(f.store(), "s1");
    add(f.store(), "A");
    claim(f.store(), "s1", "A");
    let ended = f.store().end(&id("s1"), "logout", &by("s1")).unwrap();
    assert_eq!(ended.status, SessionStatus::Ended);
    assert_eq!(ended.ended_reason.as_deref(), Some("logout"));
    assert!(ended.item.is_some());
}
