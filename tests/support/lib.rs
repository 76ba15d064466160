//! What the suites share.
pub mod client;
pub mod home;
pub mod host_name;
pub mod postgres;
pub mod program;
pub mod race;
pub mod sample_database;
