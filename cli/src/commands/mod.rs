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

use crate::args::Command;
use crate::definition;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::report::Answer;

/// Runs a command of `trueup`.
pub(crate) fn run(desk: &Desk, command: Command) -> Result<Answer, Failure> {
    desk.refuse_unknown_session(&command)?;
    let mut answer = match command {
        Command::Status { all } => status::run(desk, all),
        Command::Set(arguments) => set::set(desk, &arguments),
        Command::Interrupt => set::interrupt(desk),
        Command::Resume => set::resume(desk),
        Command::Clear { no_history } => set::clear(desk, no_history),
        Command::Item(command) => item::run(desk, command),
        Command::Claim(arguments) => claim::claim(desk, arguments),
        Command::Release { key, reason } => claim::release(desk, key, reason.as_deref()),
        Command::Handoff(command) => handoff::run(desk, command),
        Command::Next(arguments) => next::run(desk, arguments),
        Command::Queue(command) => queue::run(desk, command),
        Command::Sessions(command) => sessions::run(desk, &command),
        Command::Plan(command) => plan::run(desk, command),
        Command::Ports(command) => ports::run(desk, &command),
        Command::State(command) => state::run(desk, command),
        Command::Repo(command) => repo::run(desk, command),
        Command::Orchestrator(command) => orchestrator::run(desk, command),
        Command::Log(arguments) => log::run(desk, &arguments),
        Command::Blame(arguments) => blame::run(desk, &arguments),
        Command::Journal(command) => journal::run(desk, &command),
        Command::Check(arguments) => check::run(desk, &arguments),
        Command::Meta(command) => meta::run(desk, command),
        Command::Db(command) => db::run(desk, &command),
        Command::Doctor { fix } => Ok(doctor::run(desk, fix)),
        Command::Demo => demo::run(),
        Command::Statusline => Ok(statusline::run(desk)),
        Command::Completions { shell } => completions(shell),
    }?;
    answer.warnings.splice(0..0, desk.warnings());
    Ok(answer)
}

fn completions(shell: clap_complete::Shell) -> Result<Answer, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut definition(), "trueup", &mut script);
    script.flush()?;
    let text = String::from_utf8_lossy(&script).into_owned();
    let lines = text.lines().map(str::to_owned).collect();
    Ok(Answer::new(
        lines,
        json!({"shell": shell.to_string(), "script": text}),
    ))
}

/// Shows an absent value.
fn or_none(value: Option<&str>) -> &str {
    value.unwrap_or("none")
}

/// Shows a JSON value as a person would write it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
