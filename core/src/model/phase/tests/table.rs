//! What follows from each step, case by case.

use super::*;
use crate::model::phase::{
    PhaseRefusal, PhaseRemovalFacts, decide_phase_removal, interrupt_phases,
};

const CHAIN: &[&[u32]] = &[&[], &[1], &[2]];

fn error_message(rows: &[Phase], number: u32) -> &str {
    let row = rows.iter().find(|row| row.number == number).unwrap();
    row.error_message.as_deref().unwrap_or_default()
}

#[test]
fn completing_1_readies_2_and_not_3() {
    let mut rows = build_queue(CHAIN);
    assert_eq!(render_statuses(&rows), "ready queued queued");
    assert_eq!(apply_step(&mut rows, 1, &start_step()), Ok(vec![1]));
    assert_eq!(apply_step(&mut rows, 1, &complete_step()), Ok(vec![1, 2]));
    assert_eq!(render_statuses(&rows), "completed ready queued");
}

#[test]
fn a_list_of_dependencies_needs_all() {
    let mut rows = build_queue(&[&[], &[], &[], &[1, 3]]);
    apply_step(&mut rows, 3, &complete_step()).unwrap();
    assert_eq!(render_statuses(&rows), "ready ready completed queued");
    apply_step(&mut rows, 2, &complete_step()).unwrap();
    assert_eq!(render_statuses(&rows), "ready completed completed queued");
    assert_eq!(apply_step(&mut rows, 1, &complete_step()), Ok(vec![1, 4]));
    assert_eq!(render_statuses(&rows), "completed completed completed ready");
}

#[test]
fn failing_1_blocks_2_and_3_with_its_message() {
    for (step, told) in [
        (fail_step("no plan"), "phase 1 (plan) failed: no plan"),
        (cancel_step("no need"), "phase 1 (plan) cancelled: no need"),
    ] {
        let mut rows = build_queue(CHAIN);
        assert_eq!(apply_step(&mut rows, 1, &step), Ok(vec![1, 2, 3]));
        assert!(render_statuses(&rows).ends_with("blocked blocked"));
        for number in [2, 3] {
            assert_eq!(error_message(&rows, number), told);
            let row = &rows[number as usize - 1];
            assert_eq!(row.blocked_by, Some(queue_id(1)));
        }
    }
}

#[test]
fn a_block_by_hand_keeps_its_reason_whatever_happens_before_it() {
    let mut rows = build_queue(CHAIN);
    apply_step(&mut rows, 2, &block_step("waits for the lawyers")).unwrap();
    for step in [
        complete_step(),
        reopen_step(),
        fail_step("x"),
        reopen_step(),
        cancel_step("y"),
        reopen_step(),
        complete_step(),
    ] {
        apply_step(&mut rows, 1, &step).unwrap();
        assert_eq!(rows[1].status, ItemStatus::Blocked, "{step:?}");
        assert_eq!(error_message(&rows, 2), "waits for the lawyers", "{step:?}");
        assert_eq!(rows[1].blocked_by, None, "{step:?}");
    }
    assert_eq!(apply_step(&mut rows, 2, &reopen_step()), Ok(vec![2]));
    assert_eq!(render_statuses(&rows), "completed ready queued");
    assert_eq!(error_message(&rows, 2), "");
}

#[test]
fn what_waits_for_a_block_by_hand_is_blocked_by_the_failure_behind_it() {
    let mut rows = build_queue(CHAIN);
    apply_step(&mut rows, 2, &block_step("lawyers")).unwrap();
    apply_step(&mut rows, 1, &fail_step("x")).unwrap();
    assert_eq!(render_statuses(&rows), "failed blocked blocked");
    assert_eq!(error_message(&rows, 3), "phase 1 (plan) failed: x");
    apply_step(&mut rows, 1, &reopen_step()).unwrap();
    assert_eq!(render_statuses(&rows), "ready blocked queued");
}

#[test]
fn reopening_what_was_completed_puts_what_was_ready_back() {
    let mut rows = build_queue(CHAIN);
    apply_step(&mut rows, 1, &complete_step()).unwrap();
    assert_eq!(apply_step(&mut rows, 1, &reopen_step()), Ok(vec![1, 2]));
    assert_eq!(render_statuses(&rows), "ready queued queued");
}

#[test]
fn reopening_what_failed_frees_what_it_blocked() {
    let mut rows = build_queue(CHAIN);
    apply_step(&mut rows, 1, &fail_step("x")).unwrap();
    assert_eq!(apply_step(&mut rows, 1, &reopen_step()), Ok(vec![1, 2, 3]));
    assert_eq!(render_statuses(&rows), "ready queued queued");
    assert!(rows.iter().all(|row| row.error_message.is_none()));
    assert!(rows.iter().all(|row| row.blocked_by.is_none()));
}

#[test]
fn of_two_failures_the_second_takes_over_when_the_first_is_reopened() {
    let mut rows = build_queue(&[&[], &[], &[1, 2], &[3]]);
    apply_step(&mut rows, 2, &fail_step("second")).unwrap();
    apply_step(&mut rows, 1, &fail_step("first")).unwrap();
    assert_eq!(error_message(&rows, 3), "phase 2 (validate) failed: second");
    assert_eq!(apply_step(&mut rows, 2, &reopen_step()), Ok(vec![2, 3, 4]));
    for number in [3, 4] {
        assert_eq!(error_message(&rows, number), "phase 1 (plan) failed: first");
        assert_eq!(rows[number as usize - 1].blocked_by, Some(queue_id(1)));
    }
    apply_step(&mut rows, 1, &reopen_step()).unwrap();
    assert_eq!(render_statuses(&rows), "ready ready queued queued");
}

#[test]
fn what_runs_or_is_done_stays_and_so_does_what_waits_for_that_alone() {
    let mut rows = build_queue(&[&[], &[1], &[2], &[1]]);
    apply_step(&mut rows, 1, &complete_step()).unwrap();
    apply_step(&mut rows, 2, &start_step()).unwrap();
    apply_step(&mut rows, 4, &complete_step()).unwrap();
    apply_step(&mut rows, 1, &reopen_step()).unwrap();
    assert_eq!(apply_step(&mut rows, 1, &fail_step("x")), Ok(vec![1]));
    assert_eq!(render_statuses(&rows), "failed running queued completed");
    apply_step(&mut rows, 2, &complete_step()).unwrap();
    assert_eq!(render_statuses(&rows), "failed completed ready completed");
}

#[test]
fn what_a_failure_blocks_is_not_reopened_around_it() {
    let mut rows = build_queue(CHAIN);
    apply_step(&mut rows, 1, &fail_step("x")).unwrap();
    let refusal = apply_step(&mut rows, 3, &reopen_step()).unwrap_err();
    assert_eq!(refusal.code(), "illegal_transition");
    let error_message = "phase 1 (plan) failed: x".to_owned();
    let by = |from| PhaseRefusal::Blocked { from, by: queue_id(1), message: error_message.clone() };
    assert_eq!(refusal, by(ItemStatus::Blocked));
    apply_step(&mut rows, 2, &cancel_step("y")).unwrap();
    assert_eq!(apply_step(&mut rows, 2, &reopen_step()), Err(by(ItemStatus::Cancelled)));
    assert_eq!(render_statuses(&rows), "failed cancelled blocked");
}

#[test]
fn an_interruption_frees_what_the_orchestrator_ran_and_nothing_else() {
    let mut rows = build_queue(&[&[], &[], &[1]]);
    let of = |name: &str| PhaseStep::Start { orchestrator: Some(orchestrator_id(name)) };
    apply_step(&mut rows, 1, &of("o-1")).unwrap();
    apply_step(&mut rows, 2, &of("o-2")).unwrap();
    let changed = interrupt_phases(&rows, &orchestrator_id("o-1"), "its orchestrator died");
    store_rows(&mut rows, &changed);
    assert_eq!(render_statuses(&rows), "ready running queued");
    assert_eq!(error_message(&rows, 1), "its orchestrator died");
    assert_eq!(rows[0].orchestrator, None);
    assert!(interrupt_phases(&rows, &orchestrator_id("o-1"), "x").is_empty());
    apply_step(&mut rows, 1, &start_step()).unwrap();
    assert_eq!(error_message(&rows, 1), "", "a new start forgets it");
}

#[test]
fn an_interrupted_phase_goes_where_its_dependencies_are() {
    for (then, status) in [(None, "queued"), (Some(fail_step("x")), "blocked")] {
        let mut rows = build_queue(CHAIN);
        apply_step(&mut rows, 1, &complete_step()).unwrap();
        let begin = PhaseStep::Start { orchestrator: Some(orchestrator_id("o")) };
        apply_step(&mut rows, 2, &begin).unwrap();
        apply_step(&mut rows, 1, &reopen_step()).unwrap();
        if let Some(step) = &then {
            apply_step(&mut rows, 1, step).unwrap();
        }
        let changed = interrupt_phases(&rows, &orchestrator_id("o"), "died");
        assert_eq!(changed[0].number, 2);
        assert_eq!(changed[0].status.as_str(), status);
    }
}

#[test]
fn what_runs_or_is_depended_on_is_not_removed() {
    let item = unheld_item();
    let remove = |rows: &[Phase], number, with_all| {
        let id = queue_id(number);
        let facts = PhaseRemovalFacts { mover: None, item: &item, rows, id: &id, with_all };
        decide_phase_removal(&facts)
            .map(|phases| phases.iter().map(|phase| phase.number).collect::<Vec<u32>>())
    };
    let in_use = |number| Err(PhaseRefusal::DependedOn { dependents: vec![queue_id(number)] });
    let running = |number| Err(PhaseRefusal::Running { phase: queue_id(number) });
    let mut rows = build_queue(CHAIN);
    for (number, with_all, expected) in [
        (9, false, Err(PhaseRefusal::NotFound)),
        (1, false, in_use(2)),
        (3, false, Ok(vec![3])),
        (1, true, Ok(vec![1, 2, 3])),
    ] {
        assert_eq!(remove(&rows, number, with_all), expected, "{number} {with_all}");
    }
    apply_step(&mut rows, 1, &start_step()).unwrap();
    for (number, with_all, expected) in
        [(1, false, running(1)), (3, true, running(1)), (3, false, Ok(vec![3]))]
    {
        assert_eq!(remove(&rows, number, with_all), expected, "{number} {with_all}");
    }
}
