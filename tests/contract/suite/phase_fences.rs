//! Who may move the phases of an item, and what a start means for item and session.

use trueup_core::model::ItemStatus;
use trueup_core::model::phase::PhaseRefusal;

use crate::fixture::Fixture;
use crate::request::{
    add, beat, by, claim, complete, held_back, id, item, move_to, moved, phase_row, phases, queue,
    refused, register, release, reopen_item, session, start, statuses, step, step_of,
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

const CHAIN: &[&[u32]] = &[&[], &[1], &[2]];

fn anybody_registered_moves_what_nobody_holds(f: &mut impl Fixture) {
    queue(f.store(), "A", CHAIN);
    refused(
        f.store().step_phase(&step_of("s9", "A:1", start())),
        "invalid",
    );
    register(f.store(), "s1");
    moved(f.store(), &step_of("s1", "A:1", start()));
    assert_eq!(phase_row(f.store(), "A:1").assigned_to, Some(id("s1")));
    register(f.store(), "s2");
    moved(f.store(), &step_of("s2", "A:1", complete()));
    moved(f.store(), &step("A:2", start()));
    assert_eq!(phase_row(f.store(), "A:2").assigned_to, None);
}

fn of_a_held_item_the_holder_alone(f: &mut impl Fixture) {
    queue(f.store(), "A", CHAIN);
    register(f.store(), "s1");
    register(f.store(), "s2");
    claim(f.store(), "s1", "A");
    let not_holder = PhaseRefusal::NotHolder { holder: id("s1") };
    let by_other = step_of("s2", "A:1", start());
    assert_eq!(held_back(f.store(), &by_other), not_holder);
    assert_eq!(held_back(f.store(), &step("A:1", start())), not_holder);
    moved(f.store(), &step_of("s1", "A:1", start()));
    f.store().release(&release("s1", "A")).unwrap();
    moved(f.store(), &step_of("s2", "A:1", complete()));
}

fn a_worker_whose_claim_moved_is_told_so(f: &mut impl Fixture) {
    queue(f.store(), "A", CHAIN);
    register(f.store(), "s1");
    register(f.store(), "s2");
    claim(f.store(), "s1", "A");
    moved(f.store(), &step_of("s1", "A:1", start()));
    claim(f.store(), "s2", "A");
    let stale = PhaseRefusal::StaleEpoch { holder: id("s2") };
    assert_eq!(
        held_back(f.store(), &step_of("s1", "A:1", complete())),
        stale
    );
    assert_eq!(statuses(f.store(), "A"), "running queued queued");
    moved(f.store(), &step_of("s2", "A:1", complete()));
    let not_holder = PhaseRefusal::NotHolder { holder: id("s2") };
    assert_eq!(
        held_back(f.store(), &step_of("s1", "A:2", start())),
        not_holder
    );
}

fn consequences_of_a_held_item_are_written_too(f: &mut impl Fixture) {
    queue(f.store(), "A", CHAIN);
    register(f.store(), "s1");
    claim(f.store(), "s1", "A");
    moved(f.store(), &step_of("s1", "A:1", crate::request::fail("x")));
    moved(f.store(), &step_of("s1", "A:1", crate::request::reopen()));
    moved(f.store(), &step_of("s1", "A:1", complete()));
    assert_eq!(statuses(f.store(), "A"), "completed ready queued");
}

fn a_start_is_what_item_and_session_are_at(f: &mut impl Fixture) {
    queue(f.store(), "A", CHAIN);
    register(f.store(), "s1");
    claim(f.store(), "s1", "A");
    let before = session(f.store(), "s1").revision.0;
    moved(f.store(), &step_of("s1", "A:1", start()));
    assert_eq!(item(f.store(), "A").phase.as_deref(), Some("plan"));
    let me = session(f.store(), "s1");
    assert_eq!(me.execution_state().work.phase.as_deref(), Some("plan"));
    assert_eq!(me.execution_state().work.item.as_deref(), Some("A"));
    assert_eq!(me.revision.0, before + 1);
    // Begun again, nothing of that changes.
    moved(f.store(), &step_of("s1", "A:1", crate::request::reopen()));
    moved(f.store(), &step_of("s1", "A:1", start()));
    assert_eq!(session(f.store(), "s1").revision.0, before + 1);
}

fn a_start_by_another_changes_neither_item_nor_session(f: &mut impl Fixture) {
    queue(f.store(), "A", CHAIN);
    add(f.store(), "B");
    register(f.store(), "s1");
    claim(f.store(), "s1", "B");
    let before = session(f.store(), "s1").revision;
    moved(f.store(), &step_of("s1", "A:1", start()));
    assert_eq!(item(f.store(), "A").phase, None);
    assert_eq!(session(f.store(), "s1").revision, before);
    f.store().heartbeat(&beat("s1")).unwrap();
}

fn next_skips_what_others_hold(f: &mut impl Fixture) {
    queue(f.store(), "A", CHAIN);
    queue(f.store(), "B", CHAIN);
    register(f.store(), "s1");
    claim(f.store(), "s1", "A");
    let mut next = |session: Option<&str>| {
        let session = session.map(id);
        let found = f.store().next_phase(session.as_ref()).unwrap();
        found.map(|row| row.id.to_string())
    };
    assert_eq!(next(Some("s1")).as_deref(), Some("A:1"));
    assert_eq!(next(Some("s2")).as_deref(), Some("B:1"));
    assert_eq!(next(None).as_deref(), Some("B:1"));
    moved(f.store(), &step("B:1", start()));
    assert_eq!(f.store().next_phase(None).unwrap(), None);
}

fn next_skips_what_items_were_finished_without(f: &mut impl Fixture) {
    queue(f.store(), "A", CHAIN);
    queue(f.store(), "B", CHAIN);
    move_to(f.store(), "me", "A", ItemStatus::Cancelled);
    let found = f.store().next_phase(None).unwrap().unwrap();
    assert_eq!(found.id.to_string(), "B:1");
    reopen_item(f.store(), "me", "A");
    let found = f.store().next_phase(None).unwrap().unwrap();
    assert_eq!(found.id.to_string(), "A:1");
    // Nor what a finished one is given.
    for (text, to) in [("A", ItemStatus::Failed), ("B", ItemStatus::Completed)] {
        move_to(f.store(), "me", text, to);
    }
    add(f.store(), "C");
    move_to(f.store(), "me", "C", ItemStatus::Completed);
    f.store()
        .add_phases(&phases("C", CHAIN), &by("user"))
        .unwrap();
    assert_eq!(f.store().next_phase(None).unwrap(), None);
    reopen_item(f.store(), "me", "C");
    let found = f.store().next_phase(None).unwrap().unwrap();
    assert_eq!(found.id.to_string(), "C:1");
}
