//! The commands: `trueup` and `validate-session-state`.
//!
//! Invariants: stdout holds the answer alone, stderr diagnostics; with `--json` stdout holds
//! one object, whatever happens; reading commands never write; every error becomes its exit
//! code, line and hint in `failure`.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests make files of their own")
)]

mod args;
mod commands;
mod desk;
mod failure;
mod json;
mod report;
#[cfg(test)]
mod skills;
mod span;
mod speaker;
mod supervise;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser};
use trueup_core::text::CommandLine;

use crate::args::{Common, Trueup, Validate};
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};

pub use crate::failure::{ERRORS, ErrorRow, Promise};
use crate::report::{Answer, Report};

/// Runs `trueup` on the process's arguments.
pub fn trueup_main() -> ExitCode {
    answer_panics("trueup");
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match args::quick(&arguments).map_or_else(|| parse("trueup", &arguments), Ok) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let name = cli.command.name();
    let mut common = cli.common;
    common.json |= cli.command.asks_for_json();
    let desk = match cli.command {
        args::Command::Doctor { .. } => Desk::of_doctor(&common),
        _ => Desk::new(&common),
    };
    finish(name, &common, desk, |desk| commands::run(desk, cli.command))
}

/// Runs `validate-session-state` on the process's arguments.
pub fn validate_main() -> ExitCode {
    answer_panics("validate-session-state");
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli: Validate = match parse("validate-session-state", &arguments) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let common = cli.common.clone();
    let desk = Desk::new(&common);
    finish("validate-session-state", &common, desk, |desk| {
        commands::validate::run(desk, &cli)
    })
}

/// Parses the arguments; what is no command is answered here, as JSON when that was asked.
fn parse<T: Parser>(program: &'static str, arguments: &[OsString]) -> Result<T, ExitCode> {
    T::try_parse_from(arguments).map_err(|error| {
        if !error.use_stderr() {
            report::print_usage(&error);
            return ExitCode::SUCCESS;
        }
        let json = arguments.iter().any(|argument| argument == "--json");
        // The complaint repeats arguments, so it is made of clean ones.
        let clean = arguments.iter().map(clean);
        match T::try_parse_from(clean) {
            Err(error) if !json && error.use_stderr() => {
                report::print_usage(&error);
                ExitCode::from(failure::USAGE)
            }
            again => {
                let error = again.err().filter(clap::Error::use_stderr).unwrap_or(error);
                let text = error.render().to_string();
                let help = help_of(T::command(), program, arguments);
                let failure = Failure::new(ErrorCase::Usage { help }, reason(&text));
                Report::new(program, json).fail(&failure, &[])
            }
        }
    })
}

/// Returns the command that shows how the command is called which the arguments name.
fn help_of(
    mut definition: clap::Command,
    program: &'static str,
    arguments: &[OsString],
) -> CommandLine {
    definition.build();
    let mut at = &definition;
    let words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    let mut line = CommandLine::new(program);
    for word in words.filter(|word| *word != "help") {
        if let Some(named) = at.find_subcommand(word) {
            line = line.word(named.get_name());
            at = named;
        }
    }
    line.with("--help")
}

fn clean(argument: &OsString) -> OsString {
    report::clean_line(&argument.to_string_lossy()).into()
}

/// Turns a panic, which is a fault of ours, into the answer of a failed command.
fn answer_panics(program: &'static str) {
    std::panic::set_hook(Box::new(move |info| {
        let json = std::env::args_os().any(|argument| argument == "--json");
        let failure = Failure::new(ErrorCase::Internal, format!("internal error: {info}"));
        let _ = Report::new(program, json).fail(&failure, &[]);
        exit_unable();
    }));
}

#[expect(clippy::exit, reason = "a panic has no way back to main")]
fn exit_unable() {
    std::process::exit(i32::from(failure::UNABLE));
}

/// Takes the reason out of a complaint about arguments: its first paragraph, as one line. A
/// help text in its place means that a command is missing.
fn reason(complaint: &str) -> String {
    let Some(rest) = complaint.strip_prefix("error: ") else {
        return "a command is missing".to_owned();
    };
    let lines = rest.lines().map(str::trim);
    let paragraph: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    paragraph.join(" ")
}

fn finish(
    name: &'static str,
    common: &Common,
    desk: Result<Desk, Failure>,
    work: impl FnOnce(&Desk) -> Result<Answer, Failure>,
) -> ExitCode {
    let report = Report::of(name, common);
    let desk = match desk {
        Ok(desk) => desk,
        Err(failure) => return report.fail(&failure, &[]),
    };
    match work(&desk) {
        Ok(answer) => {
            let code = report.print(&answer);
            if let Some(signal) = answer.signal {
                supervise::die_by(signal);
            }
            code
        }
        Err(failure) => report.fail(&failure, &desk.warnings()),
    }
}

/// Returns the definition of the `trueup` command line.
pub(crate) fn definition() -> clap::Command {
    Trueup::command()
}
