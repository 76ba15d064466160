//! The commands `trueup` and `validate-session-state`.
//!
//! Invariants: stdout holds the output of the command only, stderr holds diagnostics; with `--json`
//! stdout holds exactly one object, whatever happens; commands that only read never write; the exit
//! code, the code and the hint of every error are in `command_error`.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make files of their own"))]

mod command_context;
mod command_error;
mod command_line;
mod commands;
mod completion;
mod global_args;
mod human_duration;
mod number_argument;
mod optional_value;
mod output;
mod page;
mod path_argument;
mod printer;
#[cfg(test)]
mod skill_commands;
mod store_location;
mod supervise;
mod time_text;
mod views;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, FileCase, UNABLE};
use crate::command_line::{apply_color_choice, parse_arguments, parse_trueup};
use crate::commands::CliCommand;
use crate::commands::validate::ValidateArgs;
use crate::global_args::GlobalArgs;
use crate::printer::Printer;

pub use crate::command_error::{ErrorRow, HintPromise, error_rows};

/// Runs `trueup` on the arguments of the process.
pub fn trueup_main() -> ExitCode {
    if let Some(code) = completion::answer_shell(commands::TrueupArgs::command) {
        return code;
    }
    install_panic_hook("trueup");
    let argv: Vec<OsString> = std::env::args_os().collect();
    apply_color_choice(&argv);
    let parsed = match parse_trueup(&argv) {
        Ok(parsed) => parsed,
        Err(code) => return code,
    };
    let mut global = parsed.arguments.global;
    let command = parsed.arguments.command;
    global.json |= command.as_ref().is_some_and(CliCommand::asks_for_json);
    let context = if command.as_ref().is_some_and(CliCommand::bears_broken_settings) {
        CommandContext::new_lenient(&global)
    } else {
        CommandContext::new(&global)
    };
    let context = context.map(|it| it.with_command_names(commands::list_command_names));
    run_and_print(parsed.name, &global, context, |context| commands::run(context, command))
}

/// Runs `validate-session-state` on the arguments of the process.
pub fn validate_main() -> ExitCode {
    const NAME: &str = "validate-session-state";
    install_panic_hook(NAME);
    let argv: Vec<OsString> = std::env::args_os().collect();
    apply_color_choice(&argv);
    let arguments: ValidateArgs = match parse_arguments(NAME, &argv) {
        Ok(parsed) => parsed.arguments,
        Err(code) => return code,
    };
    let context = CommandContext::new(&arguments.global);
    run_and_print(NAME.to_owned(), &arguments.global, context, |context| {
        commands::validate::cmd_validate(context, &arguments)
    })
}

/// Runs a command and prints its output or its error.
fn run_and_print(
    name: String,
    global: &GlobalArgs,
    context: CommandResult<CommandContext>,
    run: impl FnOnce(&CommandContext) -> CommandResult,
) -> ExitCode {
    let printer = Printer::for_command(name, global);
    let context = match context {
        Ok(context) => context,
        Err(error) => return printer.print_error(&error, &[]),
    };
    match run(&context) {
        Ok(output) => {
            let code = printer.print_output(&output);
            if let Some(signal) = output.signal {
                supervise::end_by_signal(signal);
            }
            code
        }
        Err(error) => printer.print_error(&error, &context.warnings()),
    }
}

/// Reports a panic, which is a defect of trueup, as the error of the command.
fn install_panic_hook(program: &'static str) {
    std::panic::set_hook(Box::new(move |info| {
        let json = std::env::args_os().any(|argument| argument == "--json");
        let error = CommandError::new(FileCase::Internal, format!("internal error: {info}"));
        let _ = Printer::new(program, json).print_error(&error, &[]);
        exit_unable();
    }));
}

#[expect(clippy::exit, reason = "a panic has no way back to main")]
fn exit_unable() {
    std::process::exit(i32::from(UNABLE));
}
