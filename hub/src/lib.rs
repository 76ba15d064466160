//! The server of trueup: the operations of the store, a live stream of what happens, and a
//! dashboard, by HTTP.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `command_line`, `commands` | what `trueup-hub` can be asked to do |
//! | `server` | listening, TLS, the router, shutting down |
//! | `access` | who may ask: Host and Origin, tokens, roles, rates |
//! | `overview` | what needs a person, who works on what, what is stuck |
//! | `store_pool` | the connections to the database |
//! | `api` | what the database holds, for people and programs that read, and what describes that |
//! | `live` | what happens, as it happens |
//! | `actions` | what ends the work of others, for administrators |
//! | `rpc` | the operations of the store, for hooks and commands of other machines |
//! | `problem` | every error that a client can get |
//! | `page` | the dashboard's files |
//! | `metrics` | what the server counts |
//! | `retention` | removing what is old |
//! | `webhooks` | telling a receiver elsewhere what needs a person |
//!
//! Invariants: nothing but the page's files and the health checks is answered without a token; a web
//! page of another origin can neither read nor write; a request waits for the database under a
//! deadline; no operation of the database runs on a thread that serves connections.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make files of their own"))]

mod access;
mod actions;
mod api;
mod command_line;
mod commands;
mod database;
mod documented_routes;
mod event_cursor;
mod failure;
mod health;
mod hub_state;
mod json_body;
mod live;
mod metrics;
mod metrics_route;
mod overview;
mod page;
mod parameters;
mod printer;
mod problem;
mod retention;
mod rpc;
mod server;
mod session_judge;
mod shared_reading;
mod store_pool;
mod store_work;
mod webhooks;

use std::process::ExitCode;

use clap::Parser as _;

use crate::command_line::{HubArgs, HubCommand};

/// Runs `trueup-hub` on the arguments of the process.
pub fn hub_main() -> ExitCode {
    let arguments = HubArgs::parse();
    let (outcome, json) = match arguments.command {
        HubCommand::Serve(serve) => (commands::serve::run(&arguments.database, &serve), false),
        HubCommand::Check(check) => (commands::check::run(&check), false),
        HubCommand::Man { out } => (commands::man::run(&out), false),
        HubCommand::Token { command, json } => {
            (commands::token::run(&arguments.database, &command, json), json)
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => printer::print_failure(&failure, json),
    }
}
