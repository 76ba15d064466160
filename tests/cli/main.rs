//! The commands as a person, a script or an agent runs them: exact output, exit codes and effects.

#![expect(
    clippy::unwrap_used,
    reason = "what a helper expects and does not find fails the test, with the line that failed"
)]

mod acting_session;
mod advice;
mod answers;
mod arguments;
mod blame;
mod bytes;
mod checks;
mod claims;
mod clones;
mod completions;
mod databases;
mod doctor;
mod envelope;
mod exits;
mod fixing;
mod fixture;
mod hand_edits;
mod handoffs;
mod help;
mod hints;
mod hostile;
mod identity;
mod installer;
mod items;
mod journal;
mod json_reference;
mod leftovers;
mod log;
mod man_pages;
mod meta;
mod moves;
mod namespaces;
mod needs;
mod next;
mod operations;
mod orchestrator_start;
mod orchestrators;
mod outbox;
mod plan_validate;
mod plans;
mod ports;
mod queue;
mod queue_stuck;
mod refusals;
mod replicas;
mod repo_states;
mod repos;
mod restore;
mod retention;
mod scopes;
mod secrets;
mod sessions;
mod shapes;
mod shared_databases;
mod shared_secrets;
mod show;
mod state;
mod state_snapshot;
mod streams;
mod top;
mod transfers;
mod unknown_keys;
mod upgrades;
mod validate;
