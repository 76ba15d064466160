//! Lists of ids: `[a, b]`, items below each other, or one value with commas.

use super::lines::{BLANKS, Line};
use super::place::Problem;
use super::scalar::{Scalar, Style, plain_end, quoted};
use super::value::{self, Site, Unread, nothing_follows};

const NO_LIST: &str = "its list cannot be read";

/// Reads a list; items that say nothing are none.
pub(super) fn read(site: &Site<'_>, problems: &mut Vec<Problem>) -> Result<Vec<Scalar>, Unread> {
    let (start, first) = site.first();
    let mut items = if first.starts_with('[') {
        flow(site, start + 1).ok_or(Some(NO_LIST))?
    } else if first.is_empty() || first.starts_with('#') {
        block(site, problems)?
    } else {
        parts(site, value::scalar(site)?)
    };
    items.retain(|item| !item.is_empty());
    Ok(items)
}

/// Reads what stands between brackets, from the byte behind the first.
fn flow(site: &Site<'_>, start: usize) -> Option<Vec<Scalar>> {
    let mut cursor = site.cursor();
    let mut items = Vec::new();
    let mut at = start;
    let mut is_parted = true;
    loop {
        at = skip_asides(site, at);
        let rest = site.get(at, site.end);
        let (length, style) = match rest.bytes().next()? {
            b']' => {
                let after = rest.get(1..).unwrap_or_default();
                return nothing_follows(after).then_some(items);
            }
            b',' => {
                is_parted = true;
                at += 1;
                continue;
            }
            b'[' | b'{' => return None,
            _ if !is_parted => return None,
            b'"' | b'\'' => quoted(rest)?,
            _ => {
                let end = rest.find([',', ']', '\n'])?;
                (plain_end(rest.get(..end)?).0, Style::Plain)
            }
        };
        is_parted = false;
        let place = cursor.place(at);
        items.push(Scalar::new(rest.get(..length)?, at, place, style));
        at += length;
    }
}

/// Returns the first byte from this one on that is no blank and in no comment.
fn skip_asides(site: &Site<'_>, start: usize) -> usize {
    let mut at = start;
    loop {
        let rest = site.get(at, site.end);
        let text = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let skipped = rest.len() - text.len();
        at += skipped;
        if skipped == 0 || !text.starts_with('#') {
            return at;
        }
        at += text.find('\n').unwrap_or(text.len());
    }
}

/// Reads the items on the lines below.
fn block(site: &Site<'_>, problems: &mut Vec<Problem>) -> Result<Vec<Scalar>, Unread> {
    let mut items = Vec::new();
    let mut is_list = true;
    for line in site.below() {
        let text = line.text.trim_start_matches(BLANKS);
        let Some(after) = dashed(text) else {
            is_list &= !items.is_empty() || text.is_empty() || text.starts_with('#');
            continue;
        };
        match item(site, &line, line.end() - after.len()) {
            Ok(item) => items.push(item),
            Err(reason) => {
                let place = site.of(&line).cursor().place(line.end() - text.len());
                let reason = reason.unwrap_or("it is no id");
                problems.push(Problem::new(place, format!("an item of a list: {reason}")));
            }
        }
    }
    if is_list {
        Ok(items)
    } else {
        Err(Some(NO_LIST))
    }
}

/// Splits the dash of an item off.
pub(super) fn dashed(text: &str) -> Option<&str> {
    text.strip_prefix('-')
        .filter(|after| after.is_empty() || after.starts_with(BLANKS))
}

/// Reads an item of one line.
fn item(site: &Site<'_>, line: &Line<'_>, start: usize) -> Result<Scalar, Unread> {
    value::scalar(&Site {
        start,
        ..site.of(line)
    })
}

/// Splits a plain value at its commas.
fn parts(site: &Site<'_>, scalar: Scalar) -> Vec<Scalar> {
    if scalar.style != Style::Plain || !scalar.text.contains(',') {
        return vec![scalar];
    }
    let mut cursor = site.cursor();
    let span = scalar.span();
    let mut at = span.start;
    let written = site.get(span.start, span.end).split(',');
    let parts = written.map(|part| {
        let text = part.trim_start();
        let start = at + (part.len() - text.len());
        at += part.len() + 1;
        Scalar::new(text.trim_end(), start, cursor.place(start), Style::Plain)
    });
    parts.collect()
}
