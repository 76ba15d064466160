//! Items of Markdown lists, and what opens the block of a task.

use crate::text::markdown::{BLANKS, CODE_INDENT, CodeFence, split_blanks_at, split_indentation};

/// Returns whether what follows a fence on its line says that the block is one of a task.
pub(super) fn is_task_info(info: &str) -> bool {
    info.trim_matches(BLANKS).split(BLANKS).next() == Some("task")
}

/// Returns whether a line would open the block of a task if code or a comment did not hide it.
pub(super) fn opens_task_block(line: &str) -> bool {
    // The search for the word is cheap, and this is asked of every hidden line.
    line.contains("task")
        && CodeFence::parse_opening(line).is_some_and(|(_, info)| is_task_info(info))
}

/// Reads an item of a list: the column at which its text begins, and the text. Items within items
/// on one line are one item.
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
        // Where code would begin, the text of the item begins one column behind its marker.
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

/// Returns what follows the marker of a list item, `-` or `1.`.
fn strip_list_marker(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix(['-', '*', '+']) {
        return Some(rest);
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - rest.len();
    rest.strip_prefix(['.', ')']).filter(|_| (1..=9).contains(&digits))
}
