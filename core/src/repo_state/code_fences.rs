//! Code blocks, in which a heading begins no section.

use std::ops::Range;

use super::byte_lines::line_ranges;
use crate::text::markdown::{CodeFence, is_blank};

/// The code blocks of one stretch of text.
///
/// A fence that the stretch does not close is plain text, unlike in Markdown: the sections of other
/// repositories follow, and stray backticks must not hide them. So code never begins in one section
/// and ends in another, and replacing a section changes nothing in its neighbors.
#[derive(Debug, Default)]
pub(super) struct CodeFences {
    /// In order, from the first byte of the opening line to the last of the closing one.
    code: Vec<Range<usize>>,
}

/// A line that begins with a fence.
struct FenceLine {
    line: Range<usize>,
    fence: CodeFence,
    can_open: bool,
    can_close: bool,
}

impl CodeFences {
    /// Finds the code between two offsets; each line is read once, however many fences are open.
    pub(super) fn find_in(file: &[u8], stretch: Range<usize>) -> Self {
        let fence_lines: Vec<FenceLine> = line_ranges(file, stretch)
            .filter_map(|line| FenceLine::parse_line(file.get(line.clone())?, line))
            .collect();
        let closed = find_closed(&fence_lines);
        let mut code = Vec::new();
        let mut open: Option<&FenceLine> = None;
        for (fence_line, is_closed) in fence_lines.iter().zip(closed) {
            match open {
                None if fence_line.can_open && is_closed => open = Some(fence_line),
                Some(opening) if fence_line.can_close && fence_line.fence.closes(opening.fence) => {
                    code.push(opening.line.start..fence_line.line.end);
                    open = None;
                }
                _ => {}
            }
        }
        Self { code }
    }

    /// Returns whether the line that begins at an offset is code.
    pub(super) fn is_code(&self, at: usize) -> bool {
        let behind = self.code.partition_point(|code| code.end <= at);
        self.code.get(behind).is_some_and(|code| code.start <= at)
    }
}

/// Tells of each line whether a later one would close the block that it opens.
fn find_closed(fence_lines: &[FenceLine]) -> Vec<bool> {
    let (mut longest_backticks, mut longest_tildes) = (0, 0);
    let mut closed: Vec<bool> = fence_lines
        .iter()
        .rev()
        .map(|line| {
            let longest = if line.fence.marker == b'`' {
                &mut longest_backticks
            } else {
                &mut longest_tildes
            };
            let is_closed = *longest >= line.fence.length;
            if line.can_close {
                *longest = line.fence.length.max(*longest);
            }
            is_closed
        })
        .collect();
    closed.reverse();
    closed
}

impl FenceLine {
    fn parse_line(text: &[u8], line: Range<usize>) -> Option<Self> {
        let (fence, behind) = CodeFence::read(text)?;
        Some(Self { line, fence, can_open: fence.can_open(behind), can_close: is_blank(behind) })
    }
}
