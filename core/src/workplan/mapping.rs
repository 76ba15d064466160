//! Lines of `key: value` in front matters and `task` blocks: the subset of YAML that workplans use,
//! with the bytes of each value.

use std::collections::BTreeSet;

use super::Key;
use super::id_list::{self, strip_dash};
use super::position::{ByteSpan, Problem, TextPosition};
use super::scalar::{Scalar, find_plain_end, measure_quoted};
use super::value::{MappingValue, ValueSource};
use crate::text::markdown::{BLANKS, NumberedLine, NumberedLines};

/// Longest part of an unknown key shown in a problem, in characters.
const MAX_KEY_EXCERPT_CHARS: usize = 60;

/// The keys that are read, and where another one is inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    /// The fields in the order of the file, each key once.
    fields: Box<[MappingField]>,
    /// Where a line is inserted at the end.
    pub(super) end: Insertion,
    /// Where a line is inserted after the last key, before any comments; `None` without a key.
    pub(super) last: Option<Insertion>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct MappingField {
    key: Key,
    value: MappingValue,
}

/// A place where a line is inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Insertion {
    /// Offset of the beginning of a line.
    pub(super) at: u32,
    /// The indentation of the keys around it.
    pub(super) indent: ByteSpan,
}

impl Insertion {
    pub(super) fn new(at: usize, indent: ByteSpan) -> Self {
        Self { at: u32::try_from(at).unwrap_or(u32::MAX), indent }
    }
}

impl Mapping {
    fn find_value(&self, key: Key) -> Option<&MappingValue> {
        let field = self.fields.iter().find(|field| field.key == key);
        field.map(|field| &field.value)
    }

    /// Returns whether a key exists, even if its value could not be parsed.
    pub(super) fn has_key(&self, key: Key) -> bool {
        self.find_value(key).is_some()
    }

    /// Returns a value, which may be empty.
    pub(super) fn scalar(&self, key: Key) -> Option<&Scalar> {
        match self.find_value(key)? {
            MappingValue::Scalar(scalar) => Some(scalar),
            MappingValue::List(_) | MappingValue::Unread => None,
        }
    }

    /// Returns a value, unless it is empty.
    pub(super) fn get(&self, key: Key) -> Option<&Scalar> {
        self.scalar(key).filter(|scalar| !scalar.is_empty())
    }

    pub(super) fn list(&self, key: Key) -> &[Scalar] {
        match self.find_value(key) {
            Some(MappingValue::List(items)) => items,
            _ => &[],
        }
    }
}

/// A key whose value may continue on the next line.
struct OpenKey<'a> {
    key: Option<Key>,
    name: &'a str,
    /// Offset of its first byte.
    key_start: usize,
    site: ValueSource<'a>,
    /// Where a line is inserted after it.
    insertion: Insertion,
}

/// Parses the lines of a mapping. If there is no key, an inserted line gets the indentation of
/// `outer`. A block holds only keys, so other lines in it are reported; a front matter may hold
/// lines of other tools.
pub(super) fn parse_mapping<'a>(
    text: &'a str,
    lines: NumberedLines<'a>,
    outer: ByteSpan,
    key_of: fn(&str) -> Option<Key>,
    is_block: bool,
    problems: &'a mut Vec<Problem>,
) -> Mapping {
    let mut reader = MappingParser {
        text,
        key_of,
        fields: Vec::new(),
        unread_keys: BTreeSet::new(),
        open: None,
        last: None,
        base: None,
        ignores_unknown_lines: !is_block,
        problems,
    };
    let mut end = lines.next_offset();
    for line in lines {
        reader.parse_line(&line);
        end = line.next_start;
    }
    reader.close_key();
    let indent = reader.base.map_or(outer, |(_, blanks)| blanks);
    Mapping { fields: reader.fields.into(), end: Insertion::new(end, indent), last: reader.last }
}

struct MappingParser<'a> {
    text: &'a str,
    key_of: fn(&str) -> Option<Key>,
    fields: Vec<MappingField>,
    /// Names of keys that are not read, to report duplicates.
    unread_keys: BTreeSet<&'a str>,
    open: Option<OpenKey<'a>>,
    last: Option<Insertion>,
    /// The indentation of the keys, its length and its bytes. Deeper lines belong to the key above.
    base: Option<(usize, ByteSpan)>,
    /// Whether lines that are not keys are ignored. After the first one of a block, they are:
    /// more of them would say the same.
    ignores_unknown_lines: bool,
    problems: &'a mut Vec<Problem>,
}

impl<'a> MappingParser<'a> {
    fn parse_line(&mut self, line: &NumberedLine<'a>) {
        let text = line.text.trim_start_matches(BLANKS);
        if text.is_empty() {
            return;
        }
        let indent = line.text.len() - text.len();
        let is_deeper = self.base.is_some_and(|(base, _)| indent > base);
        match &mut self.open {
            // List items may have the indentation of their key.
            Some(open) if is_deeper || strip_dash(text).is_some() => {
                open.site.end = line.text_end();
                open.insertion = Insertion::new(line.next_start, open.insertion.indent);
                return;
            }
            None if is_deeper => return,
            _ if text.starts_with('#') => return,
            _ => {}
        }
        let blanks = ByteSpan::new(line.start, line.start + indent);
        self.base = Some((indent, blanks));
        self.close_key();
        let Some((name, after)) = split_key(text) else {
            self.report_unknown_line(line.number, indent, text);
            return;
        };
        self.open = Some(OpenKey {
            key: (self.key_of)(name),
            name,
            key_start: line.start + indent,
            site: ValueSource {
                text: self.text,
                line: line.number,
                line_start: line.start,
                start: line.text_end() - after.len(),
                line_end: line.text_end(),
                end: line.text_end(),
            },
            insertion: Insertion::new(line.next_start, blanks),
        });
    }

    /// Reports a line that is not a key: what it was meant to say would be missing silently.
    fn report_unknown_line(&mut self, line: u32, indent: usize, text: &str) {
        // The closing bracket of a list may have the indentation of its key.
        if self.ignores_unknown_lines || text.starts_with([']', '}']) {
            return;
        }
        self.ignores_unknown_lines = true;
        // Each blank before it is one byte and one column.
        let column = u32::try_from(indent).map_or(u32::MAX, |blanks| blanks.saturating_add(1));
        let reason = "expected `key: value` or a comment";
        let place = TextPosition { line, column };
        self.problems.push(Problem::new(place, reason));
    }

    /// Parses the value of the open key and adds it.
    fn close_key(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        self.last = Some(open.insertion);
        let is_new = match open.key {
            Some(key) => self.fields.iter().all(|field| field.key != key),
            None => self.unread_keys.insert(open.name),
        };
        if !is_new {
            let name: String = open.name.chars().take(MAX_KEY_EXCERPT_CHARS).collect();
            open.report_problem(
                format!("duplicate key {name:?}; the first one counts"),
                self.problems,
            );
            return;
        }
        let Some(key) = open.key else {
            return;
        };
        let value = id_list::parse_value(&open.site, key == Key::DependsOn, self.problems);
        let value = value.unwrap_or_else(|reason| {
            if let Some(reason) = reason {
                open.report_problem(format!("{}: {reason}", open.name), self.problems);
            }
            MappingValue::Unread
        });
        self.fields.push(MappingField { key, value });
    }
}

impl OpenKey<'_> {
    fn report_problem(&self, text: String, problems: &mut Vec<Problem>) {
        let place = self.site.counter().advance_to(self.key_start);
        problems.push(Problem::new(place, text));
    }
}

/// Splits a line into the name of its key and what follows the colon.
fn split_key(text: &str) -> Option<(&str, &str)> {
    if let Some((length, _)) = measure_quoted(text) {
        let name = text.get(1..length - 1)?;
        let after = text.get(length..)?.trim_start_matches(BLANKS);
        let after = after.strip_prefix(':')?;
        return (after.is_empty() || after.starts_with(BLANKS)).then_some((name, after));
    }
    let mut colons = text.match_indices(':').map(|(at, _)| at);
    let (name, after) = colons.find_map(|at| {
        let (name, rest) = text.split_at_checked(at)?;
        let after = rest.strip_prefix(':')?;
        (after.is_empty() || after.starts_with(BLANKS)).then_some((name, after))
    })?;
    // A colon in a comment does not end a key.
    let is_whole = find_plain_end(name) == (name.trim_end_matches(BLANKS).len(), false);
    is_whole.then(|| (name.trim_end_matches(BLANKS), after))
}
