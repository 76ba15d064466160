//! Who may step an item's phases, and what a start does to item and session.

use trueup_core::model::ItemStatus;
use trueup_core::model::phase::PhaseRefusal;

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, add_queue, apply_step, claim_item, complete_step, expect_refusal,
    expect_step_refusal, first_phase_of, load_item, load_session, move_item, new_heartbeat,
    new_phases, new_provenance, phase_statuses, register_session, release_request, reopen_item,
    session_id, session_step_request, start_step, step_request,
};

on_every_store! {
    anybody_registered_moves_what_nobody_holds
    of_a_held_item_the_holder_alone
    a_worker_whose_claim_moved_is_told_so
    consequences_of_a_held_item_are_written_too
    a_start_is_what_item_and_session_are_at
    a_start_by_another_changes_neither_item_nor_session
    next_skips_what_others_hold
    next_skips_what_items_were_finished_without
}

const PHASE_CHAIN: &[&[u32]] = &[&[], &[1], &[2]];

fn anybody_registered_moves_what_nobody_holds(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    expect_refusal(
        f.store().apply_phase_step(&session_step_request("s9", "A:1", start_step())),
        "invalid",
    );
    register_session(f.store(), "s1");
    apply_step(f.store(), &session_step_request("s1", "A:1", start_step()));
    assert_eq!(first_phase_of(f.store(), "A:1").assigned_to, Some(session_id("s1")));
    register_session(f.store(), "s2");
    apply_step(f.store(), &session_step_request("s2", "A:1", complete_step()));
    apply_step(f.store(), &step_request("A:2", start_step()));
    assert_eq!(first_phase_of(f.store(), "A:2").assigned_to, None);
}

fn of_a_held_item_the_holder_alone(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    register_session(f.store(), "s1");
    register_session(f.store(), "s2");
    claim_item(f.store(), "s1", "A");
    let not_holder = PhaseRefusal::NotHolder { holder: session_id("s1") };
    let by_other = session_step_request("s2", "A:1", start_step());
    assert_eq!(expect_step_refusal(f.store(), &by_other), not_holder);
    assert_eq!(expect_step_refusal(f.store(), &step_request("A:1", start_step())), not_holder);
    apply_step(f.store(), &session_step_request("s1", "A:1", start_step()));
    f.store().release(&release_request("s1", "A")).unwrap();
    apply_step(f.store(), &session_step_request("s2", "A:1", complete_step()));
}

fn a_worker_whose_claim_moved_is_told_so(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    register_session(f.store(), "s1");
    register_session(f.store(), "s2");
    claim_item(f.store(), "s1", "A");
    apply_step(f.store(), &session_step_request("s1", "A:1", start_step()));
    claim_item(f.store(), "s2", "A");
    let stale = PhaseRefusal::StaleEpoch { holder: session_id("s2") };
    assert_eq!(
        expect_step_refusal(f.store(), &session_step_request("s1", "A:1", complete_step())),
        stale
    );
    assert_eq!(phase_statuses(f.store(), "A"), "running queued queued");
    apply_step(f.store(), &session_step_request("s2", "A:1", complete_step()));
    let not_holder = PhaseRefusal::NotHolder { holder: session_id("s2") };
    assert_eq!(
        expect_step_refusal(f.store(), &session_step_request("s1", "A:2", start_step())),
        not_holder
    );
}

fn consequences_of_a_held_item_are_written_too(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    register_session(f.store(), "s1");
    claim_item(f.store(), "s1", "A");
    apply_step(f.store(), &session_step_request("s1", "A:1", crate::requests::fail_step("x")));
    apply_step(f.store(), &session_step_request("s1", "A:1", crate::requests::reopen_step()));
    apply_step(f.store(), &session_step_request("s1", "A:1", complete_step()));
    assert_eq!(phase_statuses(f.store(), "A"), "completed ready queued");
}

fn a_start_is_what_item_and_session_are_at(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    register_session(f.store(), "s1");
    claim_item(f.store(), "s1", "A");
    let before = load_session(f.store(), "s1").revision.0;
    apply_step(f.store(), &session_step_request("s1", "A:1", start_step()));
    assert_eq!(load_item(f.store(), "A").phase.as_deref(), Some("plan"));
    let session = load_session(f.store(), "s1");
    assert_eq!(session.execution_state().work.phase.as_deref(), Some("plan"));
    assert_eq!(session.execution_state().work.item.as_deref(), Some("A"));
    assert_eq!(session.revision.0, before + 1);
    // Starting again changes none of that.
    apply_step(f.store(), &session_step_request("s1", "A:1", crate::requests::reopen_step()));
    apply_step(f.store(), &session_step_request("s1", "A:1", start_step()));
    assert_eq!(load_session(f.store(), "s1").revision.0, before + 1);
}

fn a_start_by_another_changes_neither_item_nor_session(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    add_item(f.store(), "B");
    register_session(f.store(), "s1");
    claim_item(f.store(), "s1", "B");
    let before = load_session(f.store(), "s1").revision;
    apply_step(f.store(), &session_step_request("s1", "A:1", start_step()));
    assert_eq!(load_item(f.store(), "A").phase, None);
    assert_eq!(load_session(f.store(), "s1").revision, before);
    f.store().record_heartbeat(&new_heartbeat("s1")).unwrap();
}

fn next_skips_what_others_hold(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    add_queue(f.store(), "B", PHASE_CHAIN);
    register_session(f.store(), "s1");
    claim_item(f.store(), "s1", "A");
    let mut next = |session: Option<&str>| {
        let session = session.map(session_id);
        let found = f.store().find_next_phase(session.as_ref()).unwrap();
        found.map(|row| row.id.to_string())
    };
    assert_eq!(next(Some("s1")).as_deref(), Some("A:1"));
    assert_eq!(next(Some("s2")).as_deref(), Some("B:1"));
    assert_eq!(next(None).as_deref(), Some("B:1"));
    apply_step(f.store(), &step_request("B:1", start_step()));
    assert_eq!(f.store().find_next_phase(None).unwrap(), None);
}

fn next_skips_what_items_were_finished_without(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    add_queue(f.store(), "B", PHASE_CHAIN);
    move_item(f.store(), "me", "A", ItemStatus::Cancelled);
    let found = f.store().find_next_phase(None).unwrap().unwrap();
    assert_eq!(found.id.to_string(), "B:1");
    reopen_item(f.store(), "me", "A");
    let found = f.store().find_next_phase(None).unwrap().unwrap();
    assert_eq!(found.id.to_string(), "A:1");
    // Nor what a finished one is given.
    for (text, to) in [("A", ItemStatus::Failed), ("B", ItemStatus::Completed)] {
        move_item(f.store(), "me", text, to);
    }
    add_item(f.store(), "C");
    move_item(f.store(), "me", "C", ItemStatus::Completed);
    f.store().add_phases(&new_phases("C", PHASE_CHAIN), &new_provenance("user")).unwrap();
    assert_eq!(f.store().find_next_phase(None).unwrap(), None);
    reopen_item(f.store(), "me", "C");
    let found = f.store().find_next_phase(None).unwrap().unwrap();
    assert_eq!(found.id.to_string(), "C:1");
}
