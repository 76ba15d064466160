//! Hooks whose database is on a server.

mod fixture;
mod machines;
mod reports;
mod sessions;
mod several_sessions;
mod started_pulls;
mod starts;
mod unreachable;
