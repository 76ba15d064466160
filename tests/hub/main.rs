//! `trueup-hub` as its users meet it: real processes, real clients.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a suite fails by panicking")]

mod access;
mod documents;
mod hostile_requests;
mod http_client;
mod hub_process;
mod live;
mod live_clients;
mod operation;
mod serving;
mod tokens;
mod webhooks;
