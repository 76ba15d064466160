//! The heart of trueup: one database is the truth, local files are caches of it.
//!
//! Code map, from pure to practical:
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`authority`] | which copy owns which field, as data |
//! | [`bounds`] | how much of each input a hook takes, as data |
//! | [`model`] | sessions, work items, claims, revisions; no IO |
//! | [`reconcile`] | readings in, divergences and actions out; no IO |
//! | [`text`] | cleaning, fencing and budgeting of text that came out of state; no IO |
//! | [`shell`] | what a shell would take a command line for; no IO |
//! | [`hook`] | the JSON a hook reads and prints; no IO |
//! | [`store`] | the port to the database and its adapters |
//! | [`fs`] | the ground floor: safe opening, locks, atomic replacement, backups, digests |
//! | [`cache`] | the local copy: document, field digest, which file belongs to whom |
//! | [`metadata`] | the files of workflows: document, rules, phase contracts, locked change |
//! | [`outbox`] | writes that wait, and the journal of edits that lost |
//! | [`git`], [`liveness`], [`settings`] | readings of the surroundings |
//! | [`sync`] | observe, decide, act: what every hook and command runs |
//! | [`claims`] | claiming and releasing over the store port |
//! | [`ports`] | reserving and clearing ports over the store port |
//! | [`plan`] | reading files of plans, and working on their tasks over the store port |
//! | [`workplan`] | files of workplans: facts with their bytes, and edits of those bytes; no IO |
//! | [`repo_state`] | the file that holds the status files of other repositories; no IO |
//! | [`orchestrators`] | beginning runs of plans, and clearing those that died |
//! | [`repos`] | which repositories lie where on this machine |
//! | [`retention`] | removing what is old and done, rows and files |
//!
//! Invariants: `model`, `reconcile`, `repo_state`, `text` and `hook` never name the file system,
//! the environment, a process, the network or the clock (a test greps for it); nothing here prints.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests make files of their own")
)]

#[cfg(target_env = "musl")]
mod allocator;
pub mod authority;
pub mod bounds;
pub mod cache;
pub mod claims;
pub mod consistency;
pub mod deadline;
pub mod fs;
pub mod git;
pub mod hook;
mod json_spans;
pub mod liveness;
pub mod log;
pub mod metadata;
pub mod model;
pub mod orchestrators;
pub mod outbox;
pub mod plan;
pub mod reconcile;
pub mod repo_state;
pub mod repos;
pub mod retention;
pub mod settings;
pub mod shell;
pub mod store;
pub mod sync;
pub mod tcp_ports;
pub mod text;
pub mod workplan;
