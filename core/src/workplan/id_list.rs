//! Lists of ids: `[a, b]`, one item per line, or one plain value with commas.

use super::position::Problem;
use super::scalar::{Scalar, ScalarStyle, find_plain_end, measure_quoted};
use super::value::{self, MappingValue, UnreadReason, ValueSource, only_comments_follow};
use crate::text::markdown::{BLANKS, NumberedLine};

const UNREADABLE_LIST: &str = "its list cannot be read";

/// Parses the value of a key: a list of ids, or one scalar.
pub(super) fn parse_value(
    site: &ValueSource<'_>,
    is_list: bool,
    problems: &mut Vec<Problem>,
) -> Result<MappingValue, UnreadReason> {
    if is_list {
        return parse_list(site, problems).map(|items| MappingValue::List(items.into()));
    }
    value::parse_scalar(site).map(MappingValue::Scalar)
}

/// Parses a list; empty items are left out.
pub(super) fn parse_list(
    site: &ValueSource<'_>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Scalar>, UnreadReason> {
    let (start, first) = site.first_text();
    let mut items = if first.starts_with('[') {
        parse_flow_list(site, start + 1).ok_or(Some(UNREADABLE_LIST))?
    } else if first.is_empty() || first.starts_with('#') {
        parse_block_list(site, problems)?
    } else {
        split_at_commas(site, value::parse_scalar(site)?)
    };
    items.retain(|item| !item.is_empty());
    Ok(items)
}

/// Parses `[a, b]`, beginning after the opening bracket.
fn parse_flow_list(site: &ValueSource<'_>, start: usize) -> Option<Vec<Scalar>> {
    let mut cursor = site.counter();
    let mut items = Vec::new();
    let mut at = start;
    let mut is_parted = true;
    loop {
        at = skip_blanks_and_comments(site, at);
        let rest = site.slice(at, site.end);
        let (length, style) = match rest.bytes().next()? {
            b']' => {
                let after = rest.get(1..).unwrap_or_default();
                return only_comments_follow(after).then_some(items);
            }
            b',' => {
                is_parted = true;
                at += 1;
                continue;
            }
            b'[' | b'{' => return None,
            _ if !is_parted => return None,
            b'"' | b'\'' => measure_quoted(rest)?,
            _ => {
                let end = rest.find([',', ']', '\n'])?;
                (find_plain_end(rest.get(..end)?).0, ScalarStyle::Plain)
            }
        };
        is_parted = false;
        let place = cursor.advance_to(at);
        items.push(Scalar::from_written(rest.get(..length)?, at, place, style));
        at += length;
    }
}

/// Returns the offset of the first byte, from `start` on, that is not in a blank or a comment.
fn skip_blanks_and_comments(site: &ValueSource<'_>, start: usize) -> usize {
    let mut at = start;
    loop {
        let rest = site.slice(at, site.end);
        let text = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let skipped = rest.len() - text.len();
        at += skipped;
        if skipped == 0 || !text.starts_with('#') {
            return at;
        }
        at += text.find('\n').unwrap_or(text.len());
    }
}

/// Parses a list with one item per line.
fn parse_block_list(
    site: &ValueSource<'_>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Scalar>, UnreadReason> {
    let mut items = Vec::new();
    let mut is_list = true;
    for line in site.lines_below() {
        let text = line.text.trim_start_matches(BLANKS);
        let Some(after) = strip_dash(text) else {
            is_list &= !items.is_empty() || text.is_empty() || text.starts_with('#');
            continue;
        };
        match parse_item(site, &line, line.text_end() - after.len()) {
            Ok(item) => items.push(item),
            Err(reason) => {
                let place = site.on_line(&line).counter().advance_to(line.text_end() - text.len());
                let reason = reason.unwrap_or("it is no id");
                problems.push(Problem::new(place, format!("an item of a list: {reason}")));
            }
        }
    }
    if is_list { Ok(items) } else { Err(Some(UNREADABLE_LIST)) }
}

/// Returns what follows the dash of an item.
pub(super) fn strip_dash(text: &str) -> Option<&str> {
    text.strip_prefix('-').filter(|after| after.is_empty() || after.starts_with(BLANKS))
}

/// Parses the item on one line.
fn parse_item(
    site: &ValueSource<'_>,
    line: &NumberedLine<'_>,
    start: usize,
) -> Result<Scalar, UnreadReason> {
    value::parse_scalar(&ValueSource { start, ..site.on_line(line) })
}

/// Splits a plain value at its commas.
fn split_at_commas(site: &ValueSource<'_>, scalar: Scalar) -> Vec<Scalar> {
    if scalar.style != ScalarStyle::Plain || !scalar.text.contains(',') {
        return vec![scalar];
    }
    let mut cursor = site.counter();
    let span = scalar.span();
    let mut at = span.start;
    let written = site.slice(span.start, span.end).split(',');
    let parts = written.map(|part| {
        let text = part.trim_start();
        let start = at + (part.len() - text.len());
        at += part.len() + 1;
        Scalar::from_written(text.trim_end(), start, cursor.advance_to(start), ScalarStyle::Plain)
    });
    parts.collect()
}
