//! Each operation as one transaction of the engine: the traits of `store/api`, one file each.

mod attention;
mod handoffs;
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
mod store;
mod tokens;
mod workplans;

pub(super) use store::{STATEMENTS, prefetch_pending_matters};
