//! What this machine last read of a session from a database on a server, so that hooks answer
//! without a network.
//!
//! Invariants: a replica is replaced as a whole and under its lock, and one that cannot be read
//! counts as none; its session is that of the database with the changes on top that wait in the
//! outbox, and its revision is the database's; what it does not hold is an error and never counts
//! as absent; a change reaches the outbox first and the replica afterwards.

mod document;
mod file;
mod projection;
mod renewal;
mod store;

pub use document::{LocalMarks, REPLICA_VERSION, RenderedBriefing, Replica, StalledOutbox};
pub use file::ReplicaFile;
pub use store::ReplicaStore;
