//! Finds scripts that read or write in a metadata file what the database owns. Pure.
//!
//! A script is cut into words, strings and signs, so that a comment or a message never counts
//! as code. Names that hold a metadata file are followed through the file, statement by
//! statement; only what is done to those names is a finding.

mod access;
mod carriers;
mod lexer;
mod shell;
mod statements;
#[cfg(test)]
mod tests;

use super::database_fields::{DatabaseField, find_database_field};

/// What a script does to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// It takes the file's word for it.
    Reads,
    /// It keeps a second copy.
    Writes,
}

/// A place in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The line, as far as anybody reads it.
    pub text: String,
    /// The field.
    pub field: &'static str,
    /// What is done to it.
    pub access: Access,
}

impl Hit {
    /// Returns the command to use instead.
    pub fn command(&self) -> &'static str {
        match self.access {
            Access::Reads => "trueup queue list --json",
            Access::Writes => {
                find_database_field(self.field).map_or("trueup queue list", |o| o.command)
            }
        }
    }
}

/// A language that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Python.
    Python,
    /// JavaScript and TypeScript.
    Script,
    /// Ruby.
    Ruby,
    /// Go.
    Go,
    /// Rust.
    Rust,
    /// Shells, and files that hold commands of one.
    Shell,
}

impl Language {
    /// Tells the language by a file's name, else by its first line.
    pub fn of(name: &str, first_line: &str) -> Option<Self> {
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        match ending {
            "py" | "pyi" | "pyw" => Some(Self::Python),
            "js" | "jsx" | "cjs" | "mjs" | "ts" | "tsx" | "cts" | "mts" => Some(Self::Script),
            "rb" | "rake" => Some(Self::Ruby),
            "go" => Some(Self::Go),
            "rs" => Some(Self::Rust),
            "sh" | "bash" | "zsh" | "ksh" | "yml" | "yaml" | "mk" => Some(Self::Shell),
            _ if matches!(name, "Makefile" | "justfile" | "Justfile") => Some(Self::Shell),
            _ => Self::of_program(first_line.strip_prefix("#!")?),
        }
    }

    /// Tells the language by the name of the program that runs it.
    fn of_program(text: &str) -> Option<Self> {
        let programs = [
            ("python", Self::Python),
            ("uv run", Self::Python),
            ("node", Self::Script),
            ("bun", Self::Script),
            ("deno", Self::Script),
            ("ruby", Self::Ruby),
            ("sh", Self::Shell),
        ];
        let found = programs.iter().find(|(program, _)| text.contains(program));
        found.map(|(_, language)| *language)
    }
}

/// Finds every place in a script, in order.
pub fn scan(language: Language, text: &str) -> Vec<Hit> {
    // Most files of a repository never name it; the original's scripts in Python hand it
    // around as `state`.
    let names = ["adw_state", "ADWState", "state"];
    let telling = if language == Language::Python { 3 } else { 2 };
    if !names.iter().take(telling).any(|name| text.contains(name)) {
        return Vec::new();
    }
    let mut found = match language {
        Language::Shell => shell::scan(text),
        other => scan_code(other, text, 0),
    };
    found.sort_by_key(|(at, _, access)| (*at, *access));
    found.dedup_by_key(|(at, ..)| *at);
    let mut cursor = Cursor {
        text,
        at: 0,
        line: 1,
        start: 0,
        column: 1,
    };
    let places = found.into_iter();
    places
        .map(|(at, field, access)| cursor.hit(at, field, access))
        .collect()
}

/// A finding by its offset.
type Place = (usize, DatabaseField, Access);

/// Finds the places in code that begins at an offset of its file.
fn scan_code(language: Language, code: &str, offset: usize) -> Vec<Place> {
    let tokens = lexer::tokens(language, code);
    let statements = statements::split(language, code, &tokens);
    let found = access::find(language, code, &statements);
    let moved = found.into_iter();
    moved
        .map(|(at, field, access)| (at + offset, field, access))
        .collect()
}

/// Longest line that is repeated for each of its places, in characters.
const LONGEST_LINE: usize = 1_000;

/// Counts lines and columns from one place to the next.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    /// Where the line begins.
    start: usize,
    column: usize,
}

impl Cursor<'_> {
    fn hit(&mut self, at: usize, field: DatabaseField, access: Access) -> Hit {
        let between = self.text.get(self.at..at).unwrap_or_default();
        match between.rfind('\n') {
            None => self.column += between.chars().count(),
            Some(end) => {
                self.line += between.matches('\n').count();
                self.start = self.at + end + 1;
                let before = between.get(end + 1..).unwrap_or_default();
                self.column = before.chars().count() + 1;
            }
        }
        self.at = at;
        let rest = self.text.get(self.start..).unwrap_or_default();
        let near = rest.get(..rest.floor_char_boundary(4 * LONGEST_LINE));
        let line = near.unwrap_or_default().lines().next().unwrap_or_default();
        Hit {
            line: self.line,
            column: self.column,
            text: line.chars().take(LONGEST_LINE).collect(),
            field: field.name,
            access,
        }
    }
}
