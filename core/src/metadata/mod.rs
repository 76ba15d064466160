//! `agents/<id>/adw_state.json`: what a workflow's scripts note about their execution (seed 1).
//!
//! Invariants: the file is the authority on worktree, plan, ports, outputs and cost; what the
//! database owns is refused on write, reported on read and removed on request; every byte that
//! a change does not concern stays; a file that cannot be read is never written; one locked
//! read-modify-write is the only way to change one.

pub mod contract;
mod document;
mod file;
mod owned;
mod rules;
pub mod sources;

mod state;
mod tree;
mod writer;

pub use crate::files::Change;
pub use document::{Document, Literal, Unparsable};
pub use file::{LARGEST, MetadataError, MetadataFile, listed, place};
pub use owned::{OWNED, Owned, owned};
pub use rules::{examine, unparsable, unreadable, violation};
pub use state::{IssueClass, ModelSet, State};
pub use tree::{Script, Tree, files_below};
pub use writer::writer;
