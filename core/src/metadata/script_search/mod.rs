//! Finds scripts that read or write a field in a metadata file that the database owns. Pure.
//!
//! This is a line-by-line search with a table of patterns per language, not a parser. It remembers
//! which names were assigned from the file (`state = ADWState.load(id)`) until they are assigned
//! again, and reports what is done to those names. In a Python script that mentions `adw`, the
//! name `state` counts as the file until something else is assigned to it.
//!
//! What it reports and should not:
//! - code in a string, a docstring or a block comment; a comment that begins its line, or stands
//!   behind a space and one before its text, is left out;
//! - a parameter or a name in another function that has the same name as one that holds the file;
//! - the second command of a shell line that mentions the file.
//!
//! What it does not report:
//! - a field read from the answer of a function, `load(id).status`, unless `ADWState` returns it;
//! - a statement over several lines, unless name and field are on one of them;
//! - a second field on the same line of a shell script, and whatever is behind the first 2,000
//!   bytes of a line.

#[cfg(test)]
mod cases;
mod language;
mod patterns;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use regex_lite::Captures;

use super::database_fields::find_database_field;
pub use language::Language;
pub use patterns::Access;
use patterns::Access::{Reads, Writes};
use patterns::{CLASS, Evidence, FILE, MATCHERS, Matchers, OTHER_SPELLINGS, STAYS, USES};

/// A place in a script that uses a field of the database in a metadata file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldUse {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The first [`MAX_TEXT_CHARS`] characters of the line.
    pub text: String,
    /// The name of the field.
    pub field: &'static str,
    /// Whether the script reads or writes it.
    pub access: Access,
}

impl FieldUse {
    /// Returns the command to use instead.
    pub fn command(&self) -> &'static str {
        match self.access {
            Access::Reads => "trueup queue list --json",
            Access::Writes => {
                find_database_field(self.field).map_or("trueup queue list", |field| field.command)
            }
        }
    }
}

/// Most characters of a line that a [`FieldUse`] repeats.
pub const MAX_TEXT_CHARS: usize = 1_000;

/// Most bytes of a line that are searched. A longer line is generated, and a pattern may take the
/// square of the line.
const MAX_LINE_BYTES: usize = 2_000;

/// Returns every use of a field in a script, in the order of places, one at each.
pub fn find_field_uses(language: Language, text: &str) -> Vec<FieldUse> {
    let is_workflow_script =
        language == Language::Python && text.to_ascii_lowercase().contains("adw");
    let names_file = text.contains("adw_state") || text.contains(CLASS);
    let Some(matchers) = MATCHERS.as_ref().filter(|_| names_file || is_workflow_script) else {
        return Vec::new();
    };
    let mut search =
        Search { matchers, language, is_workflow_script, bound: HashMap::new(), uses: Vec::new() };
    let mut continues_mention = false;
    for (number, line) in (1..).zip(text.lines()) {
        let code = searched_part(language, line);
        let mentions_file = continues_mention || search.mentions_file(code);
        if matchers.words.iter().any(|word| code.contains(word)) {
            search.read_line(number, line, code, mentions_file);
        }
        search.bind_names(code);
        continues_mention = mentions_file && code.ends_with('\\');
    }
    search.uses
}

/// Returns the part of a line that is searched: without its comment and not too long.
fn searched_part(language: Language, line: &str) -> &str {
    let end = line.floor_char_boundary(MAX_LINE_BYTES);
    let line = line.get(..end).unwrap_or_default();
    let mark = language.comment_mark();
    let trimmed = line.trim_start();
    if trimmed.starts_with(mark) || trimmed.starts_with("/*") && mark == "//" {
        return "";
    }
    let comment = line.find(&format!(" {mark} "));
    line.get(..comment.unwrap_or(line.len())).unwrap_or(line)
}

/// A search through the lines of one script.
struct Search {
    matchers: &'static Matchers,
    language: Language,
    /// Whether `state` counts as the file while nothing was assigned to it.
    is_workflow_script: bool,
    /// Whether the last value assigned to a name was the file, its path or its content.
    bound: HashMap<String, bool>,
    uses: Vec<FieldUse>,
}

impl Search {
    fn read_line(&mut self, number: usize, line: &str, code: &str, mentions_file: bool) {
        let mut found = Vec::new();
        for ((languages, access, evidence, _), regex) in USES.iter().zip(&self.matchers.uses) {
            if !languages.contains(&self.language)
                || *evidence == Evidence::OnLine && !mentions_file
            {
                continue;
            }
            for captures in regex.captures_iter(code) {
                let name = captures.name("name").map_or("", |name| name.as_str());
                let counts = match evidence {
                    Evidence::InPattern | Evidence::OnLine => true,
                    Evidence::Assigned => self.bound.get(name) == Some(&true),
                    Evidence::AssignedOrUsual => self.may_hold_file(name),
                };
                found.extend(field_use(code, &captures, *access).filter(|_| counts));
            }
        }
        // Of two patterns that match in one place the one that writes says more.
        found.sort_by_key(|(at, access, _)| (*at, *access == Reads));
        found.dedup_by_key(|(at, ..)| *at);
        let uses = found.into_iter().map(|(at, access, field)| FieldUse {
            line: number,
            column: code.get(..at).unwrap_or_default().chars().count() + 1,
            text: line.chars().take(MAX_TEXT_CHARS).collect(),
            field,
            access,
        });
        self.uses.extend(uses);
    }

    fn may_hold_file(&self, name: &str) -> bool {
        let short = name.strip_prefix("self.").unwrap_or(name);
        let is_usual = short == "adw_state" || short == "state" && self.is_workflow_script;
        self.bound.get(name).copied().unwrap_or(is_usual)
    }

    fn bind_names(&mut self, code: &str) {
        for regex in &self.matchers.bindings {
            for captures in regex.captures_iter(code) {
                let (Some(name), Some(value)) = (captures.name("name"), captures.name("value"))
                else {
                    continue;
                };
                let (name, value) = (name.as_str().to_owned(), value.as_str());
                let is_file = self.is_file(value);
                if !is_file && value.contains("state(") {
                    // A helper such as `load_state(id)`: what it returns is not known.
                    self.bound.remove(&name);
                } else {
                    self.bound.insert(name, is_file);
                }
            }
        }
    }

    /// Returns whether a value is the file, its path or its content.
    fn is_file(&self, value: &str) -> bool {
        let is_loaded = names_file(value) || self.matchers.loads.is_match(value);
        let start = value.len() - value.trim_start_matches([' ', '&', '*']).len();
        !self.matchers.other_values.is_match(value)
            && (names_file(value) || self.holders(value).any(|at| is_loaded || at == start))
    }

    /// Returns whether a text names the file, or a name that holds it.
    fn mentions_file(&self, text: &str) -> bool {
        names_file(text) || self.holders(text).next().is_some()
    }

    /// Lists where names stand that hold the file and of which nothing is taken but its content.
    fn holders<'t>(&self, text: &'t str) -> impl Iterator<Item = usize> + use<'t, '_> {
        self.matchers.name.find_iter(text).filter_map(|found| {
            let is_holder = |name: &str| self.bound.get(name) == Some(&true);
            let rest = text.get(found.end()..).unwrap_or_default();
            let is_whole = is_holder(found.as_str()) && !rest.starts_with(['[', '(']);
            let is_read = found.as_str().rsplit_once('.').is_some_and(|(name, method)| {
                is_holder(name) && STAYS.iter().any(|stays| method.starts_with(stays))
            });
            (is_whole || is_read).then_some(found.start())
        })
    }
}

fn names_file(text: &str) -> bool {
    text.contains(FILE) || text.contains(CLASS)
}

/// Returns where a match uses a field, and how; `None` where the field is removed, as it should be.
fn field_use(
    code: &str,
    captures: &Captures<'_>,
    access: Access,
) -> Option<(usize, Access, &'static str)> {
    let at = captures.name("at").or_else(|| captures.get(0))?.start();
    let field = captures.name("field")?;
    let before = code.get(..at)?.trim_end_matches(['(', ' ', '.']);
    let last_word = before.rsplit(|c: char| !c.is_alphanumeric()).next();
    if matches!(last_word, Some("del" | "delete")) {
        return None;
    }
    let after = code.get(field.end()..)?;
    let after = after.trim_start_matches(['\'', '"', ']', ' ']);
    let after = after.trim_start_matches(['|', '?']);
    let is_assigned =
        after.strip_prefix('=').is_some_and(|value| !value.starts_with(['=', '>', '~']));
    let spelling = OTHER_SPELLINGS.iter().find(|(other, _)| *other == field.as_str());
    let name = spelling.map_or(field.as_str(), |(_, name)| name);
    let access = if is_assigned { Writes } else { access };
    Some((at, access, find_database_field(name)?.name))
}
