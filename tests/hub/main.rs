//! `trueup-hub` as its users meet it: real processes, real clients.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a suite fails by panicking")]

mod access;
mod actions;
mod api_item;
mod api_lists;
mod browser;
mod documents;
mod error_codes;
mod hostile_requests;
mod http_client;
mod hub_process;
mod live;
mod live_clients;
mod operation;
mod overview;
mod retention;
mod sample_work;
mod schemathesis;
mod serving;
mod team;
mod tokens;
mod webhooks;
