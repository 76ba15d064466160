//! Running phases whose worker sends no heartbeat.

use trueup_core::model::phase::{PhaseStep, StuckPhase};
use trueup_core::model::{ItemStatus, RunEnd};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_queue, apply_step, begin_run, claim_item, complete_step, first_phase_of, last_event_id,
    new_heartbeat, new_provenance, orchestrator_id, phase_statuses, register_session,
    session_step_request, start_step, step_request,
};

on_every_store! {
    what_runs_without_a_sign_of_life_is_found
    a_sign_of_life_of_its_session_is_one_of_its_own
    a_sign_of_life_of_its_orchestrator_is_one_of_its_own
    the_end_of_a_run_puts_its_phases_back
    a_stuck_phase_is_failed_and_what_follows_blocked
    one_that_moved_since_it_was_read_is_left_alone
    a_stuck_phase_of_a_held_item_is_failed_under_its_epoch
}

const PHASE_CHAIN: &[&[u32]] = &[&[], &[1]];

fn list_stuck(f: &mut impl StoreFixture) -> Vec<StuckPhase> {
    f.store().list_stuck_phases(7_200, 10).unwrap()
}

fn what_runs_without_a_sign_of_life_is_found(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    f.advance_time(10_000);
    assert_eq!(list_stuck(f), [], "what waits is not stuck");
    apply_step(f.store(), &step_request("A:1", start_step()));
    f.advance_time(7_000);
    assert_eq!(list_stuck(f), []);
    f.advance_time(201);
    let found = list_stuck(f);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].phase, first_phase_of(f.store(), "A:1"));
    assert!((7_201..7_300).contains(&found[0].silence_seconds()));
    assert_eq!(f.store().list_stuck_phases(7_200, 0).unwrap(), []);
    apply_step(f.store(), &step_request("A:1", complete_step()));
    assert_eq!(list_stuck(f), []);
}

fn a_sign_of_life_of_its_session_is_one_of_its_own(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    register_session(f.store(), "s1");
    apply_step(f.store(), &session_step_request("s1", "A:1", start_step()));
    f.advance_time(7_000);
    f.store().record_heartbeat(&new_heartbeat("s1")).unwrap();
    f.advance_time(7_000);
    assert_eq!(list_stuck(f), []);
    f.advance_time(300);
    assert!((7_300..7_400).contains(&list_stuck(f)[0].silence_seconds()));
}

/// Starts the first phase of a chain for an orchestrator.
fn begin_for_orchestrator(f: &mut impl StoreFixture, id: &str) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    begin_run(f.store(), id, "P");
    let begin = PhaseStep::Start { orchestrator: Some(orchestrator_id(id)) };
    apply_step(f.store(), &step_request("A:1", begin));
}

fn a_sign_of_life_of_its_orchestrator_is_one_of_its_own(f: &mut impl StoreFixture) {
    begin_for_orchestrator(f, "o1");
    f.advance_time(7_000);
    let run = orchestrator_id("o1");
    f.store().record_orchestrator_heartbeat(&run).unwrap();
    f.advance_time(7_000);
    assert_eq!(list_stuck(f), []);
    f.advance_time(300);
    assert!((7_300..7_400).contains(&list_stuck(f)[0].silence_seconds()));
}

fn the_end_of_a_run_puts_its_phases_back(f: &mut impl StoreFixture) {
    begin_for_orchestrator(f, "o1");
    let (run, once) = (orchestrator_id("o1"), new_provenance("user"));
    let end = RunEnd::default();
    let ended = f.store().record_orchestrator_stop(&run, end, &once).unwrap();
    assert_eq!(ended.describe_interrupted(), ["phase A:1"]);
    assert_eq!(phase_statuses(f.store(), "A"), "ready queued");
    let error = first_phase_of(f.store(), "A:1").error_message.unwrap();
    assert!(error.contains("interrupted"), "{error}");
    let before = last_event_id(f.store());
    let again = f.store().record_orchestrator_stop(&run, end, &once).unwrap();
    // Only the time of the reading differs.
    assert_eq!(again.orchestrator.revision, ended.orchestrator.revision);
    assert_eq!((again.tasks, again.phases), (ended.tasks, ended.phases));
    assert_eq!(last_event_id(f.store()), before);
}

fn a_stuck_phase_is_failed_and_what_follows_blocked(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    apply_step(f.store(), &step_request("A:1", start_step()));
    f.advance_time(8_000);
    let found = list_stuck(f);
    let once = new_provenance("sweeper");
    let failed_phase = f.store().fail_stuck_phase(&found[0], "silent", &once).unwrap();
    let failed_phase = failed_phase.unwrap();
    assert_eq!(
        (failed_phase.change.from, failed_phase.change.phase.status),
        (ItemStatus::Running, ItemStatus::Failed)
    );
    assert_eq!(failed_phase.change.phase.error_message.as_deref(), Some("silent"));
    assert_eq!(failed_phase.affected.len(), 1);
    assert_eq!(phase_statuses(f.store(), "A"), "failed blocked");
    let before = last_event_id(f.store());
    let again = f.store().fail_stuck_phase(&found[0], "silent", &once).unwrap();
    assert_eq!(again, Some(failed_phase));
    let other = new_provenance("sweeper");
    assert_eq!(f.store().fail_stuck_phase(&found[0], "silent", &other).unwrap(), None);
    assert_eq!(last_event_id(f.store()), before);
}

fn one_that_moved_since_it_was_read_is_left_alone(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    register_session(f.store(), "s1");
    apply_step(f.store(), &session_step_request("s1", "A:1", start_step()));
    f.advance_time(8_000);
    let read = list_stuck(f);
    f.store().record_heartbeat(&new_heartbeat("s1")).unwrap();
    let answer = f.store().fail_stuck_phase(&read[0], "x", &new_provenance("sweeper"));
    assert_eq!(answer.unwrap(), None);
    f.advance_time(8_000);
    let read = list_stuck(f);
    apply_step(f.store(), &session_step_request("s1", "A:1", crate::requests::reopen_step()));
    apply_step(f.store(), &session_step_request("s1", "A:1", start_step()));
    let answer = f.store().fail_stuck_phase(&read[0], "x", &new_provenance("sweeper"));
    assert_eq!(answer.unwrap(), None);
    assert_eq!(phase_statuses(f.store(), "A"), "running queued");
}

fn a_stuck_phase_of_a_held_item_is_failed_under_its_epoch(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", PHASE_CHAIN);
    register_session(f.store(), "s1");
    claim_item(f.store(), "s1", "A");
    apply_step(f.store(), &session_step_request("s1", "A:1", start_step()));
    f.advance_time(8_000);
    let found = list_stuck(f);
    let failed_phase = f.store().fail_stuck_phase(&found[0], "silent", &new_provenance("sweeper"));
    assert!(failed_phase.unwrap().is_some());
    assert_eq!(phase_statuses(f.store(), "A"), "failed blocked");
}
