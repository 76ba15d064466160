//! What every store must do.

/// Makes each function a test over every store.
macro_rules! on_every_store {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(&mut crate::fixture::sqlite()); })*
        }
    };
}

mod claims;
mod dependencies;
mod errors;
mod events;
mod handoffs;
mod item_changes;
mod items;
mod lapse;
mod metadata;
mod moves;
mod next;
mod orchestrators;
mod phase_fences;
mod phases;
mod phases_stuck;
mod plans;
mod ports;
mod pushes;
mod repeats;
mod repos;
mod retention;
mod scopes;
mod sessions;
mod waiting;
mod workplans;
