//! Which repositories lie where on this machine.
//!
//! Invariants: a repository has one main place on a machine and any number of further checkouts,
//! a place has one repository, and clones of one remote are one repository; a machine is a data
//! directory of trueup, so that two users of one host, or two homes, never move each
//! other's repositories.

mod counterpart;
mod identity;
mod machine;
mod naming;
mod register;
mod state;

pub use counterpart::are_counterparts;
pub use identity::{Identity, checkouts, config, others, owner_of};
pub use machine::{machine, make_machine};
pub use naming::{
    NamedPlace, find_repo_name, keep_repo_name, kept_repo_name, may_keep_name, settle_repo_name,
};
pub use register::{Refusal, Wish, named_after, register};
pub use state::{
    Delivery, Given, Outcome, StateError, StateFile, cache_of, deliver, give, lines, spread,
};
