//! What SQLite must keep beyond the suite.

mod backups;
mod busy;
mod clocks;
mod compliance;
mod damage;
mod foreign;
mod handoffs;
mod item_rules;
mod migrations;
mod orchestrators;
mod parting;
mod phase_rules;
mod plan_rules;
mod ports;
mod races;
mod retention;
mod rules;
mod waiting;
mod watch;
