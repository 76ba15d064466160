//! The installer and the plugin it puts in place: staging, links, registration, removal.
//!
//! The real `trueup-install` runs in a scratch home with stand-ins for the other binaries, against
//! a stand-in for Claude Code that rewrites settings as the real one does, and against the real
//! one.

#![expect(clippy::unwrap_used, reason = "a helper that fails, fails its test")]

mod building;
mod bundle;
mod codex;
mod columns;
mod failures;
mod files;
mod modes;
mod plugin;
mod real;
mod registration;
mod scratch;
mod staging;
