//! The local cache: one JSON file per session, a copy of what the database says.
//!
//! Invariants: replaced whole by rename, never edited in place; mode 0600; never through a
//! symlink; unknown keys survive; an unchanged file is not rewritten; a file that cannot be
//! used is set aside, never deleted.

mod cache_path;
mod document;
mod field_digest;
mod file;
mod git_exclude;

pub use cache_path::{CachePathChoice, needs_own_file, session_cache_path, shared_cache_path};
pub use document::{CACHE_FORMAT_VERSION, CacheDocument, SyncStamp};
pub use file::{CacheError, CacheFile, MAX_CACHE_BYTES, WriteOutcome};
pub(crate) use git_exclude::EXCLUDE_PATTERNS;
pub use git_exclude::exclude_from_git;
