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
mod caller;
mod command_context;
mod command_error;
mod commands;
mod human_duration;
mod output;
#[cfg(test)]
mod skill_commands;
mod supervise;
mod views;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser};
use trueup_core::text::CommandLine;

use crate::args::{GlobalArgs, TrueupArgs, ValidateArgs};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase};

pub use crate::command_error::{ERRORS, ErrorRow, Promise};
use crate::output::{Output, Printer};

/// Runs `trueup` on the process's arguments.
pub fn trueup_main() -> ExitCode {
    install_panic_hook("trueup");
    let argv: Vec<OsString> = std::env::args_os().collect();
    let cli = match args::parse_fast(&argv).map_or_else(|| parse_arguments("trueup", &argv), Ok) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let name = cli.command.name();
    let mut common = cli.common;
    common.json |= cli.command.asks_for_json();
    let context = match cli.command {
        args::CliCommand::Doctor { .. } => CommandContext::new_lenient(&common),
        _ => CommandContext::new(&common),
    };
    run_and_print(name, &common, context, |desk| {
        commands::run_command(desk, cli.command)
    })
}

/// Runs `validate-session-state` on the process's arguments.
pub fn validate_main() -> ExitCode {
    install_panic_hook("validate-session-state");
    let argv: Vec<OsString> = std::env::args_os().collect();
    let cli: ValidateArgs = match parse_arguments("validate-session-state", &argv) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let common = cli.common.clone();
    let context = CommandContext::new(&common);
    run_and_print("validate-session-state", &common, context, |desk| {
        commands::validate::cmd_validate(desk, &cli)
    })
}

/// Parses the arguments; what is no command is answered here, as JSON when that was asked.
fn parse_arguments<T: Parser>(
    program: &'static str,
    arguments: &[OsString],
) -> Result<T, ExitCode> {
    T::try_parse_from(arguments).map_err(|error| {
        if !error.use_stderr() {
            output::print_usage(&error);
            return ExitCode::SUCCESS;
        }
        let json = arguments.iter().any(|argument| argument == "--json");
        // The complaint repeats arguments, so it is made of clean ones.
        let clean = arguments.iter().map(clean_argument);
        match T::try_parse_from(clean) {
            Err(error) if !json && error.use_stderr() => {
                output::print_usage(&error);
                ExitCode::from(command_error::USAGE)
            }
            again => {
                let error = again.err().filter(clap::Error::use_stderr).unwrap_or(error);
                let text = error.render().to_string();
                let help = find_help_command(T::command(), program, arguments);
                let error = CommandError::new(ErrorCase::Usage { help }, extract_reason(&text));
                Printer::new(program, json).print_error(&error, &[])
            }
        }
    })
}

/// Returns the command that shows how the command is called which the arguments name.
fn find_help_command(
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
            line = line.with_word(named.get_name());
            at = named;
        }
    }
    line.with_words("--help")
}

fn clean_argument(argument: &OsString) -> OsString {
    output::clean_line(&argument.to_string_lossy()).into()
}

/// Turns a panic, which is a fault of ours, into the answer of a failed command.
fn install_panic_hook(program: &'static str) {
    std::panic::set_hook(Box::new(move |info| {
        let json = std::env::args_os().any(|argument| argument == "--json");
        let error = CommandError::new(ErrorCase::Internal, format!("internal error: {info}"));
        let _ = Printer::new(program, json).print_error(&error, &[]);
        exit_unable();
    }));
}

#[expect(clippy::exit, reason = "a panic has no way back to main")]
fn exit_unable() {
    std::process::exit(i32::from(command_error::UNABLE));
}

/// Takes the reason out of a complaint about arguments: its first paragraph, as one line. A
/// help text in its place means that a command is missing.
fn extract_reason(complaint: &str) -> String {
    let Some(rest) = complaint.strip_prefix("error: ") else {
        return "a command is missing".to_owned();
    };
    let lines = rest.lines().map(str::trim);
    let paragraph: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    paragraph.join(" ")
}

fn run_and_print(
    name: &'static str,
    common: &GlobalArgs,
    context: Result<CommandContext, CommandError>,
    work: impl FnOnce(&CommandContext) -> Result<Output, CommandError>,
) -> ExitCode {
    let report = Printer::for_command(name, common);
    let context = match context {
        Ok(context) => context,
        Err(error) => return report.print_error(&error, &[]),
    };
    match work(&context) {
        Ok(output) => {
            let code = report.print_output(&output);
            if let Some(signal) = output.signal {
                supervise::end_by_signal(signal);
            }
            code
        }
        Err(error) => report.print_error(&error, &context.warnings()),
    }
}

/// Returns the definition of the `trueup` command line.
pub(crate) fn clap_definition() -> clap::Command {
    TrueupArgs::command()
}
