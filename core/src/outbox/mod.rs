//! What must not be lost while the database cannot take it.
//!
//! Invariants: a line is durable before the hook that wrote it ends; a torn or damaged line
//! is kept aside and counted, never believed; nothing is gone past before the database has it,
//! or another file; what a crash left in place of a file blocks nothing; the order of writes is
//! that of their lines.

mod checksummed_lines;
mod drain;
mod journal;
mod known_databases;
mod outbox_files;
mod pending_write;
mod queue_file;
#[cfg(test)]
mod tests;

pub use drain::{DrainCounts, DrainLimits, SendVerdict};
pub use journal::{Journal, JournalEntry};
pub use known_databases::KnownDatabases;
pub use outbox_files::{Backlog, Outbox};
pub use pending_write::{
    DrainTarget, PendingChange, PendingWrite, RefusedWrite, WriteOrigin, end_op_id,
};
