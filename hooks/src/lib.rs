//! The hook binaries: `session-start-sync` pulls, `checkpoint-push` pushes, and
//! `pre-handoff-validate` guards hand-offs.
//!
//! Invariants:
//! - Stdout holds nothing but the protocol.
//! - Stdin is read within bounds. One deadline bounds stdin, database and locks, with the kernel's
//!   alarm behind it.
//! - Pull and push let the session go on, whatever fails inside. Only the guard refuses, and only
//!   on a proven divergence.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make files of their own"))]

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
