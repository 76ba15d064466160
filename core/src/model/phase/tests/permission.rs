//! Who may, and what may not be done.

use super::*;
use crate::model::phase::PhaseRefusal;

fn asked(
    rows: &[Phase],
    item: &Item,
    mover: Option<&str>,
    number: u32,
    step: &PhaseStep,
) -> Result<(), PhaseRefusal> {
    let mover = mover.map(session);
    let facts = StepFacts {
        mover: mover.as_ref(),
        item,
        rows,
        id: &id(number),
        starts: &[],
    };
    decide(&facts, step).map(|_| ())
}

#[test]
fn a_phase_of_a_held_item_is_the_holders() {
    let held = item(ItemStatus::Running, Some("s1"));
    let mut rows = queue(&[&[]]);
    let holder = session("s1");
    let other = || PhaseRefusal::NotHolder {
        holder: holder.clone(),
    };
    assert_eq!(asked(&rows, &held, Some("s1"), 1, &start()), Ok(()));
    assert_eq!(asked(&rows, &held, Some("s2"), 1, &start()), Err(other()));
    assert_eq!(asked(&rows, &held, None, 1, &start()), Err(other()));
    for mover in [Some("s2"), None] {
        assert_eq!(asked(&rows, &free(), mover, 1, &start()), Ok(()));
    }
    // Begun by one from whom the item was taken since.
    rows[0].status = ItemStatus::Running;
    rows[0].assigned_to = Some(session("s2"));
    let stale = PhaseRefusal::StaleEpoch {
        holder: holder.clone(),
    };
    assert_eq!(asked(&rows, &held, Some("s2"), 1, &complete()), Err(stale));
    assert_eq!(
        asked(&rows, &held, Some("s3"), 1, &complete()),
        Err(other())
    );
    rows[0].assigned_to = None;
    assert_eq!(asked(&rows, &held, None, 1, &complete()), Err(other()));
}

#[test]
fn an_unknown_phase_is_not_found() {
    let refusal = asked(&queue(&[&[]]), &free(), None, 2, &start()).unwrap_err();
    assert_eq!(refusal.code(), "phase_not_found");
}

#[test]
fn every_step_from_every_status() {
    use ItemStatus::{Blocked, Cancelled, Completed, Failed, Queued, Ready, Running};
    for (step, legal) in [
        (start(), &[Ready][..]),
        (complete(), &[Ready, Running]),
        (fail("x"), &[Ready, Running]),
        (block("x"), &[Queued, Ready, Running]),
        (cancel("x"), &[Queued, Ready, Running, Blocked]),
        (reopen(), &[Running, Blocked, Completed, Failed, Cancelled]),
    ] {
        for status in ItemStatus::ALL {
            let mut rows = queue(&[&[]]);
            rows[0].status = status;
            let answer = asked(&rows, &free(), None, 1, &step);
            assert_eq!(answer.is_ok(), legal.contains(&status), "{status} {step:?}");
            if let Err(refusal) = answer {
                assert_eq!(refusal.code(), "illegal_transition");
            }
        }
    }
}

#[test]
fn a_refusal_says_what_is_legal_and_what_is_waited_for() {
    let rows = queue(&[&[], &[1]]);
    assert_eq!(
        asked(&rows, &free(), None, 2, &start()),
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
fn ready_in_name_alone_is_not_begun() {
    let mut rows = queue(&[&[], &[1]]);
    rows[1].status = ItemStatus::Ready;
    let refusal = asked(&rows, &free(), None, 2, &start()).unwrap_err();
    assert!(
        matches!(refusal, PhaseRefusal::Illegal { .. }),
        "{refusal:?}"
    );
}

#[test]
fn a_fourth_start_within_half_an_hour_waits() {
    let rows = queue(&[&[]]);
    let starts = [at(-10), at(-600), at(-1700)];
    let id = id(1);
    let facts = StepFacts {
        mover: None,
        item: &free(),
        rows: &rows,
        id: &id,
        starts: &starts,
    };
    let Err(PhaseRefusal::RetryLimit(limit)) = decide(&facts, &start()) else {
        panic!("it was started");
    };
    assert_eq!(
        (limit.starts, limit.since, limit.until),
        (3, at(-1700), at(100))
    );
    let facts = StepFacts {
        starts: &starts[..2],
        ..facts
    };
    assert!(decide(&facts, &start()).is_ok());
    let facts = StepFacts {
        starts: &starts,
        ..facts
    };
    assert!(
        decide(&facts, &complete()).is_ok(),
        "a limit of starts alone"
    );
}
