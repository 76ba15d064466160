//! The parts of a hint: commands, kept as data so that tests can run them, and sentences.

use std::fmt::{self, Display};

use trueup_core::text::{one_line, quote_for_shell};

/// Longest foreign text that a sentence repeats, in characters.
const MAX_TEXT_CHARS: usize = 200;

/// A word of a command, quoted for a shell when it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShellWord(String);

impl<T: Display + ?Sized> From<&T> for ShellWord {
    fn from(text: &T) -> Self {
        Self(text.to_string())
    }
}

impl Display for ShellWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quote_for_shell(&self.0))
    }
}

/// Text in a sentence, outside of commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HintText(String);

impl<T: Display + ?Sized> From<&T> for HintText {
    fn from(text: &T) -> Self {
        Self(one_line(&text.to_string(), MAX_TEXT_CHARS))
    }
}

impl Display for HintText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Alternative commands, of which the reader chooses one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandChoice(Vec<String>);

impl<T: Display> FromIterator<T> for CommandChoice {
    fn from_iter<I: IntoIterator<Item = T>>(commands: I) -> Self {
        Self(commands.into_iter().map(|command| command.to_string()).collect())
    }
}

impl Display for CommandChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("` or `"))
    }
}

/// What a hint promises of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HintPromise {
    /// It succeeds, and afterwards the failed command succeeds as well.
    Ends,
    /// It succeeds.
    Runs,
    /// It succeeds from the time that the hint names.
    Later,
}

/// A part of a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HintPart {
    /// A command, and what it does.
    Command { command: String, does: String },
    /// A sentence.
    Sentence(String),
}

impl HintPart {
    /// Renders the part; commands of trueup get the caller flags of the failed command.
    fn render(&self, caller_flags: &str) -> String {
        match self {
            Self::Command { command, does } => {
                format!("`{}` {does}", with_caller_flags(command, caller_flags))
            }
            Self::Sentence(text) => text.clone(),
        }
    }
}

/// Adds the caller flags to each command of trueup.
fn with_caller_flags(command: &str, caller_flags: &str) -> String {
    let with_flags = |part: &str| {
        let is_trueup = part.starts_with("trueup ");
        // `sessions list` lists every session, and would be refused with an unknown one.
        let has_no_flags = part.contains(" --session ")
            || part.ends_with(" --help")
            || part == "trueup sessions list";
        if is_trueup && !has_no_flags { format!("{part}{caller_flags}") } else { part.to_owned() }
    };
    let parts: Vec<String> = command.split(" && ").map(with_flags).collect();
    parts.join(" && ")
}

/// Renders a hint.
pub(crate) fn render_hint(parts: &[HintPart], caller_flags: &str) -> String {
    let rendered: Vec<String> = parts.iter().map(|part| part.render(caller_flags)).collect();
    rendered.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_and_sentences_are_one_line() {
        let word = ShellWord::from("SD-1 $(x)");
        assert_eq!(format!("trueup claim {word}"), "trueup claim 'SD-1 $(x)'");
        assert_eq!(HintText::from("a\nb").to_string(), one_line("a\nb", MAX_TEXT_CHARS));
        let choice: CommandChoice = ["git switch a", "trueup release"].into_iter().collect();
        assert_eq!(format!("`{choice}`"), "`git switch a` or `trueup release`");
    }

    #[test]
    fn each_command_of_ours_speaks_for_whom_the_first_spoke_for() {
        let parts = [
            HintPart::Command {
                command: "trueup plan fail 1 && trueup plan retry 1".to_owned(),
                does: "gives it up".to_owned(),
            },
            HintPart::Command {
                command: "trueup release A --session other".to_owned(),
                does: "frees it".to_owned(),
            },
            HintPart::Command { command: "git init .".to_owned(), does: "makes one".to_owned() },
            HintPart::Sentence("or wait".to_owned()),
        ];
        assert_eq!(
            render_hint(&parts, " --session s"),
            "`trueup plan fail 1 --session s && trueup plan retry 1 --session s` gives it up; \
             `trueup release A --session other` frees it; `git init .` makes one; or wait"
        );
    }
}
