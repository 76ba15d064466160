//! Splits a command line into simple commands and words, as a shell would. Pure.
//!
//! Nothing is expanded. The time is linear in the length of the text. Substitutions (`$(…)`) and
//! here-documents are returned as text, to be parsed in turn.

mod reader;
#[cfg(test)]
mod tests;

pub use reader::parse_commands;

/// A word of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShellWord {
    /// What the shell passes on; expansions stay as written.
    pub text: String,
    /// The part outside quotes.
    pub unquoted: String,
    /// The commands inside `$(…)`, backquotes and `<(…)`.
    pub substitutions: Vec<String>,
}

impl ShellWord {
    /// Returns the last component of a path.
    pub fn base_name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// Returns whether it sets a variable.
    pub fn is_assignment(&self) -> bool {
        let Some((name, _)) = self.unquoted.split_once('=') else {
            return false;
        };
        let name = name.strip_suffix('+').unwrap_or(name);
        let plain = |c: char| c.is_ascii_alphanumeric() || "_[]".contains(c);
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(plain)
    }
}

/// A simple command with its arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShellCommand {
    /// Its words in order, including assignments in front.
    pub words: Vec<ShellWord>,
    /// Texts on its standard input (`<<`, `<<<`).
    pub stdin_texts: Vec<String>,
    /// Substitutions in its redirections and here-documents.
    pub substitutions: Vec<String>,
    /// Whether its output is piped into the next command.
    pub is_piped: bool,
}

impl ShellCommand {
    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.stdin_texts.is_empty() && self.substitutions.is_empty()
    }
}
