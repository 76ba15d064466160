//! `agents/<id>/adw_state.json`: what a workflow's scripts note about their execution (seed 1).
//!
//! Invariants: the file is the authority on worktree, plan, ports, outputs and cost; what the
//! database owns is refused on write, reported on read and removed on request; every byte that
//! a change does not concern stays; a file that cannot be read is never written; one locked
//! read-modify-write is the only way to change one.

mod database_fields;
mod findings;
mod json_document;
pub mod phase_contract;
pub mod sources;
mod state_file;

mod adw_state;
mod last_writer;
mod script_tree;

pub use crate::fs::LockedChange;
pub use adw_state::{AdwState, IssueClass, ModelSet};
pub use database_fields::{DATABASE_FIELDS, DatabaseField, find_database_field};
pub use findings::{
    check_metadata, schema_violation_finding, unparsable_finding, unreadable_finding,
};
pub use json_document::{JsonDocument, JsonDocumentError, JsonLiteral};
pub use last_writer::find_last_writer;
pub use script_tree::{FileTree, ScriptFile, list_files_below};
pub use state_file::{
    MAX_METADATA_BYTES, MetadataError, MetadataFile, list_metadata_files, metadata_path,
};
