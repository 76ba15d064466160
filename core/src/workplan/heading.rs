//! Headings, and rules that are none, by the rules of <https://spec.commonmark.org>.

/// Reads a heading that begins with `#`, without what closes it. The line is not indented.
pub(super) fn parse_atx_heading(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches('#');
    let level = text.len() - rest.len();
    if !(1..=6).contains(&level) || !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    let title = rest.trim();
    let closed = title.trim_end_matches('#');
    let is_closed = closed.is_empty() || closed.ends_with([' ', '\t']);
    Some(if is_closed { closed.trim_end() } else { title })
}

/// Returns whether a line makes a heading of the paragraph above it.
pub(super) fn is_setext_underline(text: &str) -> bool {
    ['=', '-']
        .iter()
        .any(|mark| text.starts_with(*mark) && text.trim_start_matches(*mark).is_empty())
}

/// Returns whether a line is a rule across the page.
pub(super) fn is_thematic_break(text: &str) -> bool {
    let Some(mark) = text.chars().next().filter(|c| matches!(c, '-' | '*' | '_')) else {
        return false;
    };
    let is_part = |c: char| c == mark || c == ' ' || c == '\t';
    text.chars().all(is_part) && text.chars().filter(|c| *c == mark).nth(2).is_some()
}

/// Joins the lines of a paragraph to a title.
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
