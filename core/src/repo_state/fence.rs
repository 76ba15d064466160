//! Fences of code, in which a heading is none.

use std::ops::Range;

use super::scan::lines;

/// The code of one stretch of text.
///
/// A fence that the stretch does not close is a line as any other: what would follow it is the
/// sections of others, which no stray backticks are to hide. So code never begins in one
/// section and ends in another, and a section that is replaced uncovers nothing of the others.
#[derive(Debug, Default)]
pub(super) struct Fences {
    /// In order, from the first byte of the opening line to the last of the closing one.
    code: Vec<Range<usize>>,
}

/// A line that can open or close.
struct Mark {
    line: Range<usize>,
    kind: Kind,
    length: usize,
    can_open: bool,
    can_close: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Backticks,
    Tildes,
}

impl Fences {
    /// Finds the code between two places; each line is read once, whatever it opens.
    pub(super) fn of(file: &[u8], stretch: Range<usize>) -> Self {
        let marks: Vec<Mark> = lines(file, stretch)
            .filter_map(|line| Mark::read(file.get(line.clone())?, line))
            .collect();
        let closed = closed(&marks);
        let mut code = Vec::new();
        let mut open: Option<&Mark> = None;
        for (mark, is_closed) in marks.iter().zip(closed) {
            match open {
                None if mark.can_open && is_closed => open = Some(mark),
                Some(opening) if mark.closes(opening) => {
                    code.push(opening.line.start..mark.line.end);
                    open = None;
                }
                _ => {}
            }
        }
        Self { code }
    }

    /// Tells whether the line that begins here is code.
    pub(super) fn hide(&self, at: usize) -> bool {
        let behind = self.code.partition_point(|code| code.end <= at);
        self.code.get(behind).is_some_and(|code| code.start <= at)
    }
}

/// Tells of each mark whether one behind it would close it.
fn closed(marks: &[Mark]) -> Vec<bool> {
    let mut longest = [0; 2];
    let mut closed: Vec<bool> = marks
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

impl Mark {
    /// Reads a line by `CommonMark`'s rules.
    fn read(text: &[u8], line: Range<usize>) -> Option<Self> {
        let indent = text.iter().take_while(|byte| **byte == b' ').count();
        let rest = text.get(indent..)?;
        let kind = match rest.first()? {
            b'`' => Kind::Backticks,
            b'~' => Kind::Tildes,
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
            can_open: kind == Kind::Tildes || !after.contains(&b'`'),
            can_close: after.trim_ascii().is_empty(),
        })
    }

    fn closes(&self, opening: &Self) -> bool {
        self.can_close && self.kind == opening.kind && self.length >= opening.length
    }
}
