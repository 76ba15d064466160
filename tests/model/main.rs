//! Model checking of claims: three sessions and two items, in every order of their actions.
//!
//! Decisions are made by the product's own code ([`rules`]); writes are modeled after the
//! conditional statements of its store ([`steps`]). `tests/contract/claim_machine` tests the store
//! against the same rules.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a model that cannot be built fails its test; what was found is shown"
)]

mod claim_model;
mod properties;
mod rules;
mod state;
mod steps;

use stateright::{Checker, HasDiscoveries, Model as _};

use claim_model::{ClaimModel, StoreGuards};
use properties::{
    DEAD_ITEM_FREED, EFFECT_IS_REPORTED, INTERRUPTED_CLAIMABLE, LAWS, LIVE_KEEPS_ITEM,
    LIVE_NOT_LOST, NO_WRITE_LOST, OLD_EPOCH_REFUSED, ONE_HOLDER, ONE_ITEM,
};
use rules::ProductRules;

fn new_machine(max_pending: usize) -> ClaimModel {
    ClaimModel {
        rules: ProductRules::from_product(),
        guards: StoreGuards::ALL,
        max_pending,
        forgets_refused: true,
    }
}

/// Visits every reachable state.
fn run_checker(machine: ClaimModel) -> impl Checker<ClaimModel> {
    let checker = machine.checker().threads(2).spawn_bfs().join();
    println!(
        "{} states, {} steps, at most {} deep",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth()
    );
    checker
}

/// Asserts that a model breaks a law, and prints a shortest path to it. Sessions and items are
/// renumbered in every state.
fn assert_breaks(law: &'static str, machine: ClaimModel) {
    let awaited = HasDiscoveries::AnyOf([law].into());
    let checker = machine.checker().finish_when(awaited).spawn_bfs().join();
    let path = checker.assert_any_discovery(law);
    println!("{law}: {:?}", path.into_actions());
}

#[test]
fn three_at_a_time_break_no_law() {
    run_checker(new_machine(3)).assert_properties();
}

#[test]
fn nor_does_remembering_what_the_store_will_refuse() {
    let all = ClaimModel { forgets_refused: false, ..new_machine(2) };
    let checker = run_checker(all);
    for law in LAWS {
        checker.assert_no_discovery(law);
    }
}

fn without_guard(leave_out: impl FnOnce(&mut StoreGuards)) -> ClaimModel {
    let mut machine = new_machine(3);
    leave_out(&mut machine.guards);
    machine
}

#[test]
fn every_condition_of_the_stores_is_needed() {
    assert_breaks(LIVE_KEEPS_ITEM, without_guard(|guards| guards.claim = false));
    assert_breaks(LIVE_KEEPS_ITEM, without_guard(|guards| guards.takeover = false));
    assert_breaks(LIVE_NOT_LOST, without_guard(|guards| guards.park = false));
    assert_breaks(ONE_ITEM, without_guard(|guards| guards.single = false));
    assert_breaks(EFFECT_IS_REPORTED, without_guard(|guards| guards.repeat = false));
    assert_breaks(OLD_EPOCH_REFUSED, without_guard(|guards| guards.epoch = false));
    assert_breaks(NO_WRITE_LOST, without_guard(|guards| guards.epoch = false));
    let unfenced = without_guard(|guards| (guards.holder, guards.epoch) = (false, false));
    assert_breaks(ONE_HOLDER, unfenced);
}

#[test]
fn rules_that_give_nothing_free_are_found_out() {
    let mut stuck = new_machine(3);
    stuck.rules = ProductRules::credulous();
    assert_breaks(DEAD_ITEM_FREED, stuck);
    let mut stingy = new_machine(3);
    stingy.rules.free_is_free = false;
    assert_breaks(INTERRUPTED_CLAIMABLE, stingy);
}
