//! The core of trueup: one database is the truth, local files are copies of it.
//!
//! Code map, the lowest layer first. A module uses only modules of rows above its own:
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`bounds`], [`deadline`] | how much of each input a hook takes, as data; when its answer is due |
//! | [`text`], `json_spans` | cleaning, delimiters, redaction of secrets; parts of a JSON text; no IO |
//! | [`fs`] | safe opening, locks, atomic replacement, backups, digests |
//! | [`model`] | sessions, work items, claims, revisions; no IO |
//! | [`authority`] | which copy is right about which fact, as data |
//! | [`diagnostic`] | the table of codes, divergences and the advice that ends them; no IO |
//! | [`shell`], [`hook`] | command lines, and the JSON a hook reads and prints; no IO |
//! | [`workplan`], [`repo_state`] | workplan files, and the state files of other repositories; no IO |
//! | [`reconcile`] | readings in, divergences and actions out; no IO |
//! | [`cache`] | the local copy: document, field digest, which file belongs to whom |
//! | [`outbox`] | waiting writes, and the journal of rejected edits |
//! | [`metadata`] | the files of workflows: document, rules, phase contracts, locked change |
//! | [`store`] | the operations on the database, and the engine that runs them |
//! | [`git`], [`liveness`], [`log`] | the repository, processes, and the log file |
//! | [`settings`] | flag, environment, file, default; which project a run concerns |
//! | [`replica`] | what this machine last read of a session from a server, for its hooks |
//! | [`plan`] | plan files, and work on their tasks in the store |
//! | [`views`] | what commands and the hub show, as JSON |
//! | [`repos`] | which repositories are where on this machine |
//! | [`sync`] | observe, decide, act: the core of every hook and command |
//! | [`claims`], [`orchestrators`], [`tcp_ports`], [`retention`] | operations over store, liveness and sync |
//! | [`overview`] | what needs a person, who works on what, what is stuck |
//! | [`leftovers`] | what trueup leaves in repositories, and removing it |
//! | [`consistency`] | observe, decide, act for workplan files |
//!
//! Invariants: the modules marked "no IO" never name the file system, the environment, a process,
//! the network or the clock, and no two modules use each other (tests check both); nothing here
//! prints.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make files of their own"))]

#[cfg(target_env = "musl")]
mod allocator;
pub mod authority;
pub mod bounds;
pub mod cache;
pub mod claims;
pub mod consistency;
pub mod deadline;
pub mod diagnostic;
pub mod fs;
pub mod git;
pub mod hook;
mod json_spans;
pub mod leftovers;
pub mod liveness;
pub mod log;
pub mod metadata;
pub mod model;
pub mod orchestrators;
pub mod outbox;
pub mod overview;
pub mod plan;
pub mod reconcile;
pub mod replica;
pub mod repo_state;
pub mod repos;
pub mod retention;
pub mod settings;
pub mod shell;
pub mod store;
pub mod sync;
pub mod tcp_ports;
pub mod text;
pub mod views;
pub mod workplan;
