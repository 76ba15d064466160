//! `trueup mcp`: the commands as tools of the Model Context Protocol, over stdin and stdout, for
//! clients without a shell.
//!
//! Each call of a tool runs the command of the same name as a process of its own, so that a tool
//! does what the command does, and a defect of one ends one call. This process speaks the
//! protocol, and keeps the session alive that the calls act for.

mod answers;
mod input;
mod message;
mod server;
mod session_keeper;
mod spoken_for;
mod tool;
mod tool_run;
mod tools;

use serde_json::json;

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;

use self::input::watch_input;
use self::server::Server;

/// Serves until the client closes stdin or a signal ends it.
pub(super) fn cmd_mcp(context: &CommandContext) -> CommandResult {
    let inputs = watch_input()?;
    let calls = Server::new(context)?.serve(&inputs)?;
    Ok(Output::new(Vec::new(), json!({"calls": calls})))
}
