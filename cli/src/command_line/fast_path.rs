//! Parsing by the definition of one command, for the commands that agents call most.
//!
//! Building the definition of all commands took a tenth of the time of a short command. This path
//! builds only the definition of the command that was called, from the same types. A command line
//! that does not begin with its command, has an error or asks for help is left to the full
//! definition, which also makes every message.

use std::ffi::OsString;

use clap::{Args, FromArgMatches, Subcommand};

use super::parsed_command::{ParsedCommand, subcommand_names};
use crate::commands::{CliCommand, TrueupArgs};
use crate::global_args::GlobalArgs;

type Parsed = ParsedCommand<TrueupArgs>;

/// Parses a valid command line that begins with one of these commands.
pub(super) fn parse_fast(argv: &[OsString]) -> Option<Parsed> {
    let (_, words) = argv.split_first()?;
    match words.first()?.to_str()? {
        "claim" => parse_leaf_command(words, CliCommand::Claim),
        "handoff" => parse_command_group(words, CliCommand::Handoff),
        "item" => parse_command_group(words, CliCommand::Item),
        "meta" => parse_command_group(words, CliCommand::Meta),
        "next" => parse_leaf_command(words, CliCommand::Next),
        "orchestrator" => parse_command_group(words, CliCommand::Orchestrator),
        "plan" => parse_command_group(words, CliCommand::Plan),
        "ports" => parse_command_group(words, CliCommand::Ports),
        "queue" => parse_command_group(words, CliCommand::Queue),
        "set" => parse_leaf_command(words, CliCommand::Set),
        _ => None,
    }
}

fn parse_leaf_command<T: Args>(words: &[OsString], wrap: fn(T) -> CliCommand) -> Option<Parsed> {
    parse_with(T::augment_args(clap::Command::new("trueup")), words, wrap)
}

fn parse_command_group<T: Subcommand>(
    words: &[OsString],
    wrap: fn(T) -> CliCommand,
) -> Option<Parsed> {
    let command = T::augment_subcommands(clap::Command::new("trueup"));
    parse_with(command.subcommand_required(true), words, wrap)
}

fn parse_with<T: FromArgMatches>(
    command: clap::Command,
    words: &[OsString],
    wrap: fn(T) -> CliCommand,
) -> Option<Parsed> {
    let matches = GlobalArgs::augment_args(command).try_get_matches_from(words).ok()?;
    let mut names = vec![words.first()?.to_str()?];
    names.extend(subcommand_names(&matches));
    Some(ParsedCommand {
        name: names.join(" "),
        arguments: TrueupArgs {
            global: GlobalArgs::from_arg_matches(&matches).ok()?,
            command: Some(wrap(T::from_arg_matches(&matches).ok()?)),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::try_parse;
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn it_parses_what_the_full_definition_parses() {
        for line in [
            "trueup claim SD-1 --create --span 10m --json",
            "trueup handoff create PLAN-TO-EXEC --summary s --session s-1",
            "trueup item add SD-1 --title t --op-id o-1",
            "trueup item --json show SD-1",
            "trueup meta set 77c90e61 branch_name=x",
            "trueup next --claim --parent SD-1",
            "trueup orchestrator start P -- sh -c true --json",
            "trueup plan next P",
            "trueup ports reserve 3af4a34d --project .",
            "trueup queue add SD-1 --phases plan,build",
            "trueup set --phase EXEC --task --auto-proceed",
        ] {
            let full: Option<Parsed> = try_parse(&words(line)).ok();
            assert_eq!(format!("{:?}", parse_fast(&words(line))), format!("{full:?}"), "{line}");
        }
    }

    #[test]
    fn what_it_cannot_parse_is_left_to_the_full_definition() {
        for line in [
            "trueup",
            "trueup --json item list",
            "trueup item",
            "trueup item add",
            "trueup item add SD-1 --nonsense",
            "trueup item --help",
            "trueup next -h",
            "trueup nonsense",
            "trueup status",
        ] {
            assert!(parse_fast(&words(line)).is_none(), "{line}");
        }
    }
}
