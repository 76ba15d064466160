//! What the suites share.
pub mod client;
