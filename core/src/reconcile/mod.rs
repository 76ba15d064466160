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
mod branch_names;
mod cache_rules;
mod context_rules;
mod divergence;
mod divergence_lines;
mod snapshot;
#[cfg(test)]
mod tests;

pub use action::{Action, Proposal, RejectedEdit, RejectionReason, SetAsideReason};
pub use advice::{Advice, BranchTarget, FileLine, Row, Way};
pub use branch_names::{
    BranchPattern, BranchPatternError, DEFAULT_BRANCH_PATTERN, branch_names_item,
    decide_switch_target, find_other_item, list_key_candidates,
};
pub use cache_rules::reconcile;
pub use context_rules::list_other_advice;
pub use divergence::{Code, Divergence, Severity};
pub use snapshot::{
    BranchReading, CacheReading, ClaimReading, DatabaseReading, LostClaim, OutboxReading,
    PeerSession, Policy, Reading, Snapshot,
};

/// What [`reconcile`] found and what mends it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reconciliation {
    /// Every difference, in the order of the catalogue.
    pub divergences: Vec<Divergence>,
    /// What to do, in this order.
    pub actions: Vec<Action>,
}
