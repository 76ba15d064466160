//! What holds after any sequence of steps.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::*;
use crate::model::phase::interrupt_phases;
use crate::model::{Entity, TransitionKind, classify_transition};

/// Phases of which each may depend on any before it.
fn any_queue() -> impl Strategy<Value = Vec<Phase>> {
    let earlier = |number: u32| {
        let all: Vec<u32> = (1..number).collect();
        let most = all.len();
        subsequence(all, 0..=most)
    };
    let depends: Vec<_> = (1..=6).map(earlier).collect();
    depends.prop_map(|depends| {
        let depends: Vec<&[u32]> = depends.iter().map(Vec::as_slice).collect();
        build_queue(&depends)
    })
}

#[derive(Debug, Clone)]
enum Move {
    Step(u32, PhaseStep),
    Interrupt,
}

fn any_move() -> impl Strategy<Value = Move> {
    let begin = PhaseStep::Start { orchestrator: Some(orchestrator_id("o")) };
    let steps = vec![
        start_step(),
        begin,
        complete_step(),
        complete_step(),
        fail_step("f"),
        block_step("by hand"),
        reopen_step(),
        cancel_step("c"),
    ];
    let steps = (1..=6_u32, prop::sample::select(steps));
    prop_oneof![
        9 => steps.prop_map(|(number, step)| Move::Step(number, step)),
        1 => Just(Move::Interrupt),
    ]
}

/// Lists the numbers of what failed or was cancelled and is waited for: said again in the
/// plainest way, by following each dependency.
fn find_causes(rows: &[Phase], number: u32) -> BTreeSet<u32> {
    let row = rows.iter().find(|row| row.number == number).unwrap();
    let mut found = BTreeSet::new();
    for on in &row.depends_on {
        let before = rows.iter().find(|row| row.number == *on).unwrap();
        match before.status {
            ItemStatus::Failed | ItemStatus::Cancelled => {
                found.insert(*on);
            }
            ItemStatus::Running | ItemStatus::Completed => {}
            _ => found.extend(find_causes(rows, *on)),
        }
    }
    found
}

fn check_invariants(rows: &[Phase]) -> Result<(), TestCaseError> {
    for row in rows {
        let at_rest = !row.status.is_finished() && row.status != ItemStatus::Running;
        let done = |on: &u32| rows[*on as usize - 1].status == ItemStatus::Completed;
        let all_done = row.depends_on.iter().all(done);
        let blocked = row.status == ItemStatus::Blocked;
        let ready = at_rest && !blocked && all_done;
        prop_assert_eq!(row.status == ItemStatus::Ready, ready, "{:?}", row);
        if at_rest && !row.is_blocked_by_hand() {
            prop_assert_eq!(blocked, !find_causes(rows, row.number).is_empty(), "{:?}", row);
        }
        if let Some(by) = &row.blocked_by {
            prop_assert!(blocked, "{:?}", row);
            let cause = rows.iter().find(|other| other.id == *by).unwrap();
            prop_assert!(find_causes(rows, row.number).contains(&cause.number), "{:?}", row);
            let error_message = row.error_message.as_deref().unwrap_or_default();
            prop_assert!(error_message.starts_with(&cause.title()), "{:?}", row);
        }
        if row.is_blocked_by_hand() {
            prop_assert_eq!(row.error_message.as_deref(), Some("by hand"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_phase_is_ready_exactly_when_all_it_waits_for_is_completed(
        mut rows in any_queue(),
        moves in prop::collection::vec(any_move(), 0..40),
    ) {
        check_invariants(&rows)?;
        for wanted in &moves {
            let before = rows.clone();
            match wanted {
                Move::Step(number, step) => {
                    let _ = apply_step(&mut rows, *number, step);
                }
                Move::Interrupt => {
                    let changed = interrupt_phases(&rows, &orchestrator_id("o"), "died");
                    store_rows(&mut rows, &changed);
                }
            }
            check_invariants(&rows)?;
            for (old, new) in before.iter().zip(&rows) {
                let way = classify_transition(Entity::Phase, old.status.as_str(), new.status.as_str());
                prop_assert_ne!(way, TransitionKind::Illegal, "{:?}\n{:?}", old, new);
                let by_hand = old.is_blocked_by_hand() && new.status == ItemStatus::Blocked;
                prop_assert!(!by_hand || new.is_blocked_by_hand(), "{:?}", new);
            }
        }
    }

    #[test]
    fn a_step_touches_each_phase_once_and_itself_first(
        mut rows in any_queue(),
        moves in prop::collection::vec((1..=6_u32, any::<bool>()), 0..20),
    ) {
        for (number, well) in moves {
            let step = if well { complete_step() } else { fail_step("f") };
            let Ok(changed) = apply_step(&mut rows, number, &step) else { continue };
            prop_assert_eq!(changed[0], number);
            let once: BTreeSet<&u32> = changed.iter().collect();
            prop_assert_eq!(once.len(), changed.len());
        }
    }
}
