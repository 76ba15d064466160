//! Which shell commands hand work on.
//!
//! A command is one by its words: `trueup handoff`, or what a pattern matches. A text that a
//! command is given in quotes is none, but for what a shell is told to run, which is read in its
//! turn.

mod pattern;
mod prefilter;
mod script_scan;

pub(crate) use pattern::CommandPatterns;

use script_scan::ScriptScanner;
use trueup_core::bounds::COMMAND;

/// Tells whether a command hands work on, and reads it only where its letters leave that open.
pub(crate) fn is_handoff_command(command: &str, patterns: &[String]) -> bool {
    prefilter::may_contain_handoff(command, patterns)
        && script_hands_off(command, &CommandPatterns::new(patterns))
}

/// Tells whether a command hands work on: `trueup handoff`, or any of the patterns. Nothing passes
/// because it is long.
pub(crate) fn script_hands_off(command: &str, patterns: &CommandPatterns) -> bool {
    if command.len() > COMMAND.len() {
        return true;
    }
    ScriptScanner::new(patterns).scan_command_line(command)
}

/// Tells whether a command that was cut may have become one that hands work on.
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
