//! Parsing of the command line.

mod fast_path;
mod parsed_command;

use std::borrow::Cow;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, ValueEnum as _};
use trueup_core::text::CommandLine;

use self::parsed_command::{ParsedCommand, subcommand_names};
use crate::command_error::{CommandError, USAGE, UsageCase};
use crate::commands::{HelpSubject, Topic, TrueupArgs, group_commands};
use crate::printer::{Printer, clean_line, print_usage};

/// The name of the program.
const PROGRAM: &str = "trueup";

/// Parses the arguments of `trueup`.
pub(crate) fn parse_trueup(argv: &[OsString]) -> Result<ParsedCommand<TrueupArgs>, ExitCode> {
    if let Some(word) = find_unknown_topic(argv) {
        let json = argv.iter().any(|argument| argument == "--json");
        let help = CommandLine::new("trueup --help");
        let error = CommandError::new(UsageCase::Usage { help }, describe_unknown_topic(&word));
        return Err(Printer::new(PROGRAM, json).print_error(&error, &[]));
    }
    let argv = &*expand_help(argv);
    let mut parsed = match fast_path::parse_fast(argv) {
        Some(parsed) => parsed,
        None => parse_arguments_with(PROGRAM, argv, group_commands)?,
    };
    if parsed.name.is_empty() {
        PROGRAM.clone_into(&mut parsed.name);
    }
    // The processes between a supervisor and its command report as the command that started them.
    if matches!(&*parsed.name, "orchestrator guard" | "orchestrator exec") {
        "orchestrator start".clone_into(&mut parsed.name);
    }
    Ok(parsed)
}

/// Reads `trueup help COMMAND` as `trueup COMMAND --help`. A topic stays what it is.
fn expand_help(argv: &[OsString]) -> Cow<'_, [OsString]> {
    let [program, help, words @ ..] = argv else {
        return Cow::Borrowed(argv);
    };
    // Options without a word ask for the help of the whole program, as no word does.
    let is_help_of_help = words.iter().any(|word| word == "--help" || word == "-h");
    let is_without_word = words.iter().all(|word| word.as_encoded_bytes().starts_with(b"-"));
    let words = if is_without_word && !is_help_of_help { <&[OsString]>::default() } else { words };
    let first = words.first().and_then(|word| word.to_str());
    let is_topic =
        first.is_some_and(|word| word.starts_with('-') || HelpSubject::find(word).is_some());
    if help != "help" || is_topic {
        return Cow::Borrowed(argv);
    }
    let help_flag = OsString::from("--help");
    let expanded = [program].into_iter().chain(words).chain([&help_flag]);
    Cow::Owned(expanded.cloned().collect())
}

/// Returns the word after `trueup help`, where it names neither a command nor a topic.
fn find_unknown_topic(argv: &[OsString]) -> Option<String> {
    let [_, help, word, ..] = argv else {
        return None;
    };
    let word = clean_line(word.to_str().filter(|word| help == "help" && !word.starts_with('-'))?);
    let is_known = word == "help"
        || HelpSubject::find(&word).is_some()
        || TrueupArgs::command().find_subcommand(&word).is_some();
    (!is_known).then_some(word)
}

/// Says that there is no such topic, and which one was perhaps meant.
fn describe_unknown_topic(word: &str) -> String {
    let names: Vec<&str> = Topic::value_variants().iter().map(|topic| topic.name()).collect();
    let is_similar = |name: &&&str| name.starts_with(word) || word.starts_with(**name);
    let meant = names.iter().find(is_similar).filter(|_| word.len() > 2);
    let meant = meant.map(|name| format!("; `trueup help {name}` may be meant"));
    let topics = names.join(", ");
    format!(
        "{word} is neither a command nor a topic{}; topics are {topics}",
        meant.unwrap_or_default()
    )
}

/// Takes `--color` before the arguments are parsed, so that help and errors follow it as well.
pub(crate) fn apply_color_choice(argv: &[OsString]) {
    let words: Vec<&str> = argv.iter().map_while(|word| word.to_str()).collect();
    let words = words.split(|word| *word == "--").next().unwrap_or_default();
    let joined = words.iter().filter_map(|word| word.strip_prefix("--color="));
    let pairs = words.iter().zip(words.iter().skip(1));
    let separate = pairs.filter(|(word, _)| **word == "--color").map(|(_, value)| *value);
    let choice = match joined.chain(separate).last() {
        Some("always") => anstream::ColorChoice::Always,
        Some("never") => anstream::ColorChoice::Never,
        _ => return,
    };
    choice.write_global();
}

/// Parses arguments by the full definition; see [`parse_arguments_with`].
pub(crate) fn parse_arguments<T: Parser>(
    program: &'static str,
    argv: &[OsString],
) -> Result<ParsedCommand<T>, ExitCode> {
    parse_arguments_with(program, argv, |command| command)
}

/// Parses arguments by the full definition. A line that cannot be parsed is answered here, as one
/// JSON object where it has `--json`; returns the exit code then.
fn parse_arguments_with<T: Parser>(
    program: &'static str,
    argv: &[OsString],
    shape_help: fn(clap::Command) -> clap::Command,
) -> Result<ParsedCommand<T>, ExitCode> {
    try_parse(argv).map_err(|error| {
        if !error.use_stderr() {
            // The help is rare, so its definition is made only here.
            let shaped = shape_help(T::command()).try_get_matches_from(argv);
            print_usage(&shaped.err().unwrap_or(error));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_topic_names_those_that_exist() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        for known in ["trueup help claims", "trueup help item", "trueup help", "trueup help --json"]
        {
            assert_eq!(find_unknown_topic(&words(known)), None, "{known}");
        }
        assert_eq!(find_unknown_topic(&words("trueup help nope")).as_deref(), Some("nope"));
        let text = describe_unknown_topic("workplan");
        assert!(text.contains("`trueup help workplans` may be meant"), "{text}");
        let text = describe_unknown_topic("nope");
        assert!(!text.contains("meant") && text.ends_with("workplans, teams"), "{text}");
    }
}
