//! The hook binaries: `session-start-sync` pulls, `checkpoint-push` pushes,
//! `pre-handoff-validate` gates.
//!
//! Invariants: stdin is read within bounds and stdout holds the protocol alone; a hook never
//! outlives its deadline by more than a grace; whatever goes wrong inside, pull and push let
//! the session go on, and only the gate refuses, on proven divergence.

pub mod gate;
pub mod pull;
pub mod push;

mod call;
mod capture;
mod counter;
mod handoff;
mod run;
mod spill;

pub use call::{Call, Outcome};
pub use run::run;
