//! Claims and releases.

use trueup_core::model::{ClaimOutcome, Epoch, ItemStatus, SessionStatus};
use trueup_core::store::ItemFilter;

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_item, claim_request, expect_refusal, item_key, load_item, load_session,
    new_heartbeat, new_provenance, phase_push, register_holder, register_session, release_request,
    session_id,
};

on_every_store! {
    a_free_item_is_claimed
    a_claim_of_ones_own_changes_nothing
    a_takeover_fences_the_old_holder
    a_claim_on_an_epoch_that_moved_is_a_conflict
    a_claim_on_a_holder_that_changed_is_a_conflict
    a_takeover_of_an_item_released_meanwhile_is_a_conflict
    a_takeover_from_one_that_gave_a_sign_of_life_meanwhile_is_a_conflict
    a_claim_of_ones_own_under_an_older_epoch_is_a_conflict
    another_claim_releases_the_first
    a_failed_claim_keeps_what_was_held
    another_item_starts_with_its_own_phase_and_no_task
    a_release_by_one_who_does_not_hold_it_is_a_conflict
    a_release_leaves_the_session_idle_of_work
    who_claims_lives
}

fn a_free_item_is_claimed(f: &mut impl StoreFixture) {
    let before = register_session(f.store(), "s1").revision;
    let added = add_item(f.store(), "A");
    let taken = claim_item(f.store(), "s1", "A");
    assert_eq!(taken.item.holder, Some(session_id("s1")));
    assert_eq!(taken.item.epoch, Epoch(1));
    assert_eq!(taken.item.status, ItemStatus::Running);
    assert_eq!(taken.item.revision.0, added.revision.0 + 1);
    assert!(taken.item.claimed_at.is_some());
    assert_eq!((taken.previous_holder, taken.released), (None, None));
    let me = load_session(f.store(), "s1");
    assert_eq!((me.item.clone(), me.epoch), (Some(item_key("A")), Some(Epoch(1))));
    assert_eq!(me.revision.0, before.0 + 2, "one for the holder, one for the state");
    let work = me.execution_state().work;
    assert_eq!(work.item.as_deref(), Some("A"));
    assert!(work.is_active);
}

fn a_claim_of_ones_own_changes_nothing(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let before = (load_session(f.store(), "s1").revision, load_item(f.store(), "A"));
    let request = claim_request(f.store(), "s1", "A");
    assert_eq!(request.grant.outcome, ClaimOutcome::AlreadyOwned);
    let taken = f.store().claim(&request).unwrap();
    assert_eq!((taken.previous_holder, taken.released), (None, None));
    assert_eq!((load_session(f.store(), "s1").revision, load_item(f.store(), "A")), before);
}

fn a_takeover_fences_the_old_holder(f: &mut impl StoreFixture) {
    let fence = register_holder(f.store());
    let before = load_session(f.store(), "s1");
    register_session(f.store(), "s2");
    let taken = claim_item(f.store(), "s2", "A");
    assert_eq!(taken.previous_holder, Some(session_id("s1")));
    assert_eq!(taken.item.epoch.0, fence.0 + 1);
    let old = load_session(f.store(), "s1");
    assert_eq!((old.item.clone(), old.epoch), (None, None));
    assert_eq!(old.revision.0, before.revision.0 + 1);
    assert_eq!(old.metadata, before.metadata, "what it was doing stays readable");
}

fn a_claim_on_an_epoch_that_moved_is_a_conflict(f: &mut impl StoreFixture) {
    register_holder(f.store());
    register_session(f.store(), "s2");
    let stale = claim_request(f.store(), "s2", "A");
    f.store().release(&release_request("s1", "A")).unwrap();
    claim_item(f.store(), "s1", "A");
    expect_refusal(f.store().claim(&stale), "conflict");
    assert_eq!(load_item(f.store(), "A").holder, Some(session_id("s1")));
}

fn a_claim_on_a_holder_that_changed_is_a_conflict(f: &mut impl StoreFixture) {
    register_holder(f.store());
    register_session(f.store(), "s2");
    register_session(f.store(), "s3");
    let (two, three) = (claim_request(f.store(), "s2", "A"), claim_request(f.store(), "s3", "A"));
    f.store().claim(&two).unwrap();
    expect_refusal(f.store().claim(&three), "conflict");
    f.store().release(&release_request("s2", "A")).unwrap();
    expect_refusal(f.store().claim(&three), "conflict");
}

fn a_takeover_of_an_item_released_meanwhile_is_a_conflict(f: &mut impl StoreFixture) {
    register_holder(f.store());
    register_session(f.store(), "s2");
    let late = claim_request(f.store(), "s2", "A");
    f.store().release(&release_request("s1", "A")).unwrap();
    expect_refusal(f.store().claim(&late), "conflict");
    assert_eq!(load_item(f.store(), "A").holder, None);
}

fn a_takeover_from_one_that_gave_a_sign_of_life_meanwhile_is_a_conflict(f: &mut impl StoreFixture) {
    let fence = register_holder(f.store());
    register_session(f.store(), "s2");
    f.advance_time(1_000);
    let takeover = claim_request(f.store(), "s2", "A");
    f.store().record_heartbeat(&new_heartbeat("s1")).unwrap();
    expect_refusal(f.store().claim(&takeover), "conflict");
    let kept = load_item(f.store(), "A");
    assert_eq!((kept.holder, kept.epoch), (Some(session_id("s1")), fence));
}

fn a_claim_of_ones_own_under_an_older_epoch_is_a_conflict(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let old = claim_request(f.store(), "s1", "A");
    f.store().release(&release_request("s1", "A")).unwrap();
    claim_item(f.store(), "s1", "A");
    expect_refusal(f.store().claim(&old), "conflict");
}

fn another_claim_releases_the_first(f: &mut impl StoreFixture) {
    register_holder(f.store());
    add_item(f.store(), "B");
    let taken = claim_item(f.store(), "s1", "B");
    assert_eq!(taken.released, Some(item_key("A")));
    assert_eq!(load_item(f.store(), "A").holder, None);
    assert_eq!(load_item(f.store(), "A").claimed_at, None);
    let held = ItemFilter { held: true, ..ItemFilter::default() };
    let held = f.store().list_items(&held).unwrap();
    assert_eq!(held.iter().map(|i| i.key.as_str()).collect::<Vec<_>>(), ["B"]);
}

fn a_failed_claim_keeps_what_was_held(f: &mut impl StoreFixture) {
    register_holder(f.store());
    add_item(f.store(), "B");
    register_session(f.store(), "s2");
    let late = claim_request(f.store(), "s1", "B");
    claim_item(f.store(), "s2", "B");
    let before = (load_session(f.store(), "s1").revision, load_item(f.store(), "A"));
    expect_refusal(f.store().claim(&late), "conflict");
    assert_eq!((load_session(f.store(), "s1").revision, load_item(f.store(), "A")), before);
}

fn another_item_starts_with_its_own_phase_and_no_task(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let me = load_session(f.store(), "s1");
    let mut push = phase_push(&me, "EXEC");
    let task = trueup_core::model::FieldValue::Text(Some("tests".to_owned()));
    push.changes.insert(trueup_core::model::StateField::Task, task);
    f.store().push_state(&push).unwrap();
    add_item(f.store(), "B");
    claim_item(f.store(), "s1", "B");
    let work = load_session(f.store(), "s1").execution_state().work;
    assert_eq!((work.phase, work.task), (None, None));
    claim_item(f.store(), "s1", "A");
    let work = load_session(f.store(), "s1").execution_state().work;
    assert_eq!(work.phase.as_deref(), Some("EXEC"));
}

fn a_release_by_one_who_does_not_hold_it_is_a_conflict(f: &mut impl StoreFixture) {
    register_holder(f.store());
    register_session(f.store(), "s2");
    add_item(f.store(), "B");
    for (who, what) in [("s2", "A"), ("s1", "B"), ("s1", "none"), ("s9", "A")] {
        expect_refusal(f.store().release(&release_request(who, what)), "conflict");
    }
    assert_eq!(load_item(f.store(), "A").holder, Some(session_id("s1")));
}

fn a_release_leaves_the_session_idle_of_work(f: &mut impl StoreFixture) {
    let fence = register_holder(f.store());
    let before = load_session(f.store(), "s1").revision;
    let freed = f.store().release(&release_request("s1", "A")).unwrap();
    assert_eq!((freed.holder, freed.claimed_at), (None, None));
    assert_eq!(freed.epoch, fence, "only a claim raises the fence");
    assert_eq!(freed.status, ItemStatus::Running);
    let me = load_session(f.store(), "s1");
    assert_eq!(me.item, None);
    assert_eq!(me.revision.0, before.0 + 2);
    let work = me.execution_state().work;
    assert_eq!((work.item, work.phase, work.task, work.is_active), (None, None, None, false));
}

fn who_claims_lives(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_item(f.store(), "A");
    f.store().end_session(&session_id("s1"), "x", &new_provenance("s1")).unwrap();
    f.advance_time(10_000);
    let mut request = claim_request(f.store(), "s1", "A");
    request.quiet_seconds = Some(1_800);
    f.store().claim(&request).unwrap();
    let me = load_session(f.store(), "s1");
    assert_eq!(me.status, SessionStatus::Active);
    assert!(!me.is_lease_expired() && me.is_in_quiet_period());
}
