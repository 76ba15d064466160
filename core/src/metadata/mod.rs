//! Metadata files, `agents/<id>/adw_state.json`: what the scripts of a workflow note about their
//! execution.
//!
//! Invariants:
//! - The file is the authority on worktree, plan, ports, outputs and cost. A field that the
//!   database owns is refused on write, reported on read and removed on request.
//! - A change keeps every byte that it does not concern.
//! - A file that cannot be read is never written.
//! - Every change is one locked read-modify-write.

mod database_fields;
mod findings;
mod json_document;
pub mod phase_contract;
pub mod script_search;
mod state_file;

mod adw_state;
mod field_check;
mod last_writer;
mod script_tree;

pub use crate::fs::LockedChange;
pub use adw_state::{AdwState, IssueClass, ModelSet};
pub use database_fields::{DATABASE_FIELDS, DatabaseField, find_database_field};
pub use field_check::{InvalidField, find_invalid_fields};
pub use findings::{
    check_metadata, schema_violation_finding, unparsable_finding, unreadable_finding,
};
pub use json_document::{JsonDocument, JsonDocumentError, JsonLiteral};
pub use last_writer::find_last_writer;
pub use script_tree::{FileTree, ScriptFile, list_files_below};
pub use state_file::{
    MAX_METADATA_BYTES, MetadataError, MetadataFile, list_metadata_files, metadata_path,
};
