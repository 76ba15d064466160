//! `trueup check`, over real repositories.

mod citizen;
mod formats;
mod gate;
mod holders;
mod identity;
mod incident;
mod linking;
mod plans;
mod reading;
mod refusals;
mod remotes;
pub(crate) mod scene;
mod sweep;
mod targets;
mod unreadable;
mod writeback;
