//! Which repositories lie where on this machine.
//!
//! Invariants: a repository has one place on a machine, and a place one repository; a machine is
//! a data directory of trueup, so that two users of one host, or two homes, never move each
//! other's repositories.

mod machine;
mod register;
mod state;

pub use machine::{machine, make_machine};
pub use register::{Refusal, Wish, named_after, owner_of, register};
pub use state::{Delivery, Given, StateError, StateFile, cache_of, deliver, give, lines, spread};
