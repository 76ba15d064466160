//! Observe, decide, act: what every hook and command runs.
//!
//! Invariants: what was written is read back before it counts as mended; a database that has
//! moved on in between is read again, a bounded number of times; an edit is in the journal
//! before the file that held it is replaced.

mod act;
mod briefing;
mod doubt;
mod drain;
mod handed;
mod insist;
mod lifecycle;
mod neighbour;
mod observe;
mod site;
mod stuck;

pub use act::{Standing, SyncError, TrueUp, inspect, true_up};
pub use briefing::{Briefing, reassertion};
pub use doubt::{Doubt, READINGS_APART_SECONDS, doubt};
pub use drain::{Drained, drain, remember_database};
pub use handed::{News, handed_on};
pub use insist::{Insisted, Insistence, insist};
pub use lifecycle::{is_known_by_name_alone, is_registered_as_is, predecessor, register, sweep};
pub use neighbour::Neighbour;
pub use observe::{Observation, observe, observe_without_database};
pub use site::{Site, now};
pub use stuck::{fail_stuck, fail_stuck_tasks, stuck_lines};
