//! One suite for every store, and the guarantees of the SQLite store beyond it.
//!
//! The suite runs on a real file, in a wrapper that panics on a careless caller. The module
//! `sqlite` tests what others may do to the file: plain SQL, many processes, damage.

#![expect(clippy::unwrap_used, reason = "a helper that fails, fails its test")]

mod agreement;
mod claim_machine;
mod doc_paths;
mod fixture;
mod hub_fixture;
mod hub_requests;
mod metadata_schema;
mod module_cycles;
mod postgres_fixture;
mod process_races;
mod purity;
mod requests;
mod round_trips;
mod signs_of_life;
mod sqlite;
mod strict;
mod suite;
mod transfer;
