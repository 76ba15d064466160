//! The hook binaries: `session-start-sync` pulls, `checkpoint-push` pushes,
//! `pre-handoff-validate` gates.
//!
//! Invariants: stdout holds the protocol alone; stdin is read within bounds; stdin, database
//! and locks are bounded by one deadline, and the kernel's alarm stands behind it; whatever
//! goes wrong inside, pull and push let the session go on, and only the gate refuses, on
//! proven divergence.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests make files of their own")
)]

pub mod gate;
pub mod pull;
pub mod push;
pub mod span;

mod call;
mod capture;
mod counter;
mod handoff;
mod offer;
mod run;
mod spill;
mod state;
mod tidy;
mod untold;

pub use call::{Call, Outcome};
pub use run::{run, run_or};
