//! Lines of `key: value`, as a front matter and a task's block have them: the part of YAML
//! that such files use, with the bytes of each value.

use std::collections::BTreeSet;

use super::Key;
use super::lines::{BLANKS, Line, Lines};
use super::list::dashed;
use super::place::{Place, Problem, Span};
use super::scalar::{Scalar, plain_end, quoted};
use super::value::{self, Site, Value};

/// Longest excerpt of a key that is not known, in characters.
const EXCERPT: usize = 60;

/// The keys that are read, and where another one would be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    /// In their order, none twice.
    fields: Box<[Field]>,
    /// Where a line is added, and the blanks it begins with.
    pub(super) end: Insertion,
    /// The same behind the last key, where comments may follow; absent without a key.
    pub(super) last: Option<Insertion>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    key: Key,
    value: Value,
}

/// Where a line is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Insertion {
    /// A byte at which a line begins.
    pub(super) at: u32,
    /// The blanks that stand before the keys around it.
    pub(super) indent: Span,
}

impl Insertion {
    pub(super) fn new(at: usize, indent: Span) -> Self {
        Self {
            at: u32::try_from(at).unwrap_or(u32::MAX),
            indent,
        }
    }
}

impl Mapping {
    fn value(&self, key: Key) -> Option<&Value> {
        let field = self.fields.iter().find(|field| field.key == key);
        field.map(|field| &field.value)
    }

    /// Returns whether a key is there, also one whose value is not read.
    pub(super) fn has(&self, key: Key) -> bool {
        self.value(key).is_some()
    }

    /// Returns a value, also one that says nothing.
    pub(super) fn scalar(&self, key: Key) -> Option<&Scalar> {
        match self.value(key)? {
            Value::Scalar(scalar) => Some(scalar),
            Value::List(_) | Value::Unread => None,
        }
    }

    /// Returns a value that says something.
    pub(super) fn get(&self, key: Key) -> Option<&Scalar> {
        self.scalar(key).filter(|scalar| !scalar.is_empty())
    }

    pub(super) fn list(&self, key: Key) -> &[Scalar] {
        match self.value(key) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }
}

/// A key whose lines are not all read yet.
struct Open<'a> {
    key: Option<Key>,
    name: &'a str,
    /// The byte at which it begins.
    key_start: usize,
    site: Site<'a>,
    /// Where its lines end, and the blanks before it.
    insertion: Insertion,
}

/// Reads lines. Blanks of `outer` begin a line that is added where no key stands. A block holds
/// nothing but keys; a front matter is other tools' as well, whose lines may be any.
pub(super) fn read<'a>(
    text: &'a str,
    lines: Lines<'a>,
    outer: Span,
    key_of: fn(&str) -> Option<Key>,
    is_block: bool,
    problems: &'a mut Vec<Problem>,
) -> Mapping {
    let mut reader = Reader {
        text,
        key_of,
        fields: Vec::new(),
        others: BTreeSet::new(),
        open: None,
        last: None,
        base: None,
        passes_strange: !is_block,
        problems,
    };
    let mut end = lines.start();
    for line in lines {
        reader.read(&line);
        end = line.next;
    }
    reader.close();
    let indent = reader.base.map_or(outer, |(_, blanks)| blanks);
    Mapping {
        fields: reader.fields.into(),
        end: Insertion::new(end, indent),
        last: reader.last,
    }
}

struct Reader<'a> {
    text: &'a str,
    key_of: fn(&str) -> Option<Key>,
    fields: Vec<Field>,
    /// Keys that are not read; they are named when one is there twice.
    others: BTreeSet<&'a str>,
    open: Option<Open<'a>>,
    last: Option<Insertion>,
    /// How many blanks stand before the keys, and where. Deeper lines belong to the key above.
    base: Option<(usize, Span)>,
    /// Whether lines that are no keys are not named, or one was: more of one text say no more.
    passes_strange: bool,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, line: &Line<'a>) {
        let text = line.text.trim_start_matches(BLANKS);
        if text.is_empty() {
            return;
        }
        let indent = line.text.len() - text.len();
        let is_deeper = self.base.is_some_and(|(base, _)| indent > base);
        match &mut self.open {
            // Items may stand at the depth of their key.
            Some(open) if is_deeper || dashed(text).is_some() => {
                open.site.end = line.end();
                open.insertion = Insertion::new(line.next, open.insertion.indent);
                return;
            }
            None if is_deeper => return,
            _ if text.starts_with('#') => return,
            _ => {}
        }
        let blanks = Span::new(line.start, line.start + indent);
        self.base = Some((indent, blanks));
        self.close();
        let Some((name, after)) = split_key(text) else {
            self.name_strange(line.number, indent, text);
            return;
        };
        self.open = Some(Open {
            key: (self.key_of)(name),
            name,
            key_start: line.start + indent,
            site: Site {
                text: self.text,
                line: line.number,
                line_start: line.start,
                start: line.end() - after.len(),
                line_end: line.end(),
                end: line.end(),
            },
            insertion: Insertion::new(line.next, blanks),
        });
    }

    /// Names a line that says nothing: what was meant by it would be missing in silence.
    fn name_strange(&mut self, line: u32, indent: usize, text: &str) {
        // Lists over several lines may end at the depth of their key.
        if self.passes_strange || text.starts_with([']', '}']) {
            return;
        }
        self.passes_strange = true;
        // What stands before it are blanks of one byte each.
        let column = u32::try_from(indent).map_or(u32::MAX, |blanks| blanks.saturating_add(1));
        let reason = "expected `key: value` or a comment";
        let place = Place { line, column };
        self.problems.push(Problem::new(place, reason));
    }

    /// Takes in the key that was open.
    fn close(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        self.last = Some(open.insertion);
        let is_new = match open.key {
            Some(key) => self.fields.iter().all(|field| field.key != key),
            None => self.others.insert(open.name),
        };
        if !is_new {
            let name: String = open.name.chars().take(EXCERPT).collect();
            open.problem(
                format!("duplicate key {name:?}; the first one counts"),
                self.problems,
            );
            return;
        }
        let Some(key) = open.key else {
            return;
        };
        let value = value::read(&open.site, key == Key::DependsOn, self.problems);
        let value = value.unwrap_or_else(|reason| {
            if let Some(reason) = reason {
                open.problem(format!("{}: {reason}", open.name), self.problems);
            }
            Value::Unread
        });
        self.fields.push(Field { key, value });
    }
}

impl Open<'_> {
    fn problem(&self, text: String, problems: &mut Vec<Problem>) {
        let place = self.site.cursor().place(self.key_start);
        problems.push(Problem::new(place, text));
    }
}

/// Splits a key off: its name, and what stands behind its colon.
fn split_key(text: &str) -> Option<(&str, &str)> {
    if let Some((length, _)) = quoted(text) {
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
    let is_whole = plain_end(name) == (name.trim_end_matches(BLANKS).len(), false);
    is_whole.then(|| (name.trim_end_matches(BLANKS), after))
}
