//! Changes of state, conditional on revision and claim.

use serde_json::{Map, json};
use trueup_core::model::{Epoch, EventFilter, FieldValue, Revision, Session, StateField};
use trueup_core::store::{InterruptionMark, StatePush, Store, StoreError};
use trueup_core::sync::{PushOutcome, RetriedPush, push_with_retry};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_item, expect_refusal, field_push, item_key, last_event_id, load_item,
    load_session, new_provenance, phase_push, register_holder, register_session, release_request,
};

on_every_store! {
    a_push_on_the_present_revision_raises_it_by_one
    a_push_on_an_old_revision_changes_nothing
    a_push_under_a_lost_claim_changes_nothing
    a_push_under_the_present_claim_goes_through
    the_phase_of_a_holder_is_also_the_items
    an_empty_text_is_no_text
    a_nul_is_kept_or_refused_by_name
    moments_are_marked_and_counted
    own_changes_need_not_be_told_but_foreign_ones_do
    a_push_of_a_branch_alone_is_seen
    other_keys_change_with_the_state_or_not_at_all
    what_was_resumed_meanwhile_is_not_resumed_again
    what_is_in_place_is_not_written
}

fn a_push_on_the_present_revision_raises_it_by_one(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1");
    let mut push = phase_push(&session, "PLAN");
    push.changes.insert(StateField::AutoProceed, FieldValue::Flag(true));
    let after = f.store().push_state(&push).unwrap();
    assert_eq!(after.revision, Revision(2));
    let state = after.execution_state();
    assert_eq!(state.work.phase.as_deref(), Some("PLAN"));
    assert!(state.work.auto_proceed);
    assert!(state.history.last_updated_at.is_some());
    assert_eq!(load_session(f.store(), "s1").revision, Revision(2));
}

fn a_push_on_an_old_revision_changes_nothing(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1");
    f.store().push_state(&phase_push(&session, "PLAN")).unwrap();
    expect_refusal(f.store().push_state(&phase_push(&session, "EXEC")), "conflict");
    let ahead = StatePush { base: Revision(u64::MAX), ..phase_push(&session, "EXEC") };
    expect_refusal(f.store().push_state(&ahead), "conflict");
    let after = load_session(f.store(), "s1");
    assert_eq!(after.revision, Revision(2));
    assert_eq!(after.execution_state().work.phase.as_deref(), Some("PLAN"));
}

fn a_push_under_a_lost_claim_changes_nothing(f: &mut impl StoreFixture) {
    let token = register_holder(f.store());
    register_session(f.store(), "s2");
    claim_item(f.store(), "s2", "A");
    let session = load_session(f.store(), "s1");
    let push =
        StatePush { fencing_token: Some((item_key("A"), token)), ..phase_push(&session, "EXEC") };
    expect_refusal(f.store().push_state(&push), "conflict");
    assert_eq!(load_session(f.store(), "s1").revision, session.revision);
    f.store().release(&release_request("s2", "A")).unwrap();
    let free = claim_item(f.store(), "s1", "A").item.epoch;
    assert!(free > token);
    let session = load_session(f.store(), "s1");
    let old =
        StatePush { fencing_token: Some((item_key("A"), token)), ..phase_push(&session, "EXEC") };
    expect_refusal(f.store().push_state(&old), "conflict");
}

fn a_push_under_the_present_claim_goes_through(f: &mut impl StoreFixture) {
    let token = register_holder(f.store());
    let session = load_session(f.store(), "s1");
    let push = |epoch: Epoch| StatePush {
        fencing_token: Some((item_key("A"), epoch)),
        ..phase_push(&session, "EXEC")
    };
    expect_refusal(f.store().push_state(&push(Epoch(token.0 + 1))), "conflict");
    let after = f.store().push_state(&push(token)).unwrap();
    assert_eq!(after.revision.0, session.revision.0 + 1);
}

fn the_phase_of_a_holder_is_also_the_items(f: &mut impl StoreFixture) {
    register_holder(f.store());
    add_item(f.store(), "B");
    let before = load_item(f.store(), "A").revision;
    let session = load_session(f.store(), "s1");
    let session = f.store().push_state(&phase_push(&session, "EXEC")).unwrap();
    assert_eq!(load_item(f.store(), "A").phase.as_deref(), Some("EXEC"));
    assert_eq!(load_item(f.store(), "A").revision.0, before.0 + 1);
    assert_eq!(load_item(f.store(), "B").phase, None);
    f.store().push_state(&field_push(&session, StateField::Phase, FieldValue::Text(None))).unwrap();
    assert_eq!(load_item(f.store(), "A").phase, None);
}

fn an_empty_text_is_no_text(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1");
    let text = "two\nlines \u{1b}[0m \\u0000 \"é\"";
    let set = field_push(&session, StateField::Task, FieldValue::Text(Some(text.to_owned())));
    let session = f.store().push_state(&set).unwrap();
    assert_eq!(session.execution_state().work.task.as_deref(), Some(text));
    let session = f
        .store()
        .push_state(&field_push(&session, StateField::Task, FieldValue::Text(None)))
        .unwrap();
    assert_eq!(session.execution_state().work.task, None);
}

/// PostgreSQL has no text with this character.
fn a_nul_is_kept_or_refused_by_name(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1");
    let text = "a\0b";
    let set = field_push(&session, StateField::Task, FieldValue::Text(Some(text.to_owned())));
    match f.store().push_state(&set) {
        Ok(session) => assert_eq!(session.execution_state().work.task.as_deref(), Some(text)),
        Err(StoreError::Invalid { message, .. }) => assert!(message.contains("NUL"), "{message}"),
        Err(error) => panic!("{error}"),
    }
}

fn moments_are_marked_and_counted(f: &mut impl StoreFixture) {
    let mut session = register_session(f.store(), "s1");
    let mut flag = false;
    let mut mark = |mark: InterruptionMark| {
        flag = !flag;
        let push = StatePush {
            mark: Some(mark),
            ..field_push(&session, StateField::WasInterrupted, FieldValue::Flag(flag))
        };
        session = f.store().push_state(&push).unwrap();
        session.execution_state().history
    };
    let history = mark(InterruptionMark::Interrupted);
    assert!(history.last_interrupted_at.is_some() && history.last_resumed_at.is_none());
    assert_eq!(history.resume_count, None);
    assert_eq!(mark(InterruptionMark::Resumed).resume_count, Some(1));
    let history = mark(InterruptionMark::Resumed);
    assert_eq!(history.resume_count, Some(2));
    assert!(history.last_resumed_at.is_some() && history.last_interrupted_at.is_some());
    let history = mark(InterruptionMark::HistoryCleared);
    assert_eq!(history.resume_count, Some(0));
    assert_eq!((history.last_interrupted_at, history.last_resumed_at), (None, None));
}

fn own_changes_need_not_be_told_but_foreign_ones_do(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1");
    f.store().acknowledge_revision(&session.id, session.revision).unwrap();
    let own = |push: StatePush| StatePush { acknowledge: true, ..push };
    let session = f.store().push_state(&own(phase_push(&session, "PLAN"))).unwrap();
    assert_eq!(session.acknowledged, session.revision);
    let foreign = serde_json::json!({"auto_proceed": true});
    let session = f
        .store()
        .merge_metadata(&session.id, foreign.as_object().unwrap(), &new_provenance("other"))
        .unwrap();
    assert!(session.acknowledged < session.revision);
    let session = f.store().push_state(&own(phase_push(&session, "EXEC"))).unwrap();
    assert!(session.acknowledged < session.revision, "the foreign change stays untold");
}

fn a_push_of_a_branch_alone_is_seen(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1");
    let push = StatePush {
        changes: std::collections::BTreeMap::new(),
        branch: Some("feat/x".to_owned()),
        ..phase_push(&session, "")
    };
    let session = f.store().push_state(&push).unwrap();
    assert_eq!(session.branch(), Some("feat/x"));
    assert!(session.acknowledged <= session.revision);
}

fn other_keys_change_with_the_state_or_not_at_all(f: &mut impl StoreFixture) {
    let session = register_session(f.store(), "s1");
    let metadata = Map::from_iter([("k".to_owned(), json!({"a": 1}))]);
    let push = StatePush { metadata: metadata.clone(), ..phase_push(&session, "PLAN") };
    let op_id = push.provenance.op_id.clone();
    let after = f.store().push_state(&push).unwrap();
    assert_eq!(after.metadata["k"], json!({"a": 1}));
    assert_eq!(after.execution_state().work.phase.as_deref(), Some("PLAN"));
    let events = f.store().list_events(&EventFilter::of_operation(&op_id)).unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["state", "metadata"]);
    let removal = Map::from_iter([("k".to_owned(), json!({"a": null}))]);
    let push = StatePush { metadata: removal, ..phase_push(&after, "EXEC") };
    let after = f.store().push_state(&push).unwrap();
    assert_eq!(after.metadata["k"], json!({}));
    let late = StatePush { metadata, ..phase_push(&session, "LEAD") };
    expect_refusal(f.store().push_state(&late), "conflict");
    assert_eq!(load_session(f.store(), "s1").metadata["k"], json!({}));
}

/// Pushes a flag with its moment, as a command does that read the session before.
fn push_interruption(
    store: &mut dyn Store,
    as_read: &Session,
    is_interrupted: bool,
) -> PushOutcome {
    let mark =
        if is_interrupted { InterruptionMark::Interrupted } else { InterruptionMark::Resumed };
    let request = RetriedPush {
        changes: [(StateField::WasInterrupted, FieldValue::Flag(is_interrupted))].into(),
        metadata: Map::new(),
        branch: None,
        mark: Some(mark),
        acknowledge: false,
        provenance: new_provenance("s1"),
    };
    push_with_retry(store, as_read.clone(), &request).unwrap()
}

fn what_was_resumed_meanwhile_is_not_resumed_again(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let session = load_session(f.store(), "s1");
    assert!(matches!(push_interruption(f.store(), &session, true), PushOutcome::Done { .. }));
    // Two processes read the interrupted session, and both resume it.
    let interrupted = load_session(f.store(), "s1");
    assert!(matches!(push_interruption(f.store(), &interrupted, false), PushOutcome::Done { .. }));
    let second = push_interruption(f.store(), &interrupted, false);
    let PushOutcome::InPlace(session) = second else { panic!("{second:?}") };
    assert_eq!(session.execution_state().history.resume_count, Some(1));
    // Interrupting twice is the same.
    let resumed = load_session(f.store(), "s1");
    assert!(matches!(push_interruption(f.store(), &resumed, true), PushOutcome::Done { .. }));
    let second = push_interruption(f.store(), &resumed, true);
    assert!(matches!(second, PushOutcome::InPlace(_)), "{second:?}");
}

fn what_is_in_place_is_not_written(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let set = |store: &mut dyn Store, phase: &str| {
        let session = load_session(store, "s1");
        let request = RetriedPush {
            changes: [(StateField::Phase, FieldValue::Text(Some(phase.to_owned())))].into(),
            metadata: Map::from_iter([("k".to_owned(), json!(1))]),
            branch: Some("main".to_owned()),
            mark: None,
            acknowledge: false,
            provenance: new_provenance("s1"),
        };
        push_with_retry(store, session, &request).unwrap()
    };
    assert!(matches!(set(f.store(), "PLAN"), PushOutcome::Done { .. }));
    let last = last_event_id(f.store());
    assert!(matches!(set(f.store(), "PLAN"), PushOutcome::InPlace(_)));
    assert_eq!(last_event_id(f.store()), last);
}
