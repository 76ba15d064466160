//! Reads the front matter of a Markdown file: the part of YAML that trackers write there.
//!
//! That is one level of keys with texts, numbers, lists and folded blocks. What is deeper stays a
//! text, and is reported.

use std::ops::Range;

use serde_json::{Map, Number, Value};

/// The front matter of a file.
#[derive(Debug, Default, PartialEq)]
pub(super) struct FrontMatter {
    /// The fields.
    pub(super) fields: Map<String, Value>,
    /// Which bytes each field takes, with its line break.
    pub(super) spans: Vec<(String, Range<usize>)>,
    /// Lines that were not understood: the line, from 1, its text and the reason.
    pub(super) odd_lines: Vec<(usize, String, &'static str)>,
    /// The offset behind the closing dashes.
    pub(super) body_start: usize,
}

/// A line of the front matter, without its line break.
#[derive(Clone, Copy)]
struct Line<'a> {
    number: usize,
    start: usize,
    end: usize,
    text: &'a str,
}

impl Line<'_> {
    fn is_indented(&self) -> bool {
        self.text.starts_with([' ', '\t'])
    }

    fn is_list_entry(&self) -> bool {
        let text = self.text.trim_start();
        text == "-" || text.starts_with("- ")
    }

    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// Parses the front matter; `None` where the file does not begin with one that ends.
pub(super) fn parse_front_matter(text: &str) -> Option<FrontMatter> {
    let lines = split_lines(text);
    let is_fence = |line: &Line<'_>| line.text.trim_end() == "---";
    if !lines.first().is_some_and(is_fence) {
        return None;
    }
    let end = lines.iter().skip(1).position(is_fence)? + 1;
    let mut front = FrontMatter { body_start: lines.get(end)?.end, ..FrontMatter::default() };
    let mut rest = lines.get(1..end).unwrap_or_default();
    while let Some((line, after)) = rest.split_first() {
        let below = count_lines_below(after);
        let (below, next) = after.split_at(below);
        read_field(&mut front, line, below);
        rest = next;
    }
    Some(front)
}

fn split_lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let lines = text.split_inclusive('\n').enumerate().map(|(index, line)| {
        let begin = start;
        start += line.len();
        Line {
            number: index + 1,
            start: begin,
            end: start,
            text: line.trim_end_matches(['\n', '\r']),
        }
    });
    lines.collect()
}

/// Counts the lines that belong to the field above them.
fn count_lines_below(lines: &[Line<'_>]) -> usize {
    let belongs = |line: &&Line<'_>| line.is_indented() || line.is_list_entry() || line.is_blank();
    let count = lines.iter().take_while(belongs).count();
    let blank_at_end = lines.get(..count).unwrap_or_default().iter().rev();
    count - blank_at_end.take_while(|line| line.is_blank()).count()
}

fn read_field(front: &mut FrontMatter, line: &Line<'_>, below: &[Line<'_>]) {
    if line.is_blank() || line.text.trim_start().starts_with('#') {
        return;
    }
    let Some((key, value)) = split_key(line.text) else {
        let text = line.text.to_owned();
        front.odd_lines.push((line.number, text, "not a field of the front matter"));
        return;
    };
    let end = below.last().map_or(line.end, |last| last.end);
    front.spans.push((key.to_owned(), line.start..end));
    let value = value.trim();
    let parsed = match if value.starts_with('#') { "" } else { value } {
        "" if below.is_empty() => Value::Null,
        "" if below.iter().all(|line| line.is_list_entry() || line.is_blank()) => {
            Value::Array(below.iter().filter_map(parse_entry).collect())
        }
        "" => {
            let text = line.text.to_owned();
            front.odd_lines.push((line.number, text, "a nested field; kept as text"));
            Value::String(join_lines(below, "\n"))
        }
        block if block.starts_with(['>', '|']) && block.len() <= 3 => {
            Value::String(read_block(block, below))
        }
        list if list.starts_with('[') => {
            let whole = format!("{list} {}", join_lines(below, " "));
            parse_inline_list(whole.trim()).unwrap_or_else(|| Value::String(list.to_owned()))
        }
        scalar if below.is_empty() => parse_scalar(scalar),
        scalar => parse_scalar(&format!("{scalar} {}", join_lines(below, " "))),
    };
    front.fields.insert(key.to_owned(), parsed);
}

fn split_key(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let is_key = |c: char| c.is_alphanumeric() || "_- ".contains(c);
    let is_separated = value.is_empty() || value.starts_with([' ', '\t']);
    (is_separated && !key.is_empty() && !key.starts_with([' ', '-']) && key.chars().all(is_key))
        .then_some((key.trim_end(), value))
}

fn parse_entry(line: &Line<'_>) -> Option<Value> {
    let entry = line.text.trim_start().strip_prefix('-')?.trim();
    Some(parse_scalar(entry))
}

fn join_lines(lines: &[Line<'_>], between: &str) -> String {
    lines.iter().map(|line| line.text.trim()).collect::<Vec<_>>().join(between)
}

/// Reads a folded (`>`) or literal (`|`) block.
fn read_block(style: &str, lines: &[Line<'_>]) -> String {
    let texts = lines.iter().map(|line| line.text);
    let indent = |text: &str| text.len() - text.trim_start().len();
    let least = texts.clone().filter(|text| !text.trim().is_empty()).map(indent).min().unwrap_or(0);
    let mut block = String::new();
    let mut has_text_before = false;
    for text in texts {
        let text = text.get(least..).unwrap_or_default();
        if style.starts_with('|') {
            if !block.is_empty() || has_text_before {
                block.push('\n');
            }
            has_text_before = true;
        } else if text.trim().is_empty() {
            block.push('\n');
            has_text_before = false;
            continue;
        } else if has_text_before {
            block.push(' ');
        } else {
            has_text_before = true;
        }
        block.push_str(text);
    }
    if !style.contains('-') && !block.is_empty() {
        block.push('\n');
    }
    block
}

fn parse_inline_list(text: &str) -> Option<Value> {
    let inner = strip_comment(text).trim().strip_prefix('[')?.strip_suffix(']')?;
    let mut entries = Vec::new();
    let mut rest = inner.trim();
    while !rest.is_empty() {
        let length = match rest.chars().next() {
            Some(quote @ ('\'' | '"')) => quoted_length(rest, quote)?,
            _ => rest.find(',').unwrap_or(rest.len()),
        };
        let (entry, after) = rest.split_at(length);
        entries.push(parse_scalar(entry.trim()));
        rest = after.trim_start().strip_prefix(',').unwrap_or_default().trim_start();
    }
    Some(Value::Array(entries))
}

/// Returns the length of a quoted text with its quotes.
fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && quote == '"' {
            chars.next();
        } else if c == quote {
            if quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
            } else {
                return Some(at + 1);
            }
        }
    }
    None
}

/// Parses a text, a number, a truth value or nothing.
fn parse_scalar(text: &str) -> Value {
    let text = text.trim();
    if let Some(quote) = text.chars().next().filter(|c| "'\"".contains(*c))
        && let Some(length) = quoted_length(text, quote)
    {
        let inner = text.get(1..length - 1).unwrap_or_default();
        return Value::String(match quote {
            '\'' => inner.replace("''", "'"),
            _ => unescape(inner),
        });
    }
    let plain = strip_comment(text).trim();
    match plain {
        "" | "~" | "null" => Value::Null,
        "[]" => Value::Array(Vec::new()),
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => parse_number(plain).map_or_else(|| Value::String(plain.to_owned()), Value::Number),
    }
}

/// Parses a number that is written as it would be written again: `007` is a text.
fn parse_number(text: &str) -> Option<Number> {
    let number: Number = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn strip_comment(text: &str) -> &str {
    text.split_once(" #").map_or(text, |(before, _)| before)
}

/// Returns the comment at the end of a field's first line, with the blanks before it.
pub(super) fn find_comment(field: &str) -> Option<&str> {
    let line = field.lines().next()?;
    let (_, value) = split_key(line)?;
    let text = value.trim_start();
    let quote = text.chars().next().filter(|c| "'\"".contains(*c));
    let behind_value = match quote.and_then(|quote| quoted_length(text, quote)) {
        Some(length) => length,
        None if text.starts_with('[') => text.rfind(']')?,
        None => 0,
    };
    let value_start = line.len() - text.len();
    let rest = line.get(value_start + behind_value..)?;
    let at = match rest.find(" #") {
        _ if text.starts_with('#') => value_start,
        Some(at) => value_start + behind_value + at,
        None => return None,
    };
    let blanks = line.get(..at)?.trim_end().len();
    line.get(blanks..)
}

/// Resolves the escapes of a text in double quotes: those of JSON, which YAML shares.
fn unescape(inner: &str) -> String {
    serde_json::from_str(&format!("\"{inner}\"")).unwrap_or_else(|_| inner.to_owned())
}

/// Writes a text as a value of the front matter.
pub(super) fn render_scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || " ._-/()+@".contains(c);
    let reads_back = parse_scalar(text) == Value::String(text.to_owned());
    let begins = text.starts_with(char::is_alphanumeric);
    if begins && reads_back && text.trim() == text && text.chars().all(is_plain) {
        text.to_owned()
    } else if text.chars().any(char::is_control) {
        Value::String(text.to_owned()).to_string()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_trackers_write() {
        let text = "---\nid: TASK-1\ntitle: 'First: it''s'\nlong: >-\n  one\n  two\n\n  three\n\
                    literal: |\n  a\n    b\nassignee: []\nlabels:\n  - a\n  - 'b c'\ninline: [x, \"y, z\"]\n\
                    ordinal: 1000\nversion: 007\nquoted: \"a\\nb\"\nempty:\nat: 2025-06-03 # why\n---\nbody\n";
        let front = parse_front_matter(text).unwrap();
        assert_eq!(
            Value::Object(front.fields),
            json!({
                "id": "TASK-1", "title": "First: it's", "long": "one two\nthree",
                "literal": "a\n  b\n", "assignee": [], "labels": ["a", "b c"],
                "inline": ["x", "y, z"], "ordinal": 1000, "version": "007", "quoted": "a\nb",
                "empty": null, "at": "2025-06-03",
            })
        );
        assert_eq!(text.get(front.body_start..), Some("body\n"));
        assert_eq!(front.odd_lines, []);
        let (_, span) = front.spans.iter().find(|(key, _)| key == "labels").unwrap();
        assert_eq!(text.get(span.clone()), Some("labels:\n  - a\n  - 'b c'\n"));
    }

    #[test]
    fn a_file_without_an_end_has_none() {
        for text in ["", "# Title\n", "---\nid: 1\n", "text\n---\nid: 1\n---\n"] {
            assert_eq!(parse_front_matter(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in
            ["plain", "a: b", "it's", "- x", "true", "12", " pad ", "#tag", "a\nb", "x #y", ""]
        {
            assert_eq!(
                parse_scalar(&render_scalar(text)),
                Value::String(text.to_owned()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_comment_is_found_behind_the_value_alone() {
        for (field, comment) in [
            ("status: To Do # st\n", Some(" # st")),
            ("status: To Do\n", None),
            ("title: 'a # b'  # c\r\n", Some("  # c")),
            ("title: 'a # b'\n", None),
            ("dependencies: [\"a #b\"] # c\n", Some(" # c")),
            ("dependencies: # c\n  - a # d\n", Some(" # c")),
            ("dependencies:\n  - a # d\n", None),
            ("title: a#b\n", None),
        ] {
            assert_eq!(find_comment(field), comment, "{field}");
        }
        let front = parse_front_matter("---\ndependencies: # c\n  - a # d\n---\n").unwrap();
        assert_eq!(front.fields["dependencies"], json!(["a"]));
    }
}
