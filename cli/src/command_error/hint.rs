//! What a hint is made of: commands, as data, and plain sentences.

use std::fmt::{self, Display};

use trueup_core::text::{one_line, quote_for_shell};

/// Longest text of somebody that a sentence repeats, in characters.
const MAX_TEXT_CHARS: usize = 200;

/// A word of a command, printed as a shell reads it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word(String);

impl<T: Display + ?Sized> From<&T> for Word {
    fn from(text: &T) -> Self {
        Self(text.to_string())
    }
}

impl Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quote_for_shell(&self.0))
    }
}

/// Text in a sentence, which is no part of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said(String);

impl<T: Display + ?Sized> From<&T> for Said {
    fn from(text: &T) -> Self {
        Self(one_line(&text.to_string(), MAX_TEXT_CHARS))
    }
}

impl Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Commands of which one is to be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice(Vec<String>);

impl<T: Display> FromIterator<T> for Choice {
    fn from_iter<I: IntoIterator<Item = T>>(commands: I) -> Self {
        Self(
            commands
                .into_iter()
                .map(|command| command.to_string())
                .collect(),
        )
    }
}

impl Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("` or `"))
    }
}

/// What a hint promises of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// It succeeds, and after it so does what failed.
    Ends,
    /// It succeeds.
    Runs,
    /// It succeeds from the time on that the hint names.
    Later,
}

/// One piece of a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Advice {
    /// A command, and what it does.
    Command { command: String, does: String },
    /// A sentence.
    Sentence(String),
}

impl Advice {
    /// Prints it; a command of ours speaks for whom the command that failed spoke for.
    fn print(&self, caller_flags: &str) -> String {
        match self {
            Self::Command { command, does } => {
                format!("`{}` {does}", with_caller_flags(command, caller_flags))
            }
            Self::Sentence(text) => text.clone(),
        }
    }
}

/// Adds the flags that name session and project to each command of ours.
fn with_caller_flags(command: &str, caller_flags: &str) -> String {
    let one = |part: &str| {
        let is_ours = part.starts_with("trueup ");
        // The list of sessions is that of all; a session that is unknown or none would refuse it.
        let is_said = part.contains(" --session ")
            || part.ends_with(" --help")
            || part == "trueup sessions list";
        if is_ours && !is_said {
            format!("{part}{caller_flags}")
        } else {
            part.to_owned()
        }
    };
    let parts: Vec<String> = command.split(" && ").map(one).collect();
    parts.join(" && ")
}

/// Prints a hint.
pub(crate) fn print(advice: &[Advice], caller_flags: &str) -> String {
    let pieces: Vec<String> = advice
        .iter()
        .map(|piece| piece.print(caller_flags))
        .collect();
    pieces.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_and_sentences_are_one_line() {
        let word = Word::from("SD-1 $(x)");
        assert_eq!(format!("trueup claim {word}"), "trueup claim 'SD-1 $(x)'");
        assert_eq!(
            Said::from("a\nb").to_string(),
            one_line("a\nb", MAX_TEXT_CHARS)
        );
        let choice: Choice = ["git switch a", "trueup release"].into_iter().collect();
        assert_eq!(format!("`{choice}`"), "`git switch a` or `trueup release`");
    }

    #[test]
    fn each_command_of_ours_speaks_for_whom_the_first_spoke_for() {
        let advice = [
            Advice::Command {
                command: "trueup plan fail 1 && trueup plan retry 1".to_owned(),
                does: "gives it up".to_owned(),
            },
            Advice::Command {
                command: "trueup release A --session other".to_owned(),
                does: "frees it".to_owned(),
            },
            Advice::Command {
                command: "git init .".to_owned(),
                does: "makes one".to_owned(),
            },
            Advice::Sentence("or wait".to_owned()),
        ];
        assert_eq!(
            print(&advice, " --session s"),
            "`trueup plan fail 1 --session s && trueup plan retry 1 --session s` gives it up; \
             `trueup release A --session other` frees it; `git init .` makes one; or wait"
        );
    }
}
