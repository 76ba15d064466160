//! Changes of state, conditional on revision and claim.

use trueup_core::model::{Epoch, FieldValue, Revision, StateField};
use trueup_core::store::{InterruptionMark, StatePush, StoreError};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_item, expect_refusal, field_push, item_key, load_item, load_session,
    new_provenance, phase_push, register_holder, register_session, release_request,
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
