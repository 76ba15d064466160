//! The command line: arguments of every command, and parsing.

mod fast_path;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgMatches, Args, Parser};
use trueup_core::model::{OperationId, SessionId};
use trueup_core::text::{CommandLine, path_to_text, quote_for_shell};

use crate::command_error::{CommandError, USAGE, UsageCase};
use crate::commands::CliCommand;
use crate::output::{Printer, clean_line, print_usage};

/// Returns a parser of arguments that may be paths; a path that is not UTF-8 becomes its text form.
pub(crate) fn path_text() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|argument| match argument.to_str() {
        // The printed form of a path is accepted as well.
        Some(text) if !Path::new(text).exists() => text.to_owned(),
        _ => path_to_text(Path::new(&argument)),
    })
}

/// Keep every Claude Code session true to one database
///
/// The database is authoritative; .claude/auto-proceed-state.json is a copy of
/// it. Hooks keep the two in sync automatically; these commands inspect and
/// change the state.
///
/// Example: trueup item add SD-002C --title "Sync on start" && trueup claim SD-002C
#[derive(Debug, Parser)]
#[command(name = "trueup", version, max_term_width = 100, verbatim_doc_comment)]
pub(crate) struct TrueupArgs {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: CliCommand,
}

/// The arguments that every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct GlobalArgs {
    /// Print one JSON object
    #[arg(long, global = true, overrides_with = "json")]
    pub(crate) json: bool,
    #[arg(
        long,
        global = true,
        value_name = "ID",
        overrides_with = "session",
        help = "Session to act for [default: $TRUEUP_SESSION_ID, or the session of this project]"
    )]
    pub(crate) session: Option<SessionId>,
    /// Project directory [default: the current git worktree]
    #[arg(long, global = true, value_name = "DIR", overrides_with = "project")]
    pub(crate) project: Option<PathBuf>,
    /// Operation id; repeating a command with the same id changes nothing
    #[arg(long, global = true, value_name = "ID", hide = true)]
    pub(crate) op_id: Option<OperationId>,
}

impl GlobalArgs {
    /// Returns the flags `--session` and `--project`, for a command that a hint advises to repeat.
    pub(crate) fn render_caller_flags(&self) -> String {
        let session = self.session.as_ref().map(SessionId::as_str);
        let project = self.project.as_deref().map(path_to_text);
        let flag = |name: &str, value: Option<&str>| {
            value.map_or_else(String::new, |value| format!(" --{name} {}", quote_for_shell(value)))
        };
        flag("session", session) + &flag("project", project.as_deref())
    }
}

/// Parsed arguments, and the full name of their command, such as `item add`.
#[derive(Debug)]
pub(crate) struct ParsedCommand<T> {
    pub(crate) name: String,
    pub(crate) arguments: T,
}

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

/// Lists the names of the subcommands that were given, outermost first.
fn subcommand_names(matches: &ArgMatches) -> Vec<&str> {
    let mut names = Vec::new();
    let mut current = matches;
    while let Some((name, inner)) = current.subcommand() {
        names.push(name);
        current = inner;
    }
    names
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
