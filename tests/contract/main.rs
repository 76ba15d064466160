//! One suite over every store, and what SQLite must keep beyond it.
//!
//! The suite runs over a real file, in a wrapper that tolerates no careless caller. What others do to the
//! file, with plain SQL, many processes or damage, is below `sqlite`.

#![expect(clippy::unwrap_used, reason = "a helper that fails, fails its test")]

mod agreement;
mod claim_machine;
mod doc_paths;
mod fixture;
mod module_cycles;
mod purity;
mod requests;
mod sqlite;
mod strict;
mod suite;
