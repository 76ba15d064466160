//! Parsing of the command line.

mod fast_path;
mod parsed_command;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use trueup_core::text::CommandLine;

use self::parsed_command::{ParsedCommand, subcommand_names};
use crate::command_error::{CommandError, USAGE, UsageCase};
use crate::commands::TrueupArgs;
use crate::printer::{Printer, clean_line, print_usage};

/// Parses the arguments of `trueup`.
pub(crate) fn parse_trueup(argv: &[OsString]) -> Result<ParsedCommand<TrueupArgs>, ExitCode> {
    let mut parsed = match fast_path::parse_fast(argv) {
        Some(parsed) => parsed,
        None => parse_arguments("trueup", argv)?,
    };
    // The processes between a supervisor and its command report as the command that started them.
    if matches!(&*parsed.name, "orchestrator guard" | "orchestrator exec") {
        "orchestrator start".clone_into(&mut parsed.name);
    }
    Ok(parsed)
}

/// Parses arguments by the full definition. A line that cannot be parsed is answered here, as one
/// JSON object where it has `--json`; returns the exit code then.
pub(crate) fn parse_arguments<T: Parser>(
    program: &'static str,
    argv: &[OsString],
) -> Result<ParsedCommand<T>, ExitCode> {
    try_parse(argv).map_err(|error| {
        if !error.use_stderr() {
            print_usage(&error);
            return ExitCode::SUCCESS;
        }
        let json = argv.iter().any(|argument| argument == "--json");
        // clap's message repeats arguments, so it is made again of cleaned ones.
        let cleaned: Vec<OsString> = argv.iter().map(clean_argument).collect();
        match try_parse::<T>(&cleaned) {
            Err(error) if !json && error.use_stderr() => {
                print_usage(&error);
                ExitCode::from(USAGE)
            }
            again => {
                let error = again.err().filter(clap::Error::use_stderr).unwrap_or(error);
                let text = error.render().to_string();
                let help = find_help_command(T::command(), program, argv);
                let error = CommandError::new(UsageCase::Usage { help }, extract_reason(&text));
                Printer::new(program, json).print_error(&error, &[])
            }
        }
    })
}

fn try_parse<T: Parser>(argv: &[OsString]) -> Result<ParsedCommand<T>, clap::Error> {
    let mut matches = T::command().try_get_matches_from(argv)?;
    let name = subcommand_names(&matches).join(" ");
    let arguments =
        T::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut T::command()))?;
    Ok(ParsedCommand { name, arguments })
}

/// Returns the `--help` command of the command that the arguments name.
fn find_help_command(
    mut definition: clap::Command,
    program: &'static str,
    argv: &[OsString],
) -> CommandLine {
    definition.build();
    let mut current = &definition;
    let words = argv.iter().skip(1).filter_map(|word| word.to_str());
    let mut line = CommandLine::new(program);
    for word in words.filter(|word| *word != "help") {
        if let Some(named) = current.find_subcommand(word) {
            line = line.with_word(named.get_name());
            current = named;
        }
    }
    line.with_words("--help")
}

fn clean_argument(argument: &OsString) -> OsString {
    clean_line(&argument.to_string_lossy()).into()
}

/// Extracts the reason from an error message of clap: its first paragraph, as one line. A help
/// text in its place means that a command is missing.
fn extract_reason(message: &str) -> String {
    let Some(rest) = message.strip_prefix("error: ") else {
        return "a command is missing".to_owned();
    };
    let lines = rest.lines().map(str::trim);
    let paragraph: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    paragraph.join(" ")
}
