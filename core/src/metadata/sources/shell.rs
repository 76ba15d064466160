//! Shell commands that look into a metadata file, and scripts they hold.

use std::collections::BTreeSet;

use super::{Access, Language, Place, scan_code};
use crate::metadata::database_fields::{DATABASE_FIELDS, DatabaseField};

/// The name of the file.
const FILE: &str = "adw_state.json";

/// Programs that read JSON by a path such as `.status`.
const QUERIES: [&str; 4] = ["jq", "yq", "gojq", "jaq"];

/// Programs that find a quoted name in a text.
const SEARCHES: [&str; 4] = ["grep", "sed", "awk", "rg"];

/// A logical line: continued lines are one.
struct Line<'t> {
    at: usize,
    text: &'t str,
}

pub(super) fn scan(text: &str) -> Vec<Place> {
    let mut found = Vec::new();
    let mut holders = BTreeSet::new();
    let mut lines = logical(text).into_iter();
    while let Some(line) = lines.next() {
        let code = without_comment(line.text);
        if let Some((language, mark)) = embedded(code) {
            let start = line.at + line.text.len() + 1;
            let body = lines.by_ref().take_while(|line| line.text.trim() != mark);
            let end = body.last().map_or(start, |last| last.at + last.text.len());
            let script = text.get(start..end).unwrap_or_default();
            found.extend(scan_code(language, script, start));
            continue;
        }
        if let Some((language, script)) = given(code) {
            let at = line.at + (script.as_ptr() as usize - line.text.as_ptr() as usize);
            found.extend(scan_code(language, script, at));
        }
        for command in commands(code) {
            found.extend(query(line.at, code, command, &holders));
        }
        if let Some(name) = assigned(code).filter(|_| holds(code, &holders)) {
            holders.insert(name.to_owned());
        }
    }
    found
}

fn logical(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        let bare = line.trim_end_matches(['\n', '\r']);
        if bare.ends_with('\\') {
            continue;
        }
        let whole = text.get(start..at).unwrap_or_default();
        lines.push(Line {
            at: start,
            text: whole.trim_end_matches('\n'),
        });
        start = at;
    }
    lines
}

fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, '#') if before.is_whitespace() => return line.get(..at).unwrap_or_default(),
            _ => {}
        }
        before = c;
    }
    line
}

/// Returns the language of a script that follows, and the line that ends it.
fn embedded(line: &str) -> Option<(Language, &str)> {
    let (command, rest) = line.split_once("<<")?;
    let program = command.split_whitespace().next()?;
    let language = match program.rsplit('/').next()? {
        name if name.starts_with("python") => Language::Python,
        "node" => Language::Script,
        "ruby" => Language::Ruby,
        _ => return None,
    };
    let mark = rest.trim_start_matches('-').trim();
    let mark = mark.split_whitespace().next()?.trim_matches(['\'', '"']);
    Some((language, mark))
}

/// Returns the script a line gives to a program: `python3 -c "…"`.
fn given(line: &str) -> Option<(Language, &str)> {
    let programs = [
        ("python3 -c ", Language::Python),
        ("python -c ", Language::Python),
        ("node -e ", Language::Script),
        ("ruby -e ", Language::Ruby),
    ];
    let (language, rest) = programs
        .iter()
        .find_map(|(call, language)| Some((*language, line.split_once(call)?.1)))?;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let script = rest.get(1..)?;
    Some((language, script.split(quote).next()?))
}

/// Splits a line at what separates commands; pipes stay, as a file goes through them.
fn commands(line: &str) -> impl Iterator<Item = &str> {
    line.split("&&")
        .flat_map(|part| part.split("||"))
        .flat_map(|part| part.split(';'))
}

/// Returns the variable a line sets.
fn assigned(line: &str) -> Option<&str> {
    let bare = line.trim_start();
    let bare = ["export ", "local ", "readonly "]
        .iter()
        .find_map(|word| bare.strip_prefix(word))
        .unwrap_or(bare);
    let (name, _) = bare.split_once('=')?;
    let sound = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (sound && !name.is_empty()).then_some(name)
}

/// Tells whether a command names the file, itself or by a variable.
fn holds(command: &str, holders: &BTreeSet<String>) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    command.contains(FILE)
        || command.split('$').skip(1).any(|after| {
            let (open, after) = after.strip_prefix('{').map_or(("", after), |a| ("{", a));
            let name = after.split(|c| !is_name(c)).next().unwrap_or_default();
            let rest = after.get(name.len()..).unwrap_or_default();
            holders.contains(name) && (open.is_empty() || rest.starts_with('}'))
        })
}

fn runs(command: &str, programs: &[&str]) -> bool {
    let words = command.split(|c: char| c.is_whitespace() || "|(`$;&\"'".contains(c));
    words.into_iter().any(|word| programs.contains(&word))
}

fn query(line_at: usize, line: &str, command: &str, holders: &BTreeSet<String>) -> Option<Place> {
    if !holds(command, holders) {
        return None;
    }
    let offset = line_at + (command.as_ptr() as usize - line.as_ptr() as usize);
    let (at, found, access) = if runs(command, &QUERIES) {
        DATABASE_FIELDS
            .into_iter()
            .find_map(|field| queried(command, field))?
    } else if runs(command, &SEARCHES) {
        DATABASE_FIELDS
            .into_iter()
            .find_map(|field| searched(command, field))?
    } else {
        return None;
    };
    Some((offset + at, found, access))
}

/// Finds `.status` at the top of a filter, or `["status"]`; removing it is what is wanted.
fn queried(command: &str, field: DatabaseField) -> Option<Place> {
    let dotted = format!(".{}", field.name);
    let indexed = format!("[\"{}\"]", field.name);
    let found = command
        .match_indices(&dotted)
        .chain(command.match_indices(&indexed));
    found
        .filter(|(at, found)| {
            let before = command.get(..*at).unwrap_or_default();
            let after = command.get(at + found.len()..).unwrap_or_default();
            let nested = before
                .chars()
                .next_back()
                .is_some_and(|c| c.is_alphanumeric() || "_])\".$".contains(c));
            let nested = nested && !found.starts_with('[');
            let longer = after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            !nested && !longer && !before.trim_end_matches(['.', ' ']).ends_with("del(")
        })
        .map(|(at, found)| {
            let after = command
                .get(at + found.len()..)
                .unwrap_or_default()
                .trim_start();
            let sets =
                after.starts_with('=') && !after.starts_with("==") || after.starts_with("|=");
            let access = if sets { Access::Writes } else { Access::Reads };
            (at, field, access)
        })
        .next()
}

/// Finds the quoted name of a field.
fn searched(command: &str, field: DatabaseField) -> Option<Place> {
    let quoted = format!("\"{}", field.name);
    let escaped = format!("\\\"{}", field.name);
    let at = command.find(&quoted).or_else(|| command.find(&escaped))?;
    let access = if command.contains("sed -i") {
        Access::Writes
    } else {
        Access::Reads
    };
    Some((at, field, access))
}
