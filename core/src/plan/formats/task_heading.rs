//! Parses headings that are tasks: `Task 1.1: Title`, `[ ] Title` or `T001: Title ✅`.

use std::ops::Range;

use super::trueup::parse_phase_title;
use crate::model::{PlanTaskId, PlanTaskStatus};
use crate::plan::source_lines::SourceLines;
use crate::plan::status_mark::{
    MarkMeaning, begins_with_box, parse_status_words, split_last_symbol, split_symbol,
};
use crate::plan::task_field::{FieldKind, parse_field};
use crate::plan::task_ids::{is_id_word, split_id_comment};

/// Returns the lines of numbered headings such as `### Item 1: Title` that are no tasks by
/// themselves and have a status below them.
pub(super) fn headings_with_status(text: &str) -> impl Iterator<Item = usize> {
    let mut heading = None;
    SourceLines::new(text).filter_map(move |line| {
        if let Some((_, title)) = line.heading() {
            let is_open = TaskHeading::parse(title).is_none();
            let is_numbered = is_open && TaskHeading::parse_numbered(title).is_some();
            heading = is_numbered.then_some(line.number);
            return None;
        }
        let field = parse_field(line.text).filter(|field| field.kind == FieldKind::Status)?;
        parse_status_words(field.value).and_then(|_| heading.take())
    })
}

/// A heading that is a task.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TaskHeading {
    /// `None` if the heading has a box and no id.
    pub(super) id: Option<PlanTaskId>,
    pub(super) title: String,
    pub(super) status: PlanTaskStatus,
    /// The byte range of its mark in the title of the heading.
    pub(super) mark: Option<Range<usize>>,
    pub(super) has_comment_id: bool,
}

impl TaskHeading {
    /// Parses the title of a heading.
    pub(super) fn parse(heading: &str) -> Option<Self> {
        Self::parse_with(heading, &TASK_NOUNS, is_task_heading)
    }

    /// Parses the title of a heading that is known to be a task, such as `Item 1: Title`.
    pub(super) fn parse_numbered(heading: &str) -> Option<Self> {
        Self::parse_with(heading, &NUMBERED_NOUNS, |found| found.id.is_some())
    }

    fn parse_with(
        heading: &str,
        nouns: &[&str],
        is_task: fn(&HeadingParts<'_>) -> bool,
    ) -> Option<Self> {
        let (text, comment_id) = split_id_comment(heading);
        let (mut status, mut mark, text) = split_first_mark(heading, text.trim());
        let is_box = |range: &Range<usize>| {
            let mark = heading.get(range.clone()).unwrap_or_default();
            split_symbol(mark).is_none() || begins_with_box(heading.trim_start())
        };
        let has_box = mark.as_ref().is_some_and(is_box);
        let (id, after) = split_heading_id(text, has_box, nouns)?;
        let mut title = after.trim_start_matches(TITLE_SEPARATORS);
        // `Step 1: [ ] Title` has its box in the middle.
        let (inner_status, inner_mark, rest) = split_first_mark(heading, title);
        if mark.is_none() && inner_mark.is_some() {
            (status, mark, title) = (inner_status, inner_mark, rest);
        }
        let mut title = title.trim_end_matches(['*', '_', ' ']);
        if let Some((rest, last_status, last_mark)) = split_last_mark(heading, title) {
            title = rest;
            if mark.is_none() {
                (status, mark) = (last_status, Some(last_mark));
            }
        }
        if !is_task(&HeadingParts { text, has_box, id, title, has_mark: mark.is_some() }) {
            return None;
        }
        let title = match id {
            Some(id) if title.is_empty() => format!("Task {id}"),
            _ => title.to_owned(),
        };
        Some(Self {
            has_comment_id: comment_id.is_some(),
            id: comment_id.or_else(|| id.and_then(|id| id.parse().ok())),
            title,
            status,
            mark,
        })
    }
}

/// What may stand between an id and its title.
const TITLE_SEPARATORS: [char; 8] = [':', '.', ')', '-', '–', '—', ' ', '*'];

/// Splits the id off a heading: `Task 1.1: Title`, `Step 1: Title`, `T001 — Title` or `1.1 Title`.
/// One with a box needs none.
fn split_heading_id<'a>(
    text: &'a str,
    has_box: bool,
    nouns: &[&str],
) -> Option<(Option<&'a str>, &'a str)> {
    let bare = text.trim_start_matches(['*', '_', '`']);
    let noun = nouns.iter().find_map(|noun| bare.strip_prefix(noun)?.strip_prefix([' ', '-']));
    let rest = noun.unwrap_or(bare).trim_start().trim_start_matches('#');
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-');
    let word = rest.get(..end.unwrap_or(rest.len()))?;
    let id = word.trim_end_matches(['.', '-']);
    let after = rest.strip_prefix(id)?;
    let starts_apart = !after.starts_with(char::is_alphanumeric);
    let is_id = match noun {
        Some(_) => is_task_number(id),
        None => is_id_word(id) || is_t_number(id) || is_number(id) && after.starts_with(['.', ':']),
    };
    match (is_id && starts_apart, has_box) {
        (true, _) => Some((Some(id), after)),
        (false, true) if !bare.is_empty() => Some((None, text)),
        (false, _) => None,
    }
}

/// What the title of a heading is made of.
struct HeadingParts<'a> {
    /// The title without a mark before it.
    text: &'a str,
    has_box: bool,
    id: Option<&'a str>,
    title: &'a str,
    has_mark: bool,
}

/// Returns whether a heading is a task, and not a numbered part of the file: it says so by a word,
/// by a box, or by an id such as `T001` that something separates from its title.
fn is_task_heading(parts: &HeadingParts<'_>) -> bool {
    let HeadingParts { text, has_box, id, title, has_mark } = *parts;
    let bare = text.trim_start_matches(['*', '_', '`']);
    if parse_phase_title(text).is_some() || id.is_none() && title.is_empty() {
        return false;
    }
    let Some(id) = id else {
        return has_box;
    };
    let has_inner_box = has_mark && text.contains(']');
    if bare.starts_with("Task") || bare.starts_with("TASK") || has_box || has_inner_box {
        return true;
    }
    let after = bare.strip_prefix(id).unwrap_or_default().trim_start();
    let is_separated = after.starts_with([':', '.', '-', '–', '—', ')']);
    // `T1 overview` may be about the first of several things.
    let is_long = id.len() >= 4;
    // `T001-UI-02` is the second task of a part.
    let is_of_part = id.split_once('-').is_some_and(|(first, _)| is_t_number(first));
    (is_t_number(id) || is_of_part) && !title.is_empty() && (is_separated || is_long)
}

/// Words that begin the heading of a task.
const TASK_NOUNS: [&str; 4] = ["Task", "TASK", "Step", "STEP"];

/// Words that begin a numbered heading, which is a task if it has a status.
const NUMBERED_NOUNS: [&str; 8] =
    ["Item", "Step", "Story", "Issue", "Ticket", "Bug", "Feature", "Finding"];

/// Returns whether a word is an id such as `T001` or `T1.1`.
fn is_t_number(word: &str) -> bool {
    word.strip_prefix('T').is_some_and(|rest| rest.split('.').all(is_number))
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether a word is the number of a task: `1`, `1.1`, `2b`, `A1` or `B`.
fn is_task_number(word: &str) -> bool {
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    let is_short = word.chars().filter(char::is_ascii_alphabetic).count() <= 3;
    let is_letter = word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    is_letter || has_digit && is_short
}

/// Returns where a part of a text stands in it.
fn range_in(text: &str, part: &str) -> Range<usize> {
    let start = crate::json_spans::byte_offset(text, part);
    start..start + part.len()
}

/// Splits a mark off the beginning of a heading: `[ ] Task 1` or `✅ Task 1`.
fn split_first_mark<'a>(
    heading: &str,
    text: &'a str,
) -> (PlanTaskStatus, Option<Range<usize>>, &'a str) {
    let none = (PlanTaskStatus::Pending, None, text);
    if let Some((mark, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        return match MarkMeaning::OF_LISTS.status_in_brackets(mark) {
            Some(status) => (status, Some(range_in(heading, mark)), rest.trim_start()),
            None => none,
        };
    }
    match split_symbol(text) {
        Some((status, rest)) => {
            let symbol = text.strip_suffix(rest).unwrap_or_default();
            (status, Some(range_in(heading, symbol)), rest.trim_start())
        }
        None => none,
    }
}

/// Splits a mark off the end of a title: `Title ✅`, `Title [x]` or `Title (done)`.
fn split_last_mark<'a>(
    heading: &str,
    title: &'a str,
) -> Option<(&'a str, PlanTaskStatus, Range<usize>)> {
    // `✅` and `✅ Done`.
    let with_word = title.rsplit_once(' ').map(|(before, _)| before);
    for part in [Some(title), with_word].into_iter().flatten() {
        if let Some((before, _)) = split_last_symbol(part) {
            let mark = title.strip_prefix(before)?.trim_start();
            if let Some(status) = parse_status_words(mark) {
                return Some((before, status, range_in(heading, mark)));
            }
        }
    }
    for (open, close) in [('[', ']'), ('(', ')')] {
        let Some((before, inner)) = title.strip_suffix(close).and_then(|t| t.rsplit_once(open))
        else {
            continue;
        };
        let status = match open {
            '[' => MarkMeaning::OF_LISTS.status_in_brackets(inner),
            _ => None,
        };
        if let Some(status) = status.or_else(|| parse_status_words(inner)) {
            return Some((before.trim_end(), status, range_in(heading, inner)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use PlanTaskStatus::{Completed, InProgress, Pending};

    #[test]
    fn headings_of_tasks() {
        for (heading, id, title, status, mark) in [
            ("Task 1.1: Do it", "1.1", "Do it", Pending, None),
            ("Task 1 - Do it", "1", "Do it", Pending, None),
            ("**Task 2b: Do it**", "2b", "Do it", Pending, None),
            ("Task A: Do it", "A", "Do it", Pending, None),
            ("Task #3. Do it", "3", "Do it", Pending, None),
            ("Task 4", "4", "Task 4", Pending, None),
            ("[ ] Task 5: Do it", "5", "Do it", Pending, Some(" ")),
            ("[x] Task 5: Do it", "5", "Do it", Completed, Some("x")),
            ("✅ Task 5: Do it", "5", "Do it", Completed, Some("✅")),
            ("Task 5: Do it ✅", "5", "Do it", Completed, Some("✅")),
            ("Task 5: Do it ✅ DONE", "5", "Do it", Completed, Some("✅ DONE")),
            ("Task 5: Do it ✅ 完了", "5", "Do it", Completed, Some("✅ 完了")),
            ("Task 5: Add ✅ icon", "5", "Add ✅ icon", Pending, None),
            ("T001-UI-02 — Do it", "T001-UI-02", "Do it", Pending, None),
            ("Task 5: Do it [~]", "5", "Do it", InProgress, Some("~")),
            ("Task 5: Do it (DONE)", "5", "Do it", Completed, Some("DONE")),
            ("[x] Step 2: Do it", "2", "Do it", Completed, Some("x")),
            ("Step 1: [ ] Do it", "1", "Do it", Pending, Some(" ")),
            ("1.1 [ ] Do it", "1.1", "Do it", Pending, Some(" ")),
            ("☐ Step 1: Do it", "1", "Do it", Pending, Some("☐")),
            ("[ ] Do it", "-", "Do it", Pending, Some(" ")),
            ("[x] Step: Do it", "-", "Step: Do it", Completed, Some("x")),
            ("T1.1 — Do it", "T1.1", "Do it", Pending, None),
            ("T1.1 Do it", "T1.1", "Do it", Pending, None),
            ("T001 — Do it", "T001", "Do it", Pending, None),
            ("Task 5: Do it (22 files)", "5", "Do it (22 files)", Pending, None),
            ("Task 5: Do it <!-- id: t-1 -->", "t-1", "Do it", Pending, None),
        ] {
            let found = TaskHeading::parse(heading).unwrap();
            let found_id = found.id.as_ref().map_or("-", |id| id.as_str());
            assert_eq!((found_id, found.title.as_str()), (id, title), "{heading}");
            assert_eq!(found.status, status, "{heading}");
            assert_eq!(found.mark.map(|mark| heading.get(mark).unwrap()), mark, "{heading}");
        }
        for heading in [
            "Tasks",
            "Task list",
            "Task",
            "Tasking 1",
            "Phase 1: Task 1",
            "Task Order 1",
            "Step 1: Do it",
            "1.1 Title",
            "[x] Phase 1: Setup",
            "✅ Summary",
            "T1 overview",
            "REQ-1: Title",
            "Item 1: Title",
            "[1] Source",
        ] {
            assert_eq!(TaskHeading::parse(heading), None, "{heading}");
        }
    }
}
