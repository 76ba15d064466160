//! What must not be lost while the database cannot take it.
//!
//! Invariants: a line is durable before the hook that wrote it ends; a torn or damaged line
//! is skipped and counted, never believed; nothing is removed before the database has it.

mod journal;
mod lines;
mod pending;

pub use journal::{Entry, Journal};
pub use pending::{Outbox, Pending, Write};
