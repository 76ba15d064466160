//! Finds the id and the title in the text behind a box: `1.2 Title`, `**Task 1.2**: Title`.

use super::line_rules::LineRules;
use super::task_ids::is_id_word;

/// Marks that may surround an id.
pub(super) const EMPHASIS_MARKS: &[char] = &['*', '_', '`'];

/// Characters that may follow an id, as in `1.2:` and `1.2)`.
const ID_TERMINATORS: &[char] = &[':', '.', ')'];

/// Splits a text into the emphasis before its id, the id, and the rest.
fn split_id(text: &str, is_id: fn(&str) -> bool) -> Option<(&str, &str, &str)> {
    let bare = text.trim_start_matches(EMPHASIS_MARKS);
    let emphasis = text.strip_suffix(bare)?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let rest = bare.trim_start_matches(is_part);
    let id = bare.strip_suffix(rest)?.trim_end_matches(['.', '-']);
    is_id(id).then_some((emphasis, id, bare.strip_prefix(id)?))
}

/// Finds the id at the beginning of a title: `1.2 Title`, `Task 1.2: Title`, `[T001] Title`, or
/// `1. Title` where numbers are ids.
pub(super) fn find_id<'a>(text: &'a str, rules: &LineRules) -> Option<(&'a str, &'a str, &'a str)> {
    let found = split_id(text, rules.is_id).or_else(|| split_bracketed_id(text));
    let found = found.or_else(|| split_task_word(text, rules));
    found.or_else(|| split_number(text).filter(|_| rules.has_number_ids))
}

/// Splits the id of `[T001] Title` off.
pub(super) fn split_bracketed_id(text: &str) -> Option<(&str, &str, &str)> {
    let (word, rest) = text.strip_prefix('[')?.split_once(']')?;
    let is_apart = rest.starts_with(char::is_whitespace) && !rest.trim().is_empty();
    (is_apart && is_id_word(word)).then_some(("", word, rest))
}

/// Splits the id of `Task 1.2: Title` or `**Task 1.2**: Title` off.
fn split_task_word<'a>(text: &'a str, rules: &LineRules) -> Option<(&'a str, &'a str, &'a str)> {
    let bare = text.trim_start_matches(EMPHASIS_MARKS);
    let emphasis = text.strip_suffix(bare)?;
    let rest = bare.strip_prefix("Task ").or_else(|| bare.strip_prefix("TASK "))?.trim_start();
    let found = split_id(rest, is_id_word);
    let (_, id, after) = found.or_else(|| split_number(rest).filter(|_| rules.has_number_ids))?;
    let title = split_title(emphasis, after)?;
    (!title.is_empty()).then_some((emphasis, id, after))
}

/// Splits a number off that something separates from the title: `1. Title`, `1: Title`.
pub(super) fn split_number(text: &str) -> Option<(&str, &str, &str)> {
    let bare = text.trim_start_matches(EMPHASIS_MARKS);
    let emphasis = text.strip_suffix(bare)?;
    let rest = bare.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = bare.strip_suffix(rest).filter(|number| !number.is_empty())?;
    let closed = rest.trim_start_matches(EMPHASIS_MARKS);
    let after = closed.strip_prefix(ID_TERMINATORS).or_else(|| {
        let after = closed.strip_prefix(char::is_whitespace)?;
        (closed.len() < rest.len() || after.starts_with(['-', '–', '—'])).then_some(after)
    })?;
    let after = after.trim_start_matches(EMPHASIS_MARKS);
    let is_apart = closed.starts_with(char::is_whitespace) || after.starts_with(' ');
    (is_apart && !after.trim().is_empty()).then_some((emphasis, number, rest))
}

/// Returns the title behind an id; `None` if nothing separates the two.
pub(super) fn split_title(emphasis: &str, rest: &str) -> Option<String> {
    let closed = rest.trim_start_matches(EMPHASIS_MARKS);
    let title = closed.strip_prefix(ID_TERMINATORS).unwrap_or(closed);
    let title = title.trim_start_matches(EMPHASIS_MARKS);
    if title.starts_with(|c: char| !c.is_whitespace()) {
        return None;
    }
    let title = without_dash(title.trim());
    Some(match title.split_once(emphasis) {
        // `**1.2 Title**`: the emphasis ends somewhere in the title.
        Some((before, after)) if closed.len() == rest.len() => format!("{before}{after}"),
        _ => title.to_owned(),
    })
}

/// Removes a dash between id and title.
fn without_dash(title: &str) -> &str {
    let after = title.strip_prefix(['-', '–', '—']);
    after.map_or(title, str::trim_start)
}
