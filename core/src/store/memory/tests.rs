//! What this store refuses beyond the others; what it shares is in `tests/contract`.

use std::collections::BTreeMap;

use super::MemoryStore;
use crate::model::{
    ClaimGrant, ClaimOutcome, Epoch, Field, NewItem, Revision, Session, SessionId, Value,
};
use crate::store::{ClaimRequest, Provenance, Push, Registration, Store};

fn store() -> (MemoryStore, Session) {
    let mut store = MemoryStore::new();
    let registration = Registration {
        session: "s1".parse().unwrap(),
        repo: None,
        worktree: None,
        branch: None,
        host: None,
        process: None,
        predecessor: None,
        lease_seconds: 900,
        provenance: Provenance::new("s1", ""),
    };
    let session = store.register(&registration).unwrap();
    (store, session)
}

fn push(session: &Session, field: Field, value: Value) -> Push {
    Push {
        session: session.id.clone(),
        base: session.revision,
        fence: None,
        changes: BTreeMap::from([(field, value)]),
        branch: None,
        mark: None,
        acknowledge: false,
        provenance: Provenance::new("s1", ""),
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_refused() {
    let (mut store, session) = store();
    for (field, value) in [
        (Field::Phase, Value::Flag(true)),
        (Field::IsActive, Value::Text(None)),
    ] {
        let error = store.push(&push(&session, field, value)).unwrap_err();
        assert_eq!(error.code(), "invalid");
    }
}

#[test]
fn an_operation_id_is_used_for_one_operation() {
    let (mut store, session) = store();
    let first = push(&session, Field::IsActive, Value::Flag(true));
    store.push(&first).unwrap();
    let error = store.end(&session.id, "x", &first.provenance).unwrap_err();
    assert!(error.to_string().contains("was used for push"), "{error}");
    let nameless = Provenance {
        op_id: String::new(),
        ..Provenance::new("s1", "")
    };
    assert_eq!(
        store.end(&session.id, "x", &nameless).unwrap_err().code(),
        "invalid"
    );
    let actorless = Provenance::new("", "");
    assert_eq!(
        store
            .checkpoint(&session.id, 1, &actorless)
            .unwrap_err()
            .code(),
        "invalid"
    );
}

#[test]
fn what_never_was_cannot_be_told() {
    let (mut store, session) = store();
    let next = Revision(session.revision.0 + 1);
    assert_eq!(
        store.acknowledge(&session.id, next).unwrap_err().code(),
        "invalid"
    );
}

#[test]
fn an_outcome_must_fit_its_conditions() {
    let (mut store, session) = store();
    let other: SessionId = "s2".parse().unwrap();
    let item = NewItem::new("A".parse().unwrap());
    store.add_item(&item, &Provenance::new("s1", "")).unwrap();
    for (outcome, holder) in [
        (ClaimOutcome::Claimed, Some(other)),
        (ClaimOutcome::AlreadyOwned, None),
        (ClaimOutcome::TakenOver("x"), None),
        (ClaimOutcome::TakenOver("x"), Some(session.id.clone())),
    ] {
        let request = ClaimRequest {
            grant: ClaimGrant {
                session: session.id.clone(),
                item: item.key.clone(),
                expected_holder: holder,
                expected_epoch: Epoch(0),
                holder_seen_at: None,
                outcome,
            },
            span_seconds: None,
            lease_seconds: 900,
            provenance: Provenance::new("s1", ""),
        };
        assert_eq!(store.claim(&request).unwrap_err().code(), "invalid");
    }
}

#[test]
fn the_clock_stands_still_until_it_is_moved() {
    let (mut store, _) = store();
    let before = store.now().unwrap();
    assert_eq!(store.now().unwrap(), before);
    store.advance(5);
    assert_eq!(store.now().unwrap().seconds_since(before), 5);
    assert_eq!(before.to_string(), "2026-02-02T03:00:00.000Z");
}
