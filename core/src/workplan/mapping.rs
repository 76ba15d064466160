//! Lines of `key: value`, as a front matter and a task's block have them: the part of YAML
//! that such files use, with the bytes of each value.

use std::collections::BTreeSet;

use super::Key;
use super::id_list::strip_dash;
use super::numbered_lines::{BLANKS, NumberedLine, NumberedLines};
use super::position::{ByteSpan, Problem, TextPosition};
use super::scalar::{Scalar, find_plain_end, measure_quoted};
use super::value::{self, MappingValue, ValueSource};

/// Longest excerpt of a key that is not known, in characters.
const MAX_KEY_EXCERPT_CHARS: usize = 60;

/// The keys that are read, and where another one would be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    /// In their order, none twice.
    fields: Box<[MappingField]>,
    /// Where a line is added, and the blanks it begins with.
    pub(super) end: Insertion,
    /// The same behind the last key, where comments may follow; absent without a key.
    pub(super) last: Option<Insertion>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct MappingField {
    key: Key,
    value: MappingValue,
}

/// Where a line is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Insertion {
    /// A byte at which a line begins.
    pub(super) at: u32,
    /// The blanks that stand before the keys around it.
    pub(super) indent: ByteSpan,
}

impl Insertion {
    pub(super) fn new(at: usize, indent: ByteSpan) -> Self {
        Self {
            at: u32::try_from(at).unwrap_or(u32::MAX),
            indent,
        }
    }
}

impl Mapping {
    fn find_value(&self, key: Key) -> Option<&MappingValue> {
        let field = self.fields.iter().find(|field| field.key == key);
        field.map(|field| &field.value)
    }

    /// Returns whether a key is there, also one whose value is not read.
    pub(super) fn has_key(&self, key: Key) -> bool {
        self.find_value(key).is_some()
    }

    /// Returns a value, also one that says nothing.
    pub(super) fn scalar(&self, key: Key) -> Option<&Scalar> {
        match self.find_value(key)? {
            MappingValue::Scalar(scalar) => Some(scalar),
            MappingValue::List(_) | MappingValue::Unread => None,
        }
    }

    /// Returns a value that says something.
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

/// A key whose lines are not all read yet.
struct OpenKey<'a> {
    key: Option<Key>,
    name: &'a str,
    /// The byte at which it begins.
    key_start: usize,
    site: ValueSource<'a>,
    /// Where its lines end, and the blanks before it.
    insertion: Insertion,
}

/// Reads lines. Blanks of `outer` begin a line that is added where no key stands. A block holds
/// nothing but keys; a front matter is other tools' as well, whose lines may be any.
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
    Mapping {
        fields: reader.fields.into(),
        end: Insertion::new(end, indent),
        last: reader.last,
    }
}

struct MappingParser<'a> {
    text: &'a str,
    key_of: fn(&str) -> Option<Key>,
    fields: Vec<MappingField>,
    /// Keys that are not read; they are named when one is there twice.
    unread_keys: BTreeSet<&'a str>,
    open: Option<OpenKey<'a>>,
    last: Option<Insertion>,
    /// How many blanks stand before the keys, and where. Deeper lines belong to the key above.
    base: Option<(usize, ByteSpan)>,
    /// Whether lines that are no keys are not named, or one was: more of one text say no more.
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
            // Items may stand at the depth of their key.
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

    /// Names a line that says nothing: what was meant by it would be missing in silence.
    fn report_unknown_line(&mut self, line: u32, indent: usize, text: &str) {
        // Lists over several lines may end at the depth of their key.
        if self.ignores_unknown_lines || text.starts_with([']', '}']) {
            return;
        }
        self.ignores_unknown_lines = true;
        // What stands before it are blanks of one byte each.
        let column = u32::try_from(indent).map_or(u32::MAX, |blanks| blanks.saturating_add(1));
        let reason = "expected `key: value` or a comment";
        let place = TextPosition { line, column };
        self.problems.push(Problem::new(place, reason));
    }

    /// Takes in the key that was open.
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
        let value = value::parse_value(&open.site, key == Key::DependsOn, self.problems);
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

/// Splits a key off: its name, and what stands behind its colon.
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
    // A colon within a comment makes no key.
    let is_whole = find_plain_end(name) == (name.trim_end_matches(BLANKS).len(), false);
    is_whole.then(|| (name.trim_end_matches(BLANKS), after))
}
