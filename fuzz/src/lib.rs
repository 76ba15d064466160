//! What must hold for every input, however hostile: one module for each target in `src/bin`.
//!
//! A law is a plain function over bytes that panics when it is broken. It asks what a caller
//! would lose by, not only that nothing panics: bytes that an edit is not about, values that a
//! file held, an answer in time.

pub mod cache;
pub mod front_matter;
pub mod growth;
pub mod hook;
pub mod metadata;
pub mod plan;
pub mod redact;
pub mod sources;
pub mod state;
pub mod status_file;
mod text;
pub mod trackers;
pub mod workplan;
