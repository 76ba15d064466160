//! The suite that every store must pass.

use crate::fixture::new_sqlite;
use crate::hub_fixture::new_hub;
use crate::postgres_fixture::{DIRECT, HTTPS, PGBOUNCER, PostgresDatabase, Way, new_remote};

/// Turns each function into a test for every store, by every way to its database and over a hub.
macro_rules! on_every_store {
    ($($name:ident)*) => {
        on_every_database! { $($name)* }
        mod hub {
            $(#[test] fn $name() { super::$name(&mut crate::suite::new_hub()); })*
        }
    };
}

/// Turns each function into a test for every store, by every way to its database: for what a hub
/// does itself and does for nobody.
macro_rules! on_every_database {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(&mut crate::suite::new_sqlite()); })*
        }
        mod postgres {
            $(#[test] fn $name() {
                crate::suite::run_over(&crate::suite::DIRECT, super::$name);
            })*
        }
        mod pgbouncer {
            $(#[test] fn $name() {
                crate::suite::run_over(&crate::suite::PGBOUNCER, super::$name);
            })*
        }
        mod https {
            $(#[test] fn $name() {
                crate::suite::run_over(&crate::suite::HTTPS, super::$name);
            })*
        }
    };
}

/// Runs a test unless its way to a database cannot be had, which the harness has said then.
fn run_over(way: &'static Way, test: impl FnOnce(&mut PostgresDatabase)) {
    if let Some(mut fixture) = new_remote(way) {
        test(&mut fixture);
    }
}

pub(crate) mod attention;
mod claims;
mod dependencies;
mod errors;
mod events;
pub(crate) mod handoffs;
mod idempotency;
mod item_changes;
mod item_imports;
mod item_queries;
mod items;
mod lease_expiry;
pub(crate) mod metadata;
mod moves;
mod next;
mod orchestrators;
mod outbox_delivery;
pub(crate) mod overview;
mod phase_fences;
mod phase_removal;
mod phases;
mod phases_stuck;
pub(crate) mod plans;
pub(crate) mod ports;
mod pushes;
pub(crate) mod repos;
mod retention;
mod scopes;
mod sessions;
pub(crate) mod tokens;
pub(crate) mod workplans;
