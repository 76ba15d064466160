//! What a shell would take a command line for: its simple commands and their words. Pure.
//!
//! It reads and never expands. Whatever the text, the time is linear in its length; what stands
//! inside (`$(…)`, a document fed to a command) is handed out as text, to be read in its turn.

mod reader;
#[cfg(test)]
mod tests;

pub use reader::parse_commands;

/// A word of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShellWord {
    /// What the shell passes on, but for expansions, which stand as they are written.
    pub text: String,
    /// The part of it that stands outside quotes.
    pub unquoted: String,
    /// What is carried out for it: the inside of `$(…)`, backquotes and `<(…)`.
    pub substitutions: Vec<String>,
}

impl ShellWord {
    /// Returns the last part of a path.
    pub fn base_name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// Tells whether it sets a variable rather than being a word of the command.
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

/// A command with its arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShellCommand {
    /// Its words in their order, assignments before it included.
    pub words: Vec<ShellWord>,
    /// Texts that it is given on its standard input (`<<`, `<<<`).
    pub stdin_texts: Vec<String>,
    /// What is carried out within its redirections and in what it is fed.
    pub substitutions: Vec<String>,
    /// Whether its output goes into the next command.
    pub is_piped: bool,
}

impl ShellCommand {
    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.stdin_texts.is_empty() && self.substitutions.is_empty()
    }
}
