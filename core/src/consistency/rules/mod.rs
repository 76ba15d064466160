//! The rules, a file for each kind of question.

pub(super) mod absent;
pub(super) mod drift;
pub(super) mod duplicates;
mod known;
pub(super) mod plans;
pub(super) mod ties;
mod units;
pub(super) mod unreadable;
pub(super) mod whole;

pub(super) use known::Known;
pub(super) use units::{Unit, Units};
