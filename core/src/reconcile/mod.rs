//! Readings in, divergences and actions out. Pure.
//!
//! Laws, each a property test (`tests/laws.rs` beside this file):
//! applying the actions leaves no divergence of the cache; twice is once; the database never
//! receives what only the cache holds, unless it is a proposal on the current revision; what a
//! newer cache held is in the journal before an older reading replaces it; the same input gives
//! the same output in the same order; never a panic. "Could not ask" is never "no": without a reading of the
//! database there are no actions at all.

mod action;
mod advice;
mod branch;
mod divergence;
mod lines;
mod rules;
mod snapshot;
mod surroundings;
#[cfg(test)]
mod tests;

pub use action::{Action, Aside, Lost, LostReason, Proposal};
pub use advice::{Advice, BranchTarget, FileLine, Row, Way};
pub use branch::{
    BranchPattern, DEFAULT_BRANCH_PATTERN, PatternError, candidates, named_item, names, way_back,
};
pub use divergence::{Code, Divergence, Severity};
pub use rules::reconcile;
pub use snapshot::{
    BranchReading, CacheReading, ClaimReading, DatabaseReading, LostClaim, OutboxReading, Peer,
    Policy, Reading, Snapshot,
};
pub use surroundings::other_ways;

/// What [`reconcile`] found and what mends it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reconciliation {
    /// Every difference, in the order of the catalogue.
    pub divergences: Vec<Divergence>,
    /// What to do, in this order.
    pub actions: Vec<Action>,
}
