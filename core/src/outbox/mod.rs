//! What must not be lost while the database cannot take it: queued writes and the journal of
//! rejected edits.
//!
//! Invariants: a line is durable before the hook that wrote it ends; a torn or damaged line is
//! moved aside and counted, never trusted; a record leaves a file only after the database or
//! another file has it; debris of a crash blocks nothing; writes keep the order of their lines.

mod checksummed_lines;
mod drain;
mod journal;
mod known_databases;
mod outbox_files;
mod pending_write;
mod queue_file;
mod removal;
#[cfg(test)]
mod tests;

pub use drain::{DrainCounts, DrainLimits, SendVerdict};
pub use journal::{Journal, JournalEntry};
pub use known_databases::KnownDatabases;
pub use outbox_files::{Backlog, Outbox};
pub use pending_write::{
    DrainTarget, PendingChange, PendingWrite, RefusedWrite, WriteOrigin, end_op_id,
};
