//! The lines of a plan in Markdown that are read: those in code blocks and comments are not.

use crate::text::markdown::{
    CODE_INDENT, CodeFence, LineEnd, NumberedLines, ends_comment, opens_comment, parse_heading,
    split_indentation,
};

/// A line that is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct SourceLine<'a> {
    /// From 1.
    pub(super) number: usize,
    /// The offset of its first byte.
    pub(super) start: usize,
    /// Its text without its end. Blanks before that stay: they tell a box without a title from one
    /// without a space behind it.
    pub(super) text: &'a str,
}

impl<'a> SourceLine<'a> {
    /// Parses the line as a heading: its level and its title.
    pub(super) fn heading(self) -> Option<(usize, &'a str)> {
        let (columns, text) = split_indentation(self.text);
        parse_heading(text).filter(|_| columns < CODE_INDENT)
    }

    /// Returns the column at which its text begins.
    pub(super) fn indentation(self) -> usize {
        split_indentation(self.text).0
    }

    /// Returns whether it stands in a quote.
    pub(super) fn is_quoted(self) -> bool {
        self.text.trim_start().starts_with('>')
    }

    /// Returns the column at which its text begins behind the marks of quotes.
    pub(super) fn depth(self) -> usize {
        let content = self.text.trim_start_matches(|c: char| c == '>' || c.is_whitespace());
        match self.text.strip_suffix(content) {
            Some(marks) if marks.contains('>') => marks.chars().count(),
            _ => self.indentation(),
        }
    }

    /// Returns the offset behind its text.
    pub(super) fn text_end(self) -> usize {
        self.start + self.text.trim_end().len()
    }
}

/// A block whose lines are not read.
#[derive(Debug)]
enum HiddenBlock {
    Code(CodeFence),
    Comment,
}

/// The lines of a text that are read.
#[derive(Debug)]
pub(super) struct SourceLines<'a> {
    text: &'a str,
    lines: NumberedLines<'a>,
    /// The block that the last line is in, and the line that began it.
    hidden: Option<(HiddenBlock, SourceLine<'a>)>,
    indented_code: IndentedCode,
}

impl<'a> SourceLines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            lines: NumberedLines::from_text(text, LineEnd::Any),
            hidden: None,
            indented_code: IndentedCode::default(),
        }
    }

    /// Returns the line that began a block that never ends, and what is wrong with it. Only known
    /// once all lines are read.
    pub(super) fn unclosed_block(&self) -> Option<(SourceLine<'a>, &'static str)> {
        let (hidden, line) = self.hidden.as_ref()?;
        let reason = match hidden {
            HiddenBlock::Code(_) => "unclosed code block; everything below is code",
            HiddenBlock::Comment => "unclosed comment; everything below is a comment",
        };
        Some((*line, reason))
    }
}

impl<'a> Iterator for SourceLines<'a> {
    type Item = SourceLine<'a>;

    fn next(&mut self) -> Option<SourceLine<'a>> {
        loop {
            let line = self.lines.next()?;
            let whole = self.text.get(line.start..line.next_start).unwrap_or_default();
            let line = SourceLine {
                number: usize::try_from(line.number).unwrap_or(usize::MAX),
                start: line.start,
                text: whole.trim_end_matches(['\n', '\r']),
            };
            if let Some((hidden, _)) = &self.hidden {
                if hidden.is_closed_by(line.text) {
                    self.hidden = None;
                }
            } else if let Some(hidden) = HiddenBlock::opened_by(line.text) {
                self.indented_code.read_block(line);
                self.hidden = Some((hidden, line));
            } else if !self.indented_code.read_line(line) {
                return Some(line);
            }
        }
    }
}

/// Where indentation alone makes code: behind a blank line, and in no list. Right below a heading
/// it makes none, since people indent whole lists there; nor in a list, however deep.
#[derive(Debug, Default)]
struct IndentedCode {
    /// Whether a list is open, to which indented lines belong.
    is_in_list: bool,
    /// Whether the last line was text, which indented code cannot interrupt.
    is_in_paragraph: bool,
}

impl IndentedCode {
    /// Reads the next line, and returns whether it is code.
    fn read_line(&mut self, line: SourceLine<'_>) -> bool {
        let (columns, text) = split_indentation(line.text);
        if text.trim().is_empty() {
            self.is_in_paragraph = false;
            return false;
        }
        let is_indented = columns >= CODE_INDENT;
        if is_indented && !self.is_in_list && !self.is_in_paragraph {
            return true;
        }
        if begins_list_item(text) {
            self.is_in_list = true;
        } else if columns == 0 && !self.is_in_paragraph || line.heading().is_some() {
            self.is_in_list = false;
        }
        self.is_in_paragraph = true;
        false
    }

    /// Reads the first line of another block.
    fn read_block(&mut self, line: SourceLine<'_>) {
        self.is_in_paragraph = false;
        self.is_in_list &= line.indentation() > 0;
    }
}

/// Returns whether a text begins with the mark of a list: a bullet or a number.
fn begins_list_item(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '*', '+', '•']).or_else(|| {
        let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_number = (1..=9).contains(&(text.len() - digits.len()));
        digits.strip_prefix(['.', ')']).filter(|_| is_number)
    });
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

impl HiddenBlock {
    /// Reads a line that begins a code block or a comment. A fence may stand in any column, since
    /// plans nest code in lists deeper than Markdown allows a fence to be indented.
    fn opened_by(line: &str) -> Option<Self> {
        let text = line.trim_start();
        if opens_comment(text) {
            return Some(Self::Comment);
        }
        CodeFence::parse_opening(text).map(|(fence, _)| Self::Code(fence))
    }

    fn is_closed_by(&self, line: &str) -> bool {
        match self {
            Self::Comment => ends_comment(line),
            Self::Code(fence) => fence.is_closed_by(line.trim_start(), 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_makes_code_outside_of_lists_alone() {
        for (text, read) in [
            ("Para\n\n    - [ ] code\n      more\n\n    - [ ] code\nend", "Para///end"),
            ("# Head\n    - [ ] a", "# Head/    - [ ] a"),
            ("    - [ ] code\n- a", "- a"),
            // It cannot interrupt a paragraph.
            ("Para\n    - [ ] b", "Para/    - [ ] b"),
            // What is nested in a list, with and without blank lines, also below text of an entry.
            ("- a\n    - b\n\n        - c", "- a/    - b//        - c"),
            ("1. a\n\n   text\n\n    - b", "1. a//   text//    - b"),
            ("- a\n\ntext\n\n    - [ ] code", "- a//text/"),
            ("- a\nlazy\n\n    - b", "- a/lazy//    - b"),
            ("- a\n  ```\n  x\n  ```\n\n    - b", "- a//    - b"),
            ("- a\n# Head\n\n    - [ ] code", "- a/# Head/"),
        ] {
            let lines: Vec<&str> = SourceLines::new(text).map(|line| line.text).collect();
            assert_eq!(
                lines.join("/").trim_end_matches("//"),
                read.trim_end_matches("//"),
                "{text:?}"
            );
        }
    }

    #[test]
    fn code_and_comments_are_not_read() {
        let text = "a\n  ```\n- [ ] b\n```\nc\n<!-- d\n- [ ] e -->\n# f\n~~~~\n~~~\ng";
        let mut lines = SourceLines::new(text);
        let read: Vec<(usize, &str)> =
            lines.by_ref().map(|line| (line.number, line.text)).collect();
        assert_eq!(read, [(1, "a"), (5, "c"), (8, "# f")]);
        let (line, reason) = lines.unclosed_block().unwrap();
        assert!(line.number == 9 && reason.contains("code block"), "{reason}");
        assert_eq!(SourceLine { number: 8, start: 0, text: "# f" }.heading(), Some((1, "f")));
    }
}
