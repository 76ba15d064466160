//! Stores against a small reference, over random sequences of everything that sessions do.
//!
//! The reference implements the rules independently of the product. Each step is applied to both,
//! and after it they must agree on who holds what, under which epoch, in which phase, and on what
//! was refused. `tests/model` explores the same rules exhaustively, without a store.

mod reference;
mod run;
mod steps;

use proptest::test_runner::{Config, TestRunner};

use crate::fixture::{self, StoreFixture};
use crate::hub_fixture::new_hub;
use run::MachineRun;

fn assert_agrees<F: StoreFixture>(cases: u32, store: impl Fn() -> F) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let answer = TestRunner::new(config).run(&steps::steps_strategy(), |steps| {
        let mut store = store();
        let mut run = MachineRun::new(&mut store);
        for step in steps {
            run.run_step(step)?;
        }
        run.finish()
    });
    if let Err(failure) = answer {
        panic!("{failure}");
    }
}

#[test]
fn the_store_in_a_file_agrees_with_the_reference() {
    assert_agrees(150, fixture::new_sqlite);
}

#[test]
fn the_store_of_a_hub_agrees_with_the_reference() {
    assert_agrees(20, new_hub);
}
