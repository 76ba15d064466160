//! The commands, a file each.

mod blame;
mod check;
mod claim;
mod db;
mod demo;
mod doctor;
mod handoff;
mod item;
mod journal;
mod log;
mod meta;
mod next;
mod orchestrator;
mod orchestrator_start;
mod plan;
mod ports;
mod queue;
mod repo;
mod sessions;
mod set;
mod state;
mod status;
mod statusline;
pub(crate) mod validate;

use std::io::Write as _;

use serde_json::{Value, json};

use crate::args::CliCommand;
use crate::clap_definition;
use crate::command_context::CommandContext;
use crate::command_error::CommandError;
use crate::output::Output;

/// Runs a command of `trueup`.
pub(crate) fn run_command(
    context: &CommandContext,
    command: CliCommand,
) -> Result<Output, CommandError> {
    context.check_named_session(&command)?;
    let mut output = match command {
        CliCommand::Status { all } => status::cmd_status(context, all),
        CliCommand::Set(arguments) => set::cmd_set(context, &arguments),
        CliCommand::Interrupt => set::cmd_interrupt(context),
        CliCommand::Resume => set::cmd_resume(context),
        CliCommand::Clear { no_history } => set::cmd_clear(context, no_history),
        CliCommand::Item(command) => item::cmd_item(context, command),
        CliCommand::Claim(arguments) => claim::cmd_claim(context, arguments),
        CliCommand::Release { key, reason } => claim::cmd_release(context, key, reason.as_deref()),
        CliCommand::Handoff(command) => handoff::cmd_handoff(context, command),
        CliCommand::Next(arguments) => next::cmd_next(context, arguments),
        CliCommand::Queue(command) => queue::cmd_queue(context, command),
        CliCommand::Sessions(command) => sessions::cmd_sessions(context, &command),
        CliCommand::Plan(command) => plan::cmd_plan(context, command),
        CliCommand::Ports(command) => ports::cmd_ports(context, &command),
        CliCommand::State(command) => state::cmd_state(context, command),
        CliCommand::Repo(command) => repo::cmd_repo(context, command),
        CliCommand::Orchestrator(command) => orchestrator::cmd_orchestrator(context, command),
        CliCommand::Log(arguments) => log::cmd_log(context, &arguments),
        CliCommand::Blame(arguments) => blame::cmd_blame(context, &arguments),
        CliCommand::Journal(command) => journal::cmd_journal(context, &command),
        CliCommand::Check(arguments) => check::cmd_check(context, &arguments),
        CliCommand::Meta(command) => meta::cmd_meta(context, command),
        CliCommand::Db(command) => db::cmd_db(context, &command),
        CliCommand::Doctor { fix } => Ok(doctor::cmd_doctor(context, fix)),
        CliCommand::Demo => demo::cmd_demo(),
        CliCommand::Statusline => Ok(statusline::cmd_statusline(context)),
        CliCommand::Completions { shell } => cmd_completions(shell),
    }?;
    output.warnings.splice(0..0, context.warnings());
    Ok(output)
}

fn cmd_completions(shell: clap_complete::Shell) -> Result<Output, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut clap_definition(), "trueup", &mut script);
    script.flush()?;
    let text = String::from_utf8_lossy(&script).into_owned();
    let lines = text.lines().map(str::to_owned).collect();
    Ok(Output::new(
        lines,
        json!({"shell": shell.to_string(), "script": text}),
    ))
}

/// Shows an absent value.
fn or_none(value: Option<&str>) -> &str {
    value.unwrap_or("none")
}

/// Shows a JSON value as a person would write it.
fn render_json_value(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
