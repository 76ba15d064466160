//! The suite that every store must pass.

/// Turns each function into a test for every store.
macro_rules! on_every_store {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(&mut crate::fixture::new_sqlite()); })*
        }
        mod postgres {
            $(#[test] fn $name() {
                // Without a server the harness has said that this is skipped.
                if let Some(mut fixture) = crate::postgres_fixture::new_postgres() {
                    super::$name(&mut fixture);
                }
            })*
        }
    };
}

mod claims;
mod dependencies;
mod errors;
mod events;
pub(crate) mod handoffs;
mod idempotency;
mod item_changes;
mod items;
mod lease_expiry;
pub(crate) mod metadata;
mod moves;
mod next;
mod orchestrators;
mod outbox_delivery;
mod phase_fences;
mod phases;
mod phases_stuck;
pub(crate) mod plans;
pub(crate) mod ports;
mod pushes;
pub(crate) mod repos;
mod retention;
mod scopes;
mod sessions;
pub(crate) mod workplans;
