//! Recognizes shell commands that hand work off.
//!
//! Such a command is `trueup handoff`, or one that a configured pattern matches. Quoted arguments
//! do not count, unless a shell runs them: then they are read as commands in turn.

mod pattern;
mod prefilter;
mod script_scan;

pub(crate) use pattern::CommandPatterns;

use script_scan::ScriptScanner;
use trueup_core::bounds::COMMAND;

/// Returns whether a command hands work off. Most commands are ruled out by the prefilter, without
/// parsing.
pub(crate) fn is_handoff_command(command: &str, patterns: &[String]) -> bool {
    prefilter::may_contain_handoff(command, patterns)
        && script_hands_off(command, &CommandPatterns::new(patterns))
}

/// Parses a command and returns whether it hands work off. A command over the bound counts as one
/// that does: length must not let anything pass.
pub(crate) fn script_hands_off(command: &str, patterns: &CommandPatterns) -> bool {
    if command.len() > COMMAND.len() {
        return true;
    }
    ScriptScanner::new(patterns).scan_command_line(command)
}

/// Returns whether a truncated command may have been one that hands work off.
pub(crate) fn may_become_handoff(command: &str, patterns: &CommandPatterns) -> bool {
    let last = command.rsplit(|c: char| !c.is_alphanumeric()).next();
    let last = last.unwrap_or_default().to_lowercase();
    let begins = |word: &str| !last.is_empty() && word.starts_with(&last);
    command.contains("trueup")
        || begins("trueup")
        || begins("handoff")
        || patterns.may_match_longer(command)
        || script_hands_off(command, patterns)
}

#[cfg(test)]
mod tests;
