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

pub mod handoff_guard;
pub mod pull;
pub mod push;
pub mod quiet_period;

mod auto_prune;
mod enqueue_offline;
mod handoff_command;
mod hook_context;
mod lost_notices;
mod operation_counter;
mod record_event;
mod runner;
mod share_state;
mod suggest_check;

pub use hook_context::{HookContext, HookOutcome};
pub use runner::{run_hook, run_hook_or};
