//! The hook binaries: `session-start-sync` pulls, `checkpoint-push` pushes, and
//! `pre-handoff-validate` guards hand-offs.
//!
//! Invariants:
//! - Stdout holds nothing but the protocol.
//! - Stdin is read within bounds. One deadline bounds stdin, database and locks, with the kernel's
//!   alarm behind it.
//! - A database on a server is opened by `trueup`, which a hook becomes when it needs one.
//! - Pull and push let the session go on, whatever fails inside. Only the guard refuses, and only
//!   on a proven divergence.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make files of their own"))]

mod auto_prune;
mod detached_pull;
mod embedded_database;
mod enqueue_offline;
mod hand_over;
mod handoff_command;
mod handoff_guard;
mod hook;
mod hook_context;
mod hook_database;
mod lost_notices;
mod operation_counter;
mod prompt;
mod pull;
mod pull_session;
mod push;
mod quiet_period;
mod record_event;
mod replica_database;
mod runner;
mod server_contact;
mod session_database;
mod share_state;
mod suggest_check;
mod trueup_program;

pub use embedded_database::EmbeddedDatabase;
pub use hand_over::BegunHook;
pub use hook::Hook;
pub use hook_context::{HookContext, HookOutcome};
pub use hook_database::HookDatabase;
pub use pull_session::{PullError, PullReport, pull_session};
pub use runner::{answer_payload, continue_hook, run_hook};
