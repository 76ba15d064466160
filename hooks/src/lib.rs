//! The hook binaries: `session-start-sync` pulls, `checkpoint-push` pushes, and
//! `pre-handoff-validate` guards hand-offs.
//!
//! Invariants:
//! - Stdout holds nothing but the protocol.
//! - Stdin is read within bounds. One deadline bounds stdin, database and locks, with the kernel's
//!   alarm behind it.
//! - No hook contacts a server: `trueup pull` does, and only the start of a session waits for it.
//! - Pull and push let the session go on, whatever fails inside. Only the guard refuses, and only
//!   on a proven divergence.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make files of their own"))]

mod announced_reads;
mod auto_prune;
mod bounded_read;
mod cached_answer;
mod detached_pull;
mod embedded_database;
mod enqueue_offline;
mod handoff_command;
mod handoff_guard;
mod hook;
mod hook_context;
mod lost_notices;
mod operation_counter;
mod prompt;
mod pull_error;
mod pull_session;
mod push;
mod quiet_period;
mod record_event;
mod remote_start;
mod replica_database;
mod replica_refresh;
mod report_attention;
mod runner;
mod server_contact;
mod session_database;
mod session_start;
mod share_state;
mod start_work;
mod suggest_check;
mod trueup_program;

pub use auto_prune::prune_when_due;
pub use detached_pull::PullFailure;
pub use hook::Hook;
pub use hook_context::{HookContext, HookOutcome};
pub use pull_error::PullError;
pub use pull_session::{PullReport, PullRequest, pull_session};
pub use runner::{answer_payload, run_hook};
