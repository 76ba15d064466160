//! Each operation as one transaction of the engine: the traits of `store/api`, one file each.

mod attention;
mod claims;
mod clock;
mod handoffs;
mod item_queries;
mod items;
mod metadata;
mod orchestrators;
mod outbox_delivery;
mod overview;
mod phases;
mod plans;
mod port_reservations;
mod repos;
mod retention;
mod sessions;
mod stuck_work;
mod tokens;
mod workplans;

pub(super) use sessions::{STATEMENTS, prefetch_pending_matters};
