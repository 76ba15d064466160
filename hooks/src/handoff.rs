//! Which shell commands hand work on.
//!
//! A command is one by its words: `trueup handoff`, or what a pattern matches. A text that a
//! command is given in quotes is none, but for what a shell is told to run, which is read in its
//! turn.

mod letters;
mod pattern;
mod script;

pub(crate) use pattern::Patterns;

use script::Script;
use trueup_core::bounds::COMMAND;

/// Tells whether a command hands work on, and reads it only where its letters leave that open.
pub(crate) fn hands_on(command: &str, patterns: &[String]) -> bool {
    letters::may_hand_on(command, patterns) && is_handoff(command, &Patterns::new(patterns))
}

/// Tells whether a command hands work on: `trueup handoff`, or any of the patterns. Nothing passes
/// because it is long.
pub(crate) fn is_handoff(command: &str, patterns: &Patterns) -> bool {
    if command.len() > COMMAND.len() {
        return true;
    }
    Script::new(patterns).hands_on(command)
}

/// Tells whether a command that was cut may have become one that hands work on.
pub(crate) fn may_become_handoff(command: &str, patterns: &Patterns) -> bool {
    let last = command.rsplit(|c: char| !c.is_alphanumeric()).next();
    let last = last.unwrap_or_default().to_lowercase();
    let begins = |word: &str| !last.is_empty() && word.starts_with(&last);
    command.contains("trueup")
        || begins("trueup")
        || begins("handoff")
        || patterns.may_match_more_of(command)
        || is_handoff(command, patterns)
}

#[cfg(test)]
mod tests;
