//! Phases that run without a sign of life.

use trueup_core::model::phase::{PhaseStep, StuckPhase};
use trueup_core::model::{ItemStatus, RunEnd};

use crate::fixture::Fixture;
use crate::request::{
    beat, by, claim, complete, cursor, moved, orchestrator_id, phase_row, queue, register, running,
    start, statuses, step, step_of,
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

const CHAIN: &[&[u32]] = &[&[], &[1]];

fn stuck(f: &mut impl Fixture) -> Vec<StuckPhase> {
    f.store().stuck_phases(7_200, 10).unwrap()
}

fn what_runs_without_a_sign_of_life_is_found(f: &mut impl Fixture) {
    queue(f.store(), "A", CHAIN);
    f.advance(10_000);
    assert_eq!(stuck(f), [], "what waits is not stuck");
    moved(f.store(), &step("A:1", start()));
    f.advance(7_000);
    assert_eq!(stuck(f), []);
    f.advance(201);
    let found = stuck(f);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].phase, phase_row(f.store(), "A:1"));
    assert!((7_201..7_300).contains(&found[0].silence_seconds()));
    assert_eq!(f.store().stuck_phases(7_200, 0).unwrap(), []);
    moved(f.store(), &step("A:1", complete()));
    assert_eq!(stuck(f), []);
}

fn a_sign_of_life_of_its_session_is_one_of_its_own(f: &mut impl Fixture) {
    queue(f.store(), "A", CHAIN);
    register(f.store(), "s1");
    moved(f.store(), &step_of("s1", "A:1", start()));
    f.advance(7_000);
    f.store().heartbeat(&beat("s1")).unwrap();
    f.advance(7_000);
    assert_eq!(stuck(f), []);
    f.advance(300);
    assert!((7_300..7_400).contains(&stuck(f)[0].silence_seconds()));
}

/// Begins the first phase of a chain for an orchestrator.
fn begun_for(f: &mut impl Fixture, id: &str) {
    queue(f.store(), "A", CHAIN);
    running(f.store(), id, "P");
    let begin = PhaseStep::Start {
        orchestrator: Some(orchestrator_id(id)),
    };
    moved(f.store(), &step("A:1", begin));
}

fn a_sign_of_life_of_its_orchestrator_is_one_of_its_own(f: &mut impl Fixture) {
    begun_for(f, "o1");
    f.advance(7_000);
    let run = orchestrator_id("o1");
    f.store().beat_orchestrator(&run).unwrap();
    f.advance(7_000);
    assert_eq!(stuck(f), []);
    f.advance(300);
    assert!((7_300..7_400).contains(&stuck(f)[0].silence_seconds()));
}

fn the_end_of_a_run_puts_its_phases_back(f: &mut impl Fixture) {
    begun_for(f, "o1");
    let (run, once) = (orchestrator_id("o1"), by("user"));
    let end = RunEnd::default();
    let ended = f.store().stop_orchestrator(&run, end, &once).unwrap();
    assert_eq!(ended.interrupted(), ["phase A:1"]);
    assert_eq!(statuses(f.store(), "A"), "ready queued");
    let error = phase_row(f.store(), "A:1").error_message.unwrap();
    assert!(error.contains("interrupted"), "{error}");
    let before = cursor(f.store());
    let again = f.store().stop_orchestrator(&run, end, &once).unwrap();
    // When it was read is all that differs.
    assert_eq!(again.orchestrator.revision, ended.orchestrator.revision);
    assert_eq!((again.tasks, again.phases), (ended.tasks, ended.phases));
    assert_eq!(cursor(f.store()), before);
}

fn a_stuck_phase_is_failed_and_what_follows_blocked(f: &mut impl Fixture) {
    queue(f.store(), "A", CHAIN);
    moved(f.store(), &step("A:1", start()));
    f.advance(8_000);
    let found = stuck(f);
    let once = by("sweeper");
    let failed = f
        .store()
        .fail_stuck_phase(&found[0], "silent", &once)
        .unwrap();
    let failed = failed.unwrap();
    assert_eq!(
        (failed.row.from, failed.row.phase.status),
        (ItemStatus::Running, ItemStatus::Failed)
    );
    assert_eq!(failed.row.phase.error_message.as_deref(), Some("silent"));
    assert_eq!(failed.affected.len(), 1);
    assert_eq!(statuses(f.store(), "A"), "failed blocked");
    let before = cursor(f.store());
    let again = f
        .store()
        .fail_stuck_phase(&found[0], "silent", &once)
        .unwrap();
    assert_eq!(again, Some(failed));
    let other = by("sweeper");
    assert_eq!(
        f.store()
            .fail_stuck_phase(&found[0], "silent", &other)
            .unwrap(),
        None
    );
    assert_eq!(cursor(f.store()), before);
}

fn one_that_moved_since_it_was_read_is_left_alone(f: &mut impl Fixture) {
    queue(f.store(), "A", CHAIN);
    register(f.store(), "s1");
    moved(f.store(), &step_of("s1", "A:1", start()));
    f.advance(8_000);
    let read = stuck(f);
    f.store().heartbeat(&beat("s1")).unwrap();
    let answer = f.store().fail_stuck_phase(&read[0], "x", &by("sweeper"));
    assert_eq!(answer.unwrap(), None);
    f.advance(8_000);
    let read = stuck(f);
    moved(f.store(), &step_of("s1", "A:1", crate::request::reopen()));
    moved(f.store(), &step_of("s1", "A:1", start()));
    let answer = f.store().fail_stuck_phase(&read[0], "x", &by("sweeper"));
    assert_eq!(answer.unwrap(), None);
    assert_eq!(statuses(f.store(), "A"), "running queued");
}

fn a_stuck_phase_of_a_held_item_is_failed_under_its_epoch(f: &mut impl Fixture) {
    queue(f.store(), "A", CHAIN);
    register(f.store(), "s1");
    claim(f.store(), "s1", "A");
    moved(f.store(), &step_of("s1", "A:1", start()));
    f.advance(8_000);
    let found = stuck(f);
    let failed = f
        .store()
        .fail_stuck_phase(&found[0], "silent", &by("sweeper"));
    assert!(failed.unwrap().is_some());
    assert_eq!(statuses(f.store(), "A"), "failed blocked");
}
