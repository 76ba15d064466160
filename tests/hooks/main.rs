//! The hook binaries as the client runs them: recorded payloads, exact output.

#![expect(clippy::unwrap_used, reason = "a test fails at the line that failed")]

mod advice;
mod attention;
mod bounds;
mod branches;
mod cache_file;
mod cache_placement;
mod clocks;
mod codex;
mod divergences;
mod handoff_guard;
mod handoff_guard_offline;
mod handoffs;
mod hostile;
mod lease;
mod lost_edits;
mod modes;
mod operation_counter;
mod payloads;
mod prompt;
mod push;
mod quiet_periods;
mod repo_states;
mod second_session;
mod server;
mod settings;
mod start;
mod sweep;
mod tasks;
mod unreadable;
mod workplans;
