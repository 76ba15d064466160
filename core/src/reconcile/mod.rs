//! Compares what was read of a session and decides what to do about differences. Pure.
//!
//! Each of these laws is a property test in `tests/laws.rs`:
//!
//! - Applying the actions leaves no divergence of the cache, and applying them twice changes
//!   nothing more.
//! - The database receives a value that only the cache has only as a proposal for the current
//!   revision.
//! - Values of a newer cache are in the journal before an older reading replaces them.
//! - The same input gives the same output in the same order, and nothing panics.
//! - Without a reading of the database there are no actions at all: "could not ask" is never "no".

mod action;
mod branch_names;
mod cache_rules;
mod context_rules;
mod divergence_lines;
mod snapshot;
#[cfg(test)]
mod tests;

pub use action::{Action, Proposal, RejectedEdit, RejectionReason, SetAsideReason};
pub use branch_names::{
    BranchPattern, BranchPatternError, DEFAULT_BRANCH_PATTERN, branch_names_item,
    decide_switch_target, find_other_item, list_key_candidates,
};
pub use cache_rules::reconcile;
pub use context_rules::{describe_unreachable, list_other_advice};
pub use snapshot::{
    BranchReading, CacheReading, ClaimReading, DatabaseReading, LostClaim, OutboxReading,
    PeerSession, Policy, Reading, Snapshot,
};

use crate::diagnostic::Divergence;

/// What [`reconcile`] found, and what fixes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reconciliation {
    /// Every difference, ordered by code.
    pub divergences: Vec<Divergence>,
    /// The actions, in this order.
    pub actions: Vec<Action>,
}
