//! Claims and releases: conditions, epochs and outcomes.

use trueup_core::model::{ClaimOutcome, Epoch, ItemStatus, SessionStatus};
use trueup_core::store::ItemFilter;

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_item, claim_request, creating_claim_request, expect_refusal, item_key,
    last_event_id, list_event_kinds, list_events, load_item, load_session, new_heartbeat,
    new_provenance, phase_push, register_holder, register_session, release_request, session_id,
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
    a_claim_adds_the_item_in_the_same_transaction
    a_claim_that_is_refused_adds_no_item
    an_item_that_was_added_meanwhile_is_claimed_as_it_is
    who_goes_on_with_an_item_finds_the_phase_that_others_left
}

fn a_free_item_is_claimed(f: &mut impl StoreFixture) {
    let before = register_session(f.store(), "s1").revision;
    let item = add_item(f.store(), "A");
    let claim = claim_item(f.store(), "s1", "A");
    assert_eq!(claim.item.holder, Some(session_id("s1")));
    assert_eq!(claim.item.epoch, Epoch(1));
    assert_eq!(claim.item.status, ItemStatus::Running);
    assert_eq!(claim.item.revision.0, item.revision.0 + 1);
    assert!(claim.item.claimed_at.is_some());
    assert_eq!((claim.previous_holder, claim.released), (None, None));
    let session = load_session(f.store(), "s1");
    assert_eq!((session.item.clone(), session.epoch), (Some(item_key("A")), Some(Epoch(1))));
    assert_eq!(session.revision.0, before.0 + 2, "one for the holder, one for the state");
    let work = session.execution_state().work;
    assert_eq!(work.item.as_deref(), Some("A"));
    assert!(work.is_active);
}

fn a_claim_of_ones_own_changes_nothing(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let before = (load_session(f.store(), "s1").revision, load_item(f.store(), "A"));
    let request = claim_request(f.store(), "s1", "A");
    assert_eq!(request.grant.outcome, ClaimOutcome::AlreadyHeld);
    let claim = f.store().claim(&request).unwrap();
    assert_eq!((claim.previous_holder, claim.released), (None, None));
    assert_eq!((load_session(f.store(), "s1").revision, load_item(f.store(), "A")), before);
}

fn a_takeover_fences_the_old_holder(f: &mut impl StoreFixture) {
    let token = register_holder(f.store());
    let before = load_session(f.store(), "s1");
    register_session(f.store(), "s2");
    let claim = claim_item(f.store(), "s2", "A");
    assert_eq!(claim.previous_holder, Some(session_id("s1")));
    assert_eq!(claim.item.epoch.0, token.0 + 1);
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
    let token = register_holder(f.store());
    register_session(f.store(), "s2");
    f.advance_time(1_000);
    let takeover = claim_request(f.store(), "s2", "A");
    f.store().record_heartbeat(&new_heartbeat("s1")).unwrap();
    expect_refusal(f.store().claim(&takeover), "conflict");
    let item = load_item(f.store(), "A");
    assert_eq!((item.holder, item.epoch), (Some(session_id("s1")), token));
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
    let claim = claim_item(f.store(), "s1", "B");
    assert_eq!(claim.released, Some(item_key("A")));
    assert_eq!(load_item(f.store(), "A").holder, None);
    assert_eq!(load_item(f.store(), "A").claimed_at, None);
    let filter = ItemFilter { held: true, ..ItemFilter::default() };
    let items = f.store().list_items(&filter).unwrap();
    assert_eq!(items.iter().map(|i| i.key.as_str()).collect::<Vec<_>>(), ["B"]);
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
    let session = load_session(f.store(), "s1");
    let mut push = phase_push(&session, "EXEC");
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
    let token = register_holder(f.store());
    let before = load_session(f.store(), "s1").revision;
    let item = f.store().release(&release_request("s1", "A")).unwrap();
    assert_eq!((item.holder, item.claimed_at), (None, None));
    assert_eq!(item.epoch, token, "only a claim raises the fence");
    assert_eq!(item.status, ItemStatus::Running);
    let session = load_session(f.store(), "s1");
    assert_eq!(session.item, None);
    assert_eq!(session.revision.0, before.0 + 2);
    let work = session.execution_state().work;
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
    let session = load_session(f.store(), "s1");
    assert_eq!(session.status, SessionStatus::Active);
    assert!(!session.is_lease_expired() && session.is_in_quiet_period());
}

fn a_claim_adds_the_item_in_the_same_transaction(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let request = creating_claim_request("s1", "A");
    let claim = f.store().claim(&request).unwrap();
    assert_eq!((claim.item.holder, claim.item.epoch), (Some(session_id("s1")), Epoch(1)));
    let events = list_events(f.store());
    let of_item: Vec<_> = events.iter().filter(|event| event.entity == "item").collect();
    let actors: Vec<_> =
        of_item.iter().map(|event| (event.kind.as_str(), event.actor.as_str())).collect();
    assert_eq!(actors, [("added", "s1"), ("claimed", "s1")]);
    assert_eq!(of_item[0].reason.as_deref(), Some("claim --create"));
    let last = last_event_id(f.store());
    let again = f.store().claim(&request).unwrap();
    assert_eq!((again.item.epoch, last_event_id(f.store())), (Epoch(1), last), "a repetition");
}

fn a_claim_that_is_refused_adds_no_item(f: &mut impl StoreFixture) {
    let unregistered = f.store().claim(&creating_claim_request("s1", "A"));
    expect_refusal(unregistered, "invalid");
    register_session(f.store(), "s1");
    let mut outdated = creating_claim_request("s1", "A");
    outdated.grant.expected_epoch = Epoch(7);
    expect_refusal(f.store().claim(&outdated), "conflict");
    assert_eq!(f.store().load_item(&item_key("A")).unwrap(), None);
    assert_eq!(load_session(f.store(), "s1").item, None);
}

fn an_item_that_was_added_meanwhile_is_claimed_as_it_is(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let request = creating_claim_request("s1", "A");
    add_item(f.store(), "A");
    let last = last_event_id(f.store());
    f.store().claim(&request).unwrap();
    let kinds = list_event_kinds(f.store(), last);
    assert!(!kinds.contains(&"A added".to_owned()), "{kinds:?}");
    assert_eq!(load_item(f.store(), "A").holder, Some(session_id("s1")));
    // Where another session holds it by then, the claim is decided anew.
    register_session(f.store(), "s2");
    expect_refusal(f.store().claim(&creating_claim_request("s2", "A")), "conflict");
}

fn who_goes_on_with_an_item_finds_the_phase_that_others_left(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let first = load_session(f.store(), "s1");
    f.store().push_state(&phase_push(&first, "PLAN")).unwrap();
    register_session(f.store(), "s2");
    claim_item(f.store(), "s2", "A");
    let second = load_session(f.store(), "s2");
    f.store().push_state(&phase_push(&second, "EXEC")).unwrap();
    let lost = load_session(f.store(), "s1").execution_state().work;
    assert_eq!((lost.item.as_deref(), lost.phase.as_deref()), (Some("A"), Some("PLAN")));
    f.store().release(&release_request("s2", "A")).unwrap();
    claim_item(f.store(), "s1", "A");
    let work = load_session(f.store(), "s1").execution_state().work;
    assert_eq!((work.item.as_deref(), work.phase.as_deref()), (Some("A"), Some("EXEC")));
    assert_eq!(load_item(f.store(), "A").phase.as_deref(), Some("EXEC"));
}
