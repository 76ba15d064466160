//! The short way through the command line.
//!
//! The whole definition describes forty commands of which one was called, and took a tenth of
//! the time of a short one. Here only what was called is described, by the same types. Whatever
//! does not begin with its command, is wrong or asks for help is for the whole definition.

use std::ffi::OsString;

use clap::{Args, FromArgMatches, Subcommand};

use super::{Command, Common, Trueup};

/// Reads a right command line that begins with its command.
pub(crate) fn quick(arguments: &[OsString]) -> Option<Trueup> {
    let (_, rest) = arguments.split_first()?;
    match rest.first()?.to_str()? {
        "claim" => one(rest, Command::Claim),
        "handoff" => group(rest, Command::Handoff),
        "item" => group(rest, Command::Item),
        "meta" => group(rest, Command::Meta),
        "next" => one(rest, Command::Next),
        "orchestrator" => group(rest, Command::Orchestrator),
        "plan" => group(rest, Command::Plan),
        "ports" => group(rest, Command::Ports),
        "queue" => group(rest, Command::Queue),
        "set" => one(rest, Command::Set),
        _ => None,
    }
}

fn one<T: Args>(rest: &[OsString], wrap: fn(T) -> Command) -> Option<Trueup> {
    read(T::augment_args(clap::Command::new("trueup")), rest, wrap)
}

fn group<T: Subcommand>(rest: &[OsString], wrap: fn(T) -> Command) -> Option<Trueup> {
    let command = T::augment_subcommands(clap::Command::new("trueup"));
    read(command.subcommand_required(true), rest, wrap)
}

fn read<T: FromArgMatches>(
    command: clap::Command,
    rest: &[OsString],
    wrap: fn(T) -> Command,
) -> Option<Trueup> {
    let matches = Common::augment_args(command)
        .try_get_matches_from(rest)
        .ok()?;
    Some(Trueup {
        common: Common::from_arg_matches(&matches).ok()?,
        command: wrap(T::from_arg_matches(&matches).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn it_reads_what_the_whole_definition_reads() {
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
            let whole = Trueup::try_parse_from(words(line)).ok();
            assert_eq!(
                format!("{:?}", quick(&words(line))),
                format!("{whole:?}"),
                "{line}"
            );
        }
    }

    #[test]
    fn what_it_cannot_read_is_left_to_the_whole_definition() {
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
            assert!(quick(&words(line)).is_none(), "{line}");
        }
    }
}
