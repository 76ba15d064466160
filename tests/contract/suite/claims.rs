//! Claims and releases.

use trueup_core::model::{ClaimOutcome, Epoch, ItemStatus, SessionStatus};
use trueup_core::store::ItemFilter;

use crate::fixture::Fixture;
use crate::request::{
    add, beat, by, claim, holder, id, item, key, phase, refused, register, release, session, wish,
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

fn a_free_item_is_claimed(f: &mut impl Fixture) {
    let before = register(f.store(), "s1").revision;
    let added = add(f.store(), "A");
    let taken = claim(f.store(), "s1", "A");
    assert_eq!(taken.item.holder, Some(id("s1")));
    assert_eq!(taken.item.epoch, Epoch(1));
    assert_eq!(taken.item.status, ItemStatus::Running);
    assert_eq!(taken.item.revision.0, added.revision.0 + 1);
    assert!(taken.item.claimed_at.is_some());
    assert_eq!((taken.previous_holder, taken.released), (None, None));
    let me = session(f.store(), "s1");
    assert_eq!(
        (me.item.clone(), me.epoch),
        (Some(key("A")), Some(Epoch(1)))
    );
    assert_eq!(
        me.revision.0,
        before.0 + 2,
        "one for the holder, one for the state"
    );
    let work = me.execution_state().work;
    assert_eq!(work.item.as_deref(), Some("A"));
    assert!(work.is_active);
}

fn a_claim_of_ones_own_changes_nothing(f: &mut impl Fixture) {
    holder(f.store());
    let before = (session(f.store(), "s1").revision, item(f.store(), "A"));
    let request = wish(f.store(), "s1", "A");
    assert_eq!(request.grant.outcome, ClaimOutcome::AlreadyOwned);
    let taken = f.store().claim(&request).unwrap();
    assert_eq!((taken.previous_holder, taken.released), (None, None));
    assert_eq!(
        (session(f.store(), "s1").revision, item(f.store(), "A")),
        before
    );
}

fn a_takeover_fences_the_old_holder(f: &mut impl Fixture) {
    let fence = holder(f.store());
    let before = session(f.store(), "s1");
    register(f.store(), "s2");
    let taken = claim(f.store(), "s2", "A");
    assert_eq!(taken.previous_holder, Some(id("s1")));
    assert_eq!(taken.item.epoch.0, fence.0 + 1);
    let old = session(f.store(), "s1");
    assert_eq!((old.item.clone(), old.epoch), (None, None));
    assert_eq!(old.revision.0, before.revision.0 + 1);
    assert_eq!(
        old.metadata, before.metadata,
        "what it was doing stays readable"
    );
}

fn a_claim_on_an_epoch_that_moved_is_a_conflict(f: &mut impl Fixture) {
    holder(f.store());
    register(f.store(), "s2");
    let stale = wish(f.store(), "s2", "A");
    f.store().release(&release("s1", "A")).unwrap();
    claim(f.store(), "s1", "A");
    refused(f.store().claim(&stale), "conflict");
    assert_eq!(item(f.store(), "A").holder, Some(id("s1")));
}

fn a_claim_on_a_holder_that_changed_is_a_conflict(f: &mut impl Fixture) {
    holder(f.store());
    register(f.store(), "s2");
    register(f.store(), "s3");
    let (two, three) = (wish(f.store(), "s2", "A"), wish(f.store(), "s3", "A"));
    f.store().claim(&two).unwrap();
    refused(f.store().claim(&three), "conflict");
    f.store().release(&release("s2", "A")).unwrap();
    refused(f.store().claim(&three), "conflict");
}

fn a_takeover_of_an_item_released_meanwhile_is_a_conflict(f: &mut impl Fixture) {
    holder(f.store());
    register(f.store(), "s2");
    let late = wish(f.store(), "s2", "A");
    f.store().release(&release("s1", "A")).unwrap();
    refused(f.store().claim(&late), "conflict");
    assert_eq!(item(f.store(), "A").holder, None);
}

fn a_takeover_from_one_that_gave_a_sign_of_life_meanwhile_is_a_conflict(f: &mut impl Fixture) {
    let fence = holder(f.store());
    register(f.store(), "s2");
    f.advance(1_000);
    let takeover = wish(f.store(), "s2", "A");
    f.store().heartbeat(&beat("s1")).unwrap();
    refused(f.store().claim(&takeover), "conflict");
    let kept = item(f.store(), "A");
    assert_eq!((kept.holder, kept.epoch), (Some(id("s1")), fence));
}

fn a_claim_of_ones_own_under_an_older_epoch_is_a_conflict(f: &mut impl Fixture) {
    holder(f.store());
    let old = wish(f.store(), "s1", "A");
    f.store().release(&release("s1", "A")).unwrap();
    claim(f.store(), "s1", "A");
    refused(f.store().claim(&old), "conflict");
}

fn another_claim_releases_the_first(f: &mut impl Fixture) {
    holder(f.store());
    add(f.store(), "B");
    let taken = claim(f.store(), "s1", "B");
    assert_eq!(taken.released, Some(key("A")));
    assert_eq!(item(f.store(), "A").holder, None);
    assert_eq!(item(f.store(), "A").claimed_at, None);
    let held = ItemFilter {
        held: true,
        ..ItemFilter::default()
    };
    let held = f.store().items(&held).unwrap();
    assert_eq!(
        held.iter().map(|i| i.key.as_str()).collect::<Vec<_>>(),
        ["B"]
    );
}

fn a_failed_claim_keeps_what_was_held(f: &mut impl Fixture) {
    holder(f.store());
    add(f.store(), "B");
    register(f.store(), "s2");
    let late = wish(f.store(), "s1", "B");
    claim(f.store(), "s2", "B");
    let before = (session(f.store(), "s1").revision, item(f.store(), "A"));
    refused(f.store().claim(&late), "conflict");
    assert_eq!(
        (session(f.store(), "s1").revision, item(f.store(), "A")),
        before
    );
}

fn another_item_starts_with_its_own_phase_and_no_task(f: &mut impl Fixture) {
    holder(f.store());
    let me = session(f.store(), "s1");
    let mut push = phase(&me, "EXEC");
    let task = trueup_core::model::Value::Text(Some("tests".to_owned()));
    push.changes.insert(trueup_core::model::Field::Task, task);
    f.store().push(&push).unwrap();
    add(f.store(), "B");
    claim(f.store(), "s1", "B");
    let work = session(f.store(), "s1").execution_state().work;
    assert_eq!((work.phase, work.task), (None, None));
    claim(f.store(), "s1", "A");
    let work = session(f.store(), "s1").execution_state().work;
    assert_eq!(work.phase.as_deref(), Some("EXEC"));
}

fn a_release_by_one_who_does_not_hold_it_is_a_conflict(f: &mut impl Fixture) {
    holder(f.store());
    register(f.store(), "s2");
    add(f.store(), "B");
    for (who, what) in [("s2", "A"), ("s1", "B"), ("s1", "none"), ("s9", "A")] {
        refused(f.store().release(&release(who, what)), "conflict");
    }
    assert_eq!(item(f.store(), "A").holder, Some(id("s1")));
}

fn a_release_leaves_the_session_idle_of_work(f: &mut impl Fixture) {
    let fence = holder(f.store());
    let before = session(f.store(), "s1").revision;
    let freed = f.store().release(&release("s1", "A")).unwrap();
    assert_eq!((freed.holder, freed.claimed_at), (None, None));
    assert_eq!(freed.epoch, fence, "only a claim raises the fence");
    assert_eq!(freed.status, ItemStatus::Running);
    let me = session(f.store(), "s1");
    assert_eq!(me.item, None);
    assert_eq!(me.revision.0, before.0 + 2);
    let work = me.execution_state().work;
    assert_eq!(
        (work.item, work.phase, work.task, work.is_active),
        (None, None, None, false)
    );
}

fn who_claims_lives(f: &mut impl Fixture) {
    register(f.store(), "s1");
    add(f.store(), "A");
    f.store().end(&id("s1"), "x", &by("s1")).unwrap();
    f.advance(10_000);
    let mut request = wish(f.store(), "s1", "A");
    request.span_seconds = Some(1_800);
    f.store().claim(&request).unwrap();
    let me = session(f.store(), "s1");
    assert_eq!(me.status, SessionStatus::Active);
    assert!(!me.lease_expired() && me.in_declared_span());
}
