//! Underlined headings, and rules across the page, by the rules of <https://spec.commonmark.org>.

/// Returns whether a line turns the paragraph above it into a heading.
pub(super) fn is_setext_underline(text: &str) -> bool {
    ['=', '-']
        .iter()
        .any(|mark| text.starts_with(*mark) && text.trim_start_matches(*mark).is_empty())
}

/// Returns whether a line is a thematic break, such as `---`.
pub(super) fn is_thematic_break(text: &str) -> bool {
    let Some(mark) = text.chars().next().filter(|c| matches!(c, '-' | '*' | '_')) else {
        return false;
    };
    let is_part = |c: char| c == mark || c == ' ' || c == '\t';
    text.chars().all(is_part) && text.chars().filter(|c| *c == mark).nth(2).is_some()
}

/// Joins the lines of a paragraph into a title.
pub(super) fn join_lines(paragraph: &str) -> String {
    let mut title = String::with_capacity(paragraph.len());
    for line in paragraph.lines().map(str::trim).filter(|l| !l.is_empty()) {
        if !title.is_empty() {
            title.push(' ');
        }
        title.push_str(line);
    }
    title
}
