//! What must not be lost while the database cannot take it.
//!
//! Invariants: a line is durable before the hook that wrote it ends; a torn or damaged line
//! is kept aside and counted, never believed; nothing is gone past before the database has it,
//! or another file; what a crash left in place of a file blocks nothing; the order of writes is
//! that of their lines.

mod databases;
mod drain;
mod journal;
mod lines;
mod queue;
mod record;
mod store;
#[cfg(test)]
mod tests;

pub use databases::Databases;
pub use drain::{Bounds, Tally, Verdict};
pub use journal::{Entry, Journal};
pub use record::{Dead, Origin, Pending, Target, Write, ending};
pub use store::{Backlog, Outbox};
