//! Finds the box of a line: brackets such as `[ ]`, or a symbol such as `⬜` in place of them.

use std::ops::Range;

use super::line_rules::LineRules;
use super::source_lines::{SourceLine, SourceLines};
use super::status_mark::split_symbol;
use crate::model::PlanTaskStatus;

/// A box, before it is known whether what follows is a task.
pub(super) struct FoundBox<'a> {
    pub(super) status: PlanTaskStatus,
    pub(super) mark: Range<usize>,
    /// The mark, if it is none that is known.
    pub(super) own_mark: Option<char>,
    /// The emphasis that begins before the box, and ends somewhere behind it.
    pub(super) emphasis: &'a str,
    /// The text behind the box.
    pub(super) after: &'a str,
}

/// What is wrong with a box, for a person, and the text behind it.
type BadBox<'a> = (&'a str, &'static str);

/// Finds the box of a line. One in a quote counts where people write without a tool.
pub(super) fn find_box<'a>(
    line: &'a str,
    rules: &LineRules,
) -> Option<Result<FoundBox<'a>, BadBox<'a>>> {
    let body = without_quote(line);
    let is_quoted = body.len() < line.trim_start().len();
    let (has_bullet, rest) = split_bullet(body);
    let found = match find_brackets(line, has_bullet, rest, rules) {
        None => find_symbol(line, has_bullet, rest, rules).map(Ok),
        found => found,
    }?;
    Some(match found {
        Ok(found) if is_quoted && !rules.is_lenient => Err((found.after, "inside a quote")),
        Err((after, _)) if is_quoted => Err((after, "inside a quote")),
        found => found,
    })
}

/// Returns whether a line is a row of a table with a box in one of its cells.
pub(super) fn has_box_in_table(line: &str) -> bool {
    let row = line.trim();
    let is_box = |cell: &str| matches!(cell.trim(), "[ ]" | "[x]" | "[X]");
    row.starts_with('|') && row.split('|').any(is_box)
}

/// Removes the marks of quotes, and the blanks around them.
pub(super) fn without_quote(line: &str) -> &str {
    line.trim_start_matches(|c: char| c == '>' || c.is_whitespace())
}

/// Returns whether boxes in emphasis are how a text writes its boxes: there are several. A single
/// one is a sentence about boxes.
pub(super) fn has_emphasized_boxes(text: &str) -> bool {
    let is_emphasized = |line: &SourceLine<'_>| {
        let (has_bullet, rest) = split_bullet(without_quote(line.text));
        has_bullet && !split_emphasis(rest).0.is_empty()
    };
    SourceLines::new(text).filter(is_emphasized).nth(1).is_some()
}

/// Splits what is behind a bullet into the emphasis that begins before the box, as in
/// `**[ ] Title**`, and the rest. Only a bare box may stand in it, since words in brackets may be
/// emphasized too.
fn split_emphasis(behind_bullet: &str) -> (&str, &str) {
    let text = behind_bullet.trim_start();
    let bare = text.trim_start_matches(['*', '_']);
    let is_box = ["[ ]", "[x]", "[X]"].iter().any(|mark| bare.starts_with(mark));
    let is_apart = text.len() < behind_bullet.len();
    match text.strip_suffix(bare).filter(|_| is_box && is_apart) {
        Some(emphasis) => (emphasis, bare),
        None => ("", text),
    }
}

/// Finds a box in brackets.
fn find_brackets<'a>(
    line: &'a str,
    has_bullet: bool,
    rest: &'a str,
    rules: &LineRules,
) -> Option<Result<FoundBox<'a>, BadBox<'a>>> {
    let (emphasis, content) = split_emphasis(rest);
    let inside = content.strip_prefix('[')?;
    let (mark, after) = inside.split_once(']')?;
    // `**[ ]** Title` ends the emphasis at once.
    let (emphasis, after) = match after.strip_prefix(emphasis) {
        Some(after) if !emphasis.is_empty() => ("", after),
        _ => (emphasis, after),
    };
    let status = match mark {
        blank if rules.is_lenient && blank.trim().is_empty() => Some(PlanTaskStatus::Pending),
        mark => rules.marks.status_in_brackets(mark),
    };
    let own_mark = mark.chars().next().filter(|_| status.is_none());
    let status = status.or_else(|| status_of_odd_mark(mark));
    let is_box_sized = mark.trim().chars().count() <= 2 && mark.chars().count() <= 3;
    let is_bare = matches!(mark, " " | "x" | "X");
    // `[x](…)` is a link and `[1]: …` a definition. Without a bullet, only `[ ]`, `[x]` and `[X]`
    // count.
    if !is_box_sized || after.starts_with(['(', '[', ':']) || !has_bullet && !is_bare {
        return None;
    }
    // Two characters are a word, unless they are one symbol, and a number names a source.
    let is_number = mark.starts_with(|c: char| c.is_ascii_digit());
    if status.is_none() && (mark.trim().chars().count() > 1 || is_number) {
        return None;
    }
    let starts_apart = after.is_empty() || after.starts_with(char::is_whitespace);
    let is_optional = rules.is_lenient && after.starts_with('*') && !after.starts_with("**");
    let problem = if !has_bullet && !rules.is_lenient {
        "no bullet before the checkbox"
    } else if has_bullet && rest.starts_with('[') && !rules.is_lenient {
        "no space between bullet and checkbox"
    } else if content.len() < rest.trim_start().len() && !rules.has_emphasis {
        "emphasis around the checkbox"
    } else if status.is_none() {
        "checkbox is neither [ ] nor [x]"
    } else if !starts_apart && !is_optional && !rules.is_lenient {
        "no space after the checkbox"
    } else {
        let start = line.len() - inside.len();
        let mark = start..start + mark.len();
        return Some(Ok(FoundBox { status: status?, mark, own_mark, emphasis, after }));
    };
    Some(Err((after, problem)))
}

/// Returns the status of a mark that has a meaning of its own to its writer: one character that is
/// no digit, which names a source.
fn status_of_odd_mark(mark: &str) -> Option<PlanTaskStatus> {
    let mut characters = mark.chars();
    let first = characters.next().filter(|c| !c.is_whitespace() && !c.is_ascii_digit())?;
    match (first, characters.next()) {
        ('>', None) => Some(PlanTaskStatus::InProgress),
        (_, None) => Some(PlanTaskStatus::Pending),
        _ => None,
    }
}

/// Finds a symbol that stands for a box.
fn find_symbol<'a>(
    line: &'a str,
    has_bullet: bool,
    rest: &'a str,
    rules: &LineRules,
) -> Option<FoundBox<'a>> {
    if !rules.has_symbols || !has_bullet {
        return None;
    }
    let symbol = rest.trim_start();
    let (status, after) = split_symbol(symbol)?;
    let start = line.len() - symbol.len();
    let mark = start..line.len() - after.len();
    Some(FoundBox { status, mark, own_mark: None, emphasis: "", after })
}

/// Splits the bullet of a plain or numbered list off; tells whether there was one.
pub(super) fn split_bullet(text: &str) -> (bool, &str) {
    if let Some(rest) = text.strip_prefix(['-', '*', '+']) {
        return (true, rest);
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    match rest.strip_prefix(['.', ')']) {
        Some(after) if rest.len() < text.len() => (true, after),
        _ => (false, text),
    }
}
