//! The sections of a task of Backlog.md: headings of the second level, with or without the comments
//! that mark the bounds of their text.

use std::ops::Range;

use crate::text::markdown::CodeFence;

/// The sections that Backlog.md knows. A heading of another name is part of the text above it.
const KNOWN_SECTIONS: [&str; 8] = [
    "Description",
    "Acceptance Criteria",
    "Acceptance Criteria (Optional)",
    "Definition of Done",
    "Implementation Plan",
    "Implementation Notes",
    "Final Summary",
    "Comments",
];

/// The name of a section, and of the comments that mark its bounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct SectionName {
    heading: &'static str,
    mark: &'static str,
}

pub(super) const DESCRIPTION: SectionName =
    SectionName { heading: "Description", mark: "DESCRIPTION" };

pub(super) const NOTES: SectionName =
    SectionName { heading: "Implementation Notes", mark: "NOTES" };

/// Where the text of a section is.
struct Section {
    range: Range<usize>,
    is_marked: bool,
}

/// Returns what ends the lines of a text: what ends the first one.
pub(super) fn line_end(text: &str) -> &'static str {
    let first = text.split_inclusive('\n').next().unwrap_or_default();
    if first.ends_with("\r\n") { "\r\n" } else { "\n" }
}

/// Returns the text of a section without the comments that mark its bounds.
pub(super) fn read_section(body: &str, heading: &str) -> Option<String> {
    let text = body.get(find_section(body, heading)?.range)?.trim();
    (!text.is_empty()).then(|| text.replace("\r\n", "\n"))
}

/// Returns a body in which a section has another text. It gets marks where the text would not be
/// read as it is without them. A section that is not there yet comes first.
pub(super) fn replace_section(body: &str, name: SectionName, text: &str) -> String {
    let end_of_line = line_end(body);
    let with_ends = |text: &str| text.replace("\r\n", "\n").replace('\n', end_of_line);
    let Some(section) = find_section(body, name.heading) else {
        return format!("{}{body}", with_ends(&format!("\n{}", render_section(name, text))));
    };
    let before = body.get(section.range.clone()).unwrap_or_default();
    let lead = before.len() - before.trim_start().len();
    let (blank, end) = (before.get(..lead).unwrap_or_default(), before.trim_end().len());
    let behind = before.get(end..).unwrap_or_default();
    let (blank, behind) = match (before.trim().is_empty(), section.is_marked) {
        (true, true) => (String::new(), with_ends("\n")),
        (true, false) => (with_ends("\n"), with_ends("\n\n")),
        (false, _) => (blank.to_owned(), behind.to_owned()),
    };
    let put = |text: &str| {
        let mut edited = body.to_owned();
        edited.replace_range(section.range.clone(), &format!("{blank}{}{behind}", with_ends(text)));
        edited
    };
    let plain = put(text);
    if section.is_marked || is_only_change(body, &plain, name, text) {
        return plain;
    }
    put(&render_marked(name, text))
}

/// Adds a line to a section, which comes last where it is not there yet.
pub(super) fn append_to_section(body: &str, name: SectionName, line: &str) -> String {
    match read_section(body, name.heading) {
        Some(text) if text.lines().any(|known| known == line) => body.to_owned(),
        Some(text) => replace_section(body, name, &format!("{text}\n\n{line}")),
        None if find_section(body, name.heading).is_some() => replace_section(body, name, line),
        None => {
            let end = if body.is_empty() || body.ends_with('\n') { "" } else { "\n" };
            let section = format!("{end}\n{}", render_section(name, line));
            format!("{body}{}", section.replace("\r\n", "\n").replace('\n', line_end(body)))
        }
    }
}

/// Writes a section as Backlog.md does.
pub(super) fn render_section(name: SectionName, text: &str) -> String {
    format!("## {}\n\n{}\n", name.heading, render_marked(name, text))
}

fn render_marked(SectionName { mark, .. }: SectionName, text: &str) -> String {
    format!("<!-- SECTION:{mark}:BEGIN -->\n{text}\n<!-- SECTION:{mark}:END -->")
}

/// Tells whether a section reads as it was written, and the others as before.
fn is_only_change(before: &str, after: &str, name: SectionName, text: &str) -> bool {
    let text = text.trim().replace("\r\n", "\n");
    let is_read = read_section(after, name.heading).unwrap_or_default() == text;
    let mut others = KNOWN_SECTIONS.iter().filter(|other| **other != name.heading);
    is_read && others.all(|other| read_section(before, other) == read_section(after, other))
}

/// Finds the text of a section: between the comments that mark its bounds, or else up to the next
/// heading that Backlog.md knows. Nothing in marks or code is a heading.
fn find_section(body: &str, heading: &str) -> Option<Section> {
    let lines = split_lines(body);
    let mut start: Option<usize> = None;
    let mut at = 0;
    while let Some((span, line)) = lines.get(at) {
        let rest = lines.get(at + 1..).unwrap_or_default();
        let code = CodeFence::parse_opening(line)
            .and_then(|(fence, _)| rest.iter().position(|(_, line)| fence.is_closed_by(line, 0)));
        let marked = parse_begin_mark(line).and_then(|mark| {
            let end = format!("<!-- {mark}:END -->");
            let place = rest.iter().position(|(_, line)| *line == end)?;
            Some((place, rest.get(place)?.0.start))
        });
        if start.is_some()
            && let Some((_, end)) = marked
        {
            return Some(Section { range: span.end..end, is_marked: true });
        }
        at += 1 + code.or(marked.map(|(place, _)| place)).map_or(0, |place| place + 1);
        if code.is_some() || marked.is_some() {
            continue;
        }
        match start {
            Some(start) if KNOWN_SECTIONS.iter().any(|known| is_heading(line, known)) => {
                return Some(Section { range: start..span.start, is_marked: false });
            }
            None if is_heading(line, heading) => start = Some(span.end),
            _ => {}
        }
    }
    Some(Section { range: start?..body.len(), is_marked: false })
}

/// Lists lines with the bytes that they take, and their text without blanks at the end.
fn split_lines(body: &str) -> Vec<(Range<usize>, &str)> {
    let mut offset = 0;
    let lines = body.split_inclusive('\n').map(|line| {
        offset += line.len();
        (offset - line.len()..offset, line.trim_end())
    });
    lines.collect()
}

fn parse_begin_mark(line: &str) -> Option<&str> {
    line.strip_prefix("<!-- ")?.strip_suffix(":BEGIN -->")
}

fn is_heading(line: &str, name: &str) -> bool {
    line.strip_prefix("## ").is_some_and(|title| title.trim().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: &str = "\n## Acceptance Criteria\n- [ ] one\n";

    fn description(body: &str) -> String {
        read_section(body, "Description").unwrap_or_default()
    }

    #[test]
    fn a_section_without_marks_reaches_to_the_next_known_heading() {
        for text in [
            "intro\n\n## Part\n\nbody",
            "a\n```\n## Acceptance Criteria\n```\nb",
            "a\n\n### Description\n\nb",
            "an open fence\n```\ncode",
        ] {
            let body = format!("\n## Description\n\n{text}\n{AFTER}");
            assert_eq!(description(&body), text);
            let edited = replace_section(&body, DESCRIPTION, "short");
            assert_eq!(edited, format!("\n## Description\n\nshort\n{AFTER}"));
            assert_eq!(replace_section(&edited, DESCRIPTION, text), body);
        }
    }

    #[test]
    fn a_text_that_would_end_early_gets_marks() {
        let body = format!("\n## Description\n\nold\n{AFTER}");
        for text in ["a\n\n## Implementation Plan\n\nb", "a\n<!-- AC:BEGIN -->\nb\n<!-- AC:END -->"]
        {
            let edited = replace_section(&body, DESCRIPTION, text);
            assert!(edited.contains("\n<!-- SECTION:DESCRIPTION:BEGIN -->\na\n"), "{edited}");
            assert_eq!(description(&edited), text);
            assert!(edited.ends_with(AFTER), "{edited}");
            let short = replace_section(&edited, DESCRIPTION, "short");
            assert!(!short.contains("\nb\n") && short.ends_with(AFTER), "{short}");
        }
    }

    #[test]
    fn a_mark_that_has_no_end_is_a_line_of_the_text() {
        let body = format!("## Description\n<!-- SECTION:DESCRIPTION:BEGIN -->\nold\n{AFTER}");
        let edited = replace_section(&body, DESCRIPTION, "new");
        assert_eq!(edited, format!("## Description\nnew\n{AFTER}"));
    }

    #[test]
    fn an_empty_section_and_a_missing_one_are_filled() {
        let empty = replace_section("## Description\n## Comments\n", DESCRIPTION, "new");
        assert_eq!(empty, "## Description\n\nnew\n\n## Comments\n");
        let missing = replace_section(AFTER, DESCRIPTION, "new");
        assert_eq!(description(&missing), "new");
        assert!(missing.ends_with(&format!("END -->\n{AFTER}")), "{missing}");
        let noted = append_to_section(AFTER, NOTES, "over");
        assert_eq!(read_section(&noted, "Implementation Notes").as_deref(), Some("over"));
        assert_eq!(append_to_section(&noted, NOTES, "over"), noted);
        let more = append_to_section(&noted, NOTES, "again");
        assert_eq!(read_section(&more, "Implementation Notes").as_deref(), Some("over\n\nagain"));
    }
}
