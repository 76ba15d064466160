//! Three sessions and two items, in every order of everything they can do.
//!
//! What is decided is asked of the product ([`rules`]); what is written is modelled after the
//! conditional statements of its stores ([`steps`]). `tests/contract/machine.rs` holds the
//! stores to the same rules.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a model that cannot be built fails its test; what was found is shown"
)]

mod machine;
mod properties;
mod rules;
mod state;
mod steps;

use stateright::{Checker, HasDiscoveries, Model as _};

use machine::{Guards, Machine};
use properties::{
    CLAIMABLE, FENCED, FREED, KEPT, LAWS, LIVING, NOT_PARKED, ONE_HOLDER, ONE_ITEM, TOLD,
};
use rules::Rules;

fn machine(under_way: usize) -> Machine {
    Machine {
        rules: Rules::of_the_product(),
        guards: Guards::ALL,
        under_way,
        forgets: true,
    }
}

/// Visits every state that can be reached.
fn check(machine: Machine) -> impl Checker<Machine> {
    let checker = machine.checker().threads(2).spawn_bfs().join();
    println!(
        "{} states, {} steps, at most {} deep",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth()
    );
    checker
}

/// Demands that a machine breaks a law, and shows a shortest way to it. Sessions and items are
/// named anew in every state.
fn breaks(law: &'static str, machine: Machine) {
    let awaited = HasDiscoveries::AnyOf([law].into());
    let checker = machine.checker().finish_when(awaited).spawn_bfs().join();
    let path = checker.assert_any_discovery(law);
    println!("{law}: {:?}", path.into_actions());
}

#[test]
fn three_at_a_time_break_no_law() {
    check(machine(3)).assert_properties();
}

#[test]
fn nor_does_remembering_what_the_store_will_refuse() {
    let all = Machine {
        forgets: false,
        ..machine(2)
    };
    let checker = check(all);
    for law in LAWS {
        checker.assert_no_discovery(law);
    }
}

fn without(leave_out: impl FnOnce(&mut Guards)) -> Machine {
    let mut machine = machine(3);
    leave_out(&mut machine.guards);
    machine
}

#[test]
fn every_condition_of_the_stores_is_needed() {
    breaks(LIVING, without(|guards| guards.claim = false));
    breaks(LIVING, without(|guards| guards.takeover = false));
    breaks(NOT_PARKED, without(|guards| guards.park = false));
    breaks(ONE_ITEM, without(|guards| guards.single = false));
    breaks(TOLD, without(|guards| guards.repeat = false));
    breaks(FENCED, without(|guards| guards.epoch = false));
    breaks(KEPT, without(|guards| guards.epoch = false));
    let unfenced = without(|guards| (guards.holder, guards.epoch) = (false, false));
    breaks(ONE_HOLDER, unfenced);
}

#[test]
fn rules_that_give_nothing_free_are_found_out() {
    let mut stuck = machine(3);
    stuck.rules = Rules::of_the_credulous();
    breaks(FREED, stuck);
    let mut stingy = machine(3);
    stingy.rules.free_is_free = false;
    breaks(CLAIMABLE, stingy);
}
