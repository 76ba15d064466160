//! Guarantees of the SQLite store beyond the common suite.

mod backups;
mod busy;
mod claim_rules;
mod clocks;
mod compliance;
mod damage;
mod foreign;
mod handoff_rules;
mod item_rules;
mod migrations;
mod orchestrators;
mod outbox_delivery;
mod phase_rules;
mod plan_rules;
mod ports;
mod retention;
mod wal_checkpoint;
mod watch;
mod write_races;
