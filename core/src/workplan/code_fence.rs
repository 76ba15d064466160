//! Fences of code blocks, by the rules of <https://spec.commonmark.org>.

use super::numbered_lines::{BLANKS, split_blanks_at, split_indentation};

/// Columns from which on an indented line is code and no fence or heading.
pub(super) const CODE_INDENT: usize = 4;

/// What opened a code block, and closes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CodeFence {
    marker: char,
    length: usize,
}

impl CodeFence {
    /// Reads a line that opens a block: the fence, and what its block holds.
    pub(super) fn parse_opening(line: &str) -> Option<(Self, &str)> {
        let (columns, text) = split_indentation(line);
        if columns >= CODE_INDENT {
            return None;
        }
        let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = text.trim_start_matches(mark);
        let length = text.len() - info.len();
        // What follows backticks on their line and has more of them is code within a line.
        if length < 3 || mark == '`' && info.contains('`') {
            return None;
        }
        Some((
            Self {
                marker: mark,
                length,
            },
            info,
        ))
    }

    /// Returns whether a line, without blanks at its end, closes the block that this opened. `from` is the column at which
    /// the text around the block begins.
    pub(super) fn is_closed_by(self, line: &str, text_column: usize) -> bool {
        let (columns, text) = split_indentation(line);
        columns < text_column + CODE_INDENT
            && text.starts_with(self.marker)
            && text.len() >= self.length
            && text.trim_start_matches(self.marker).is_empty()
    }
}

/// Returns whether a block with this after its fence is one of a task.
pub(super) fn is_task_info(info: &str) -> bool {
    info.trim_matches(BLANKS).split(BLANKS).next() == Some("task")
}

/// Returns whether a line would open a task's block where code and comments did not hide it.
pub(super) fn opens_task_block(line: &str) -> bool {
    // Almost every line is none, and this is asked of each that is hidden.
    line.contains("task")
        && CodeFence::parse_opening(line).is_some_and(|(_, info)| is_task_info(info))
}

/// Splits what makes a line an item of a list off: the column at which the item's text begins,
/// and the text. Items within items on one line are one.
pub(super) fn split_list_item(line: &str) -> Option<(usize, &str)> {
    let (mut column, mut rest) = split_indentation(line);
    if column >= CODE_INDENT {
        return None;
    }
    let mut found = None;
    while let Some(after) = strip_list_marker(rest) {
        column += rest.len() - after.len();
        let (begin, text) = split_blanks_at(column, after);
        if begin == column && !text.is_empty() {
            break;
        }
        // An item whose text would begin with code begins one column behind its mark.
        let far = begin > column + CODE_INDENT || text.is_empty();
        column = if far { column + 1 } else { begin };
        found = Some((column, if far { after } else { text }));
        if far {
            break;
        }
        rest = text;
    }
    found
}

/// Splits the mark of a list's item off.
fn strip_list_marker(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix(['-', '*', '+']) {
        return Some(rest);
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - rest.len();
    rest.strip_prefix(['.', ')'])
        .filter(|_| (1..=9).contains(&digits))
}
