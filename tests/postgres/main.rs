//! The schema for PostgreSQL on a real server: its rules are SQLite's, and clients can do nothing
//! but exchange.

#![expect(clippy::unwrap_used, reason = "a helper that fails, fails its test")]

mod agreement;
mod exchange;
mod guides;
mod load;
mod notices;
mod order;
mod query_plans;
mod refusals;
mod requests;
mod roles;
mod schema;
mod sqlite;
mod upgrades;
