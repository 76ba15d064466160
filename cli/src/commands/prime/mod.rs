//! `trueup prime`: what an agent should know to work with trueup in this repository.

mod standing;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use trueup_core::fs::read_text;
use trueup_core::text::path_to_text;

use self::standing::describe_standing;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, FileCase};
use crate::output::Output;

/// The file that replaces the default text, from the root of the repository.
const PRIME_FILE: &str = ".trueup/PRIME.md";

/// Largest file read, in bytes. An agent reads all of it.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// What an agent is told unless the repository has a text of its own.
const DEFAULT_TEXT: &str = include_str!("PRIME.md");

#[derive(Debug, Args)]
pub(crate) struct PrimeArgs {
    /// Print the default text alone, to begin a .trueup/PRIME.md with
    #[arg(long)]
    export: bool,
}

pub(super) fn cmd_prime(context: &CommandContext, arguments: &PrimeArgs) -> CommandResult {
    if arguments.export {
        let data = json!({"standing": [], "text": DEFAULT_TEXT, "file": null});
        return Ok(Output {
            verbatim: Some(DEFAULT_TEXT.to_owned()),
            ..Output::new(Vec::new(), data)
        });
    }
    let file = find_prime_file(context);
    let own_text = file.as_deref().map(read_prime_file).transpose()?.flatten();
    let file = file.filter(|_| own_text.is_some());
    let text = own_text.as_deref().unwrap_or(DEFAULT_TEXT);
    let standing = describe_standing(context);
    let mut lines = standing.lines.clone();
    lines.push(String::new());
    lines.extend(text.lines().map(str::to_owned));
    let file = file.map(|file| path_to_text(&file));
    let data = json!({"standing": standing.lines, "text": text, "file": file});
    Ok(Output::new(lines, data).with_warnings(standing.warning))
}

/// Returns where the text of this repository would be.
fn find_prime_file(context: &CommandContext) -> Option<PathBuf> {
    let git = context.run.project.git.as_ref();
    git.map(|git| git.root.join(PRIME_FILE))
}

/// Reads the text of the repository, if it has one.
fn read_prime_file(path: &Path) -> CommandResult<Option<String>> {
    match read_text(path, MAX_FILE_BYTES, false) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => {
            let message = format!("{}: {error}", path.display());
            Err(CommandError::new(FileCase::TextUnreadable, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::commands::TrueupArgs;

    /// Most words of where the work stands, with texts of the longest length and words of a letter.
    const STANDING_WORDS: usize = 100;

    #[test]
    fn the_text_is_short() {
        let words = DEFAULT_TEXT.split_whitespace().count();
        assert!(words + STANDING_WORDS < 300, "{words} words");
        assert!(DEFAULT_TEXT.lines().all(|line| line.chars().count() <= 100));
    }

    #[test]
    fn every_command_in_it_exists() {
        let mut all = TrueupArgs::command();
        all.build();
        let commands = DEFAULT_TEXT.split("`trueup ").skip(1).map(|rest| rest.split('`').next());
        let mut count = 0;
        for command in commands.flatten() {
            let mut current = &all;
            for word in command.split(' ') {
                match current.find_subcommand(word) {
                    Some(found) => current = found,
                    None => break,
                }
            }
            assert_ne!(current.get_name(), "trueup", "{command}");
            assert!(!current.has_subcommands(), "{command}");
            count += 1;
        }
        assert!(count > 8, "{count}");
    }
}
