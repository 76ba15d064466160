//! The hook binaries as the client runs them: recorded payloads in, exact output out.

mod divergences;
mod lost_edits;
mod payloads;
mod start;
