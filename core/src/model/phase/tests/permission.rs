//! Who may change a phase, and which steps are illegal.

use super::*;
use crate::model::phase::PhaseRefusal;

fn ask_step(
    rows: &[Phase],
    item: &Item,
    mover: Option<&str>,
    number: u32,
    step: &PhaseStep,
) -> Result<(), PhaseRefusal> {
    let mover = mover.map(session_id);
    let facts =
        PhaseStepFacts { mover: mover.as_ref(), item, rows, id: &queue_id(number), starts: &[] };
    decide_phase_step(&facts, step).map(|_| ())
}

#[test]
fn only_the_holder_may_step_a_held_item() {
    let held = sample_item(ItemStatus::Running, Some("s1"));
    let mut rows = build_queue(&[&[]]);
    let holder = session_id("s1");
    let other = || PhaseRefusal::NotHolder { holder: holder.clone() };
    assert_eq!(ask_step(&rows, &held, Some("s1"), 1, &start_step()), Ok(()));
    assert_eq!(ask_step(&rows, &held, Some("s2"), 1, &start_step()), Err(other()));
    assert_eq!(ask_step(&rows, &held, None, 1, &start_step()), Err(other()));
    for mover in [Some("s2"), None] {
        assert_eq!(ask_step(&rows, &unheld_item(), mover, 1, &start_step()), Ok(()));
    }
    // Started by a session that has lost the item since.
    rows[0].status = ItemStatus::Running;
    rows[0].assigned_to = Some(session_id("s2"));
    let stale = PhaseRefusal::StaleEpoch { holder: holder.clone() };
    assert_eq!(ask_step(&rows, &held, Some("s2"), 1, &complete_step()), Err(stale));
    assert_eq!(ask_step(&rows, &held, Some("s3"), 1, &complete_step()), Err(other()));
    rows[0].assigned_to = None;
    assert_eq!(ask_step(&rows, &held, None, 1, &complete_step()), Err(other()));
}

#[test]
fn an_unknown_phase_is_not_found() {
    let refusal =
        ask_step(&build_queue(&[&[]]), &unheld_item(), None, 2, &start_step()).unwrap_err();
    assert_eq!(refusal.code(), "phase_not_found");
}

#[test]
fn every_step_from_every_status() {
    use ItemStatus::{Blocked, Cancelled, Completed, Failed, Queued, Ready, Running};
    for (step, legal) in [
        (start_step(), &[Ready][..]),
        (complete_step(), &[Ready, Running]),
        (fail_step("x"), &[Ready, Running]),
        (block_step("x"), &[Queued, Ready, Running]),
        (cancel_step("x"), &[Queued, Ready, Running, Blocked]),
        (reopen_step(), &[Running, Blocked, Completed, Failed, Cancelled]),
    ] {
        for status in ItemStatus::ALL {
            let mut rows = build_queue(&[&[]]);
            rows[0].status = status;
            let answer = ask_step(&rows, &unheld_item(), None, 1, &step);
            assert_eq!(answer.is_ok(), legal.contains(&status), "{status} {step:?}");
            if let Err(refusal) = answer {
                assert_eq!(refusal.code(), "illegal_transition");
            }
        }
    }
}

#[test]
fn a_refusal_says_what_is_legal_and_what_is_waited_for() {
    let rows = build_queue(&[&[], &[1]]);
    assert_eq!(
        ask_step(&rows, &unheld_item(), None, 2, &start_step()),
        Err(PhaseRefusal::Illegal {
            from: ItemStatus::Queued,
            to: ItemStatus::Running,
            legal: vec![ItemStatus::Blocked, ItemStatus::Cancelled],
            reopens: false,
            waits_for: vec!["phase 1 (plan), which is ready".to_owned()],
        })
    );
}

#[test]
fn a_ready_phase_with_open_dependencies_does_not_start() {
    let mut rows = build_queue(&[&[], &[1]]);
    rows[1].status = ItemStatus::Ready;
    let refusal = ask_step(&rows, &unheld_item(), None, 2, &start_step()).unwrap_err();
    assert!(matches!(refusal, PhaseRefusal::Illegal { .. }), "{refusal:?}");
}

#[test]
fn a_fourth_start_within_half_an_hour_waits() {
    let rows = build_queue(&[&[]]);
    let starts = [seconds_from_now(-10), seconds_from_now(-600), seconds_from_now(-1700)];
    let id = queue_id(1);
    let facts =
        PhaseStepFacts { mover: None, item: &unheld_item(), rows: &rows, id: &id, starts: &starts };
    let Err(PhaseRefusal::RetryLimit(limit)) = decide_phase_step(&facts, &start_step()) else {
        panic!("it was started");
    };
    assert_eq!(
        (limit.starts, limit.since, limit.until),
        (3, seconds_from_now(-1700), seconds_from_now(100))
    );
    let facts = PhaseStepFacts { starts: &starts[..2], ..facts };
    assert!(decide_phase_step(&facts, &start_step()).is_ok());
    let facts = PhaseStepFacts { starts: &starts, ..facts };
    assert!(decide_phase_step(&facts, &complete_step()).is_ok(), "a limit of starts alone");
}

#[test]
fn a_phase_of_a_finished_item_does_not_start() {
    use ItemStatus::{Blocked, Cancelled, Completed, Failed, Queued, Running};
    let rows = build_queue(&[&[]]);
    for status in [Completed, Failed, Cancelled] {
        let item = sample_item(status, None);
        let refusal = ask_step(&rows, &item, None, 1, &start_step()).unwrap_err();
        assert_eq!(refusal, PhaseRefusal::ItemFinished { status });
        assert_eq!(ask_step(&rows, &item, None, 1, &cancel_step("x")), Ok(()));
    }
    for status in [Queued, Running, Blocked] {
        let item = sample_item(status, None);
        assert_eq!(ask_step(&rows, &item, None, 1, &start_step()), Ok(()));
    }
}
