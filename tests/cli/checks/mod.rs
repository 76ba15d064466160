//! `trueup check`, over real repositories.

mod formats;
mod holders;
mod identity;
mod incident;
mod linking;
mod packages;
mod plans;
mod reading;
mod refusals;
mod remote_preflight;
mod remotes;
pub(crate) mod scene;
mod sweep;
mod targets;
mod unreadable;
mod user_git;
mod writeback;
