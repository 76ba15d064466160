//! Fences of code, in which a heading is none.

use std::ops::Range;

use super::section_scan::line_ranges;

/// The code of one stretch of text.
///
/// A fence that the stretch does not close is a line as any other: what would follow it is the
/// sections of others, which no stray backticks are to hide. So code never begins in one
/// section and ends in another, and a section that is replaced uncovers nothing of the others.
#[derive(Debug, Default)]
pub(super) struct CodeFences {
    /// In order, from the first byte of the opening line to the last of the closing one.
    code: Vec<Range<usize>>,
}

/// A line that can open or close.
struct FenceLine {
    line: Range<usize>,
    kind: FenceChar,
    length: usize,
    can_open: bool,
    can_close: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FenceChar {
    Backticks,
    Tildes,
}

impl CodeFences {
    /// Finds the code between two places; each line is read once, whatever it opens.
    pub(super) fn find_in(file: &[u8], stretch: Range<usize>) -> Self {
        let fence_lines: Vec<FenceLine> = line_ranges(file, stretch)
            .filter_map(|line| FenceLine::parse_line(file.get(line.clone())?, line))
            .collect();
        let closed = find_closed(&fence_lines);
        let mut code = Vec::new();
        let mut open: Option<&FenceLine> = None;
        for (mark, is_closed) in fence_lines.iter().zip(closed) {
            match open {
                None if mark.can_open && is_closed => open = Some(mark),
                Some(opening) if mark.is_closing_for(opening) => {
                    code.push(opening.line.start..mark.line.end);
                    open = None;
                }
                _ => {}
            }
        }
        Self { code }
    }

    /// Tells whether the line that begins here is code.
    pub(super) fn is_code(&self, at: usize) -> bool {
        let behind = self.code.partition_point(|code| code.end <= at);
        self.code.get(behind).is_some_and(|code| code.start <= at)
    }
}

/// Tells of each mark whether one behind it would close it.
fn find_closed(fence_lines: &[FenceLine]) -> Vec<bool> {
    let mut longest = [0; 2];
    let mut closed: Vec<bool> = fence_lines
        .iter()
        .rev()
        .map(|mark| {
            let longest = &mut longest[mark.kind as usize];
            let is_closed = *longest >= mark.length;
            if mark.can_close {
                *longest = mark.length.max(*longest);
            }
            is_closed
        })
        .collect();
    closed.reverse();
    closed
}

impl FenceLine {
    /// Reads a line by `CommonMark`'s rules.
    fn parse_line(text: &[u8], line: Range<usize>) -> Option<Self> {
        let indent = text.iter().take_while(|byte| **byte == b' ').count();
        let rest = text.get(indent..)?;
        let kind = match rest.first()? {
            b'`' => FenceChar::Backticks,
            b'~' => FenceChar::Tildes,
            _ => return None,
        };
        let length = rest
            .iter()
            .take_while(|byte| rest.first() == Some(byte))
            .count();
        let after = rest.get(length..)?;
        (indent <= 3 && length >= 3).then(|| Self {
            line,
            kind,
            length,
            // Backticks behind backticks are a span within a line.
            can_open: kind == FenceChar::Tildes || !after.contains(&b'`'),
            can_close: after.trim_ascii().is_empty(),
        })
    }

    fn is_closing_for(&self, opening: &Self) -> bool {
        self.can_close && self.kind == opening.kind && self.length >= opening.length
    }
}
