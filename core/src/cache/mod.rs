//! The local cache: one JSON file per session, a copy of what the database says.
//!
//! Invariants: replaced whole by rename, never edited in place; mode 0600; never through a
//! symlink; unknown keys survive; an unchanged file is not rewritten; a file that cannot be
//! used is set aside, never deleted.

mod digest;
mod document;
mod exclude;
mod file;
pub mod lock;
mod place;

pub use document::{Document, FORMAT_VERSION, Stamp};
pub use exclude::exclude_from_git;
pub use file::{CacheError, CacheFile, LARGEST, Written};
pub use place::{Candidate, choose, own_path, shared_path};
