//! What a check reports: the table of codes, one [`Divergence`] per difference, and the advice
//! that ends it.
//!
//! Everything here is pure. Rules elsewhere decide that two copies differ and say so with
//! [`Divergence::new`]; severity and authority come from the table of codes unless a rule knows
//! better. `docs/codes.md` is generated from the same table.

mod advice;
mod code;
mod divergence;
#[cfg(test)]
mod docs;

pub use advice::{Advice, AdviceKind, AdviceRow, BranchTarget, FileLine};
pub use code::{Code, Severity};
pub use divergence::Divergence;
