//! The hook binaries as the client runs them: recorded payloads in, exact output out.

#![expect(clippy::unwrap_used, reason = "a test fails at the line that failed")]

mod advice;
mod bounds;
mod branches;
mod cache_file;
mod clocks;
mod company;
mod counter;
mod divergences;
mod gate;
mod gate_offline;
mod handoffs;
mod hostile;
mod lease;
mod lost_edits;
mod modes;
mod payloads;
mod places;
mod prompt;
mod push;
mod repo_states;
mod settings;
mod spans;
mod start;
mod sweep;
mod tasks;
mod unreadable;
mod workplans;
