//! Parses the text below the front matter: finds `task` blocks and headings, and skips what code
//! blocks and comments hide.

use std::sync::Arc;

use super::Key;
use super::heading;
use super::list_item::{is_task_info, opens_task_block, split_list_item};
use super::mapping;
use super::merge_conflict;
use super::position::{ByteSpan, Problem, TextPosition};
use super::task_block::{TaskBlock, TaskDescription};
use crate::text::markdown::{
    CODE_INDENT, CodeFence, NumberedLine, NumberedLines, ends_comment, opens_comment,
    parse_heading, split_indentation,
};

/// Parses the tasks of a file.
pub(super) fn parse_body<'a>(
    text: &'a str,
    lines: NumberedLines<'a>,
    problems: &mut Vec<Problem>,
) -> Vec<TaskBlock> {
    let mut reader = BodyParser {
        text,
        tasks: Vec::new(),
        heading: None,
        described_from: None,
        paragraph: Paragraph::None,
        hidden: None,
        problems,
    };
    let mut rest = lines;
    while let Some(line) = rest.next() {
        reader.parse_line(&line, &rest);
    }
    reader.finish();
    reader.tasks
}

/// The paragraph that an underline would turn into a heading.
#[derive(Clone, Copy)]
enum Paragraph {
    None,
    /// A plain paragraph that begins at this byte.
    At(usize),
    /// A paragraph of a list or a quote, which no underline turns into a heading.
    Within,
}

/// A block or comment that hides the lines in it.
struct HiddenLines<'a> {
    kind: HiddenKind,
    opening: NumberedLine<'a>,
    /// The lines after the opening one.
    content: NumberedLines<'a>,
    /// Position of the first hidden line that would open a `task` block elsewhere.
    task: Option<TextPosition>,
}

enum HiddenKind {
    /// A `task` block.
    Task(CodeFence),
    /// Another code block, in a list item whose text begins at `text_column`.
    Code {
        fence: CodeFence,
        text_column: usize,
    },
    Comment,
}

struct BodyParser<'a, 'p> {
    text: &'a str,
    tasks: Vec<TaskBlock>,
    heading: Option<Arc<str>>,
    /// Where the description of the last task begins; `None` once it has ended.
    described_from: Option<usize>,
    paragraph: Paragraph,
    hidden: Option<HiddenLines<'a>>,
    problems: &'p mut Vec<Problem>,
}

impl<'a> BodyParser<'a, '_> {
    fn parse_line(&mut self, line: &NumberedLine<'a>, rest: &NumberedLines<'a>) {
        let Some(inside) = &mut self.hidden else {
            return self.parse_visible_line(line, rest);
        };
        let ends = match inside.kind {
            HiddenKind::Task(fence) => fence.is_closed_by(line.text, 0),
            HiddenKind::Code { fence, text_column: from } => {
                // Text left of the column of a list item ends the item and the code in it.
                if from > 0 && !line.text.is_empty() && split_indentation(line.text).0 < from {
                    self.hidden = None;
                    return self.parse_visible_line(line, rest);
                }
                fence.is_closed_by(line.text, from)
            }
            HiddenKind::Comment => ends_comment(line.text),
        };
        if !ends {
            if inside.task.is_none() && opens_task_block(line.text) {
                inside.task = Some(text_place(line));
            }
        } else if let Some(inside) = self.hidden.take()
            && matches!(inside.kind, HiddenKind::Task(_))
        {
            self.close_task_block(&inside, line);
        }
    }

    fn parse_visible_line(&mut self, line: &NumberedLine<'a>, rest: &NumberedLines<'a>) {
        let (columns, text) = split_indentation(line.text);
        if text.is_empty() {
            self.paragraph = Paragraph::None;
            return;
        }
        if columns >= CODE_INDENT {
            // Indented code, or a continuation of the paragraph above.
            return;
        }
        if columns == 0 {
            self.report_merge_traces(line);
        }
        let hidden = if let Some((fence, info)) = CodeFence::parse_opening(line.text) {
            Some(if is_task_info(info) {
                self.end_description(line.start);
                HiddenKind::Task(fence)
            } else {
                HiddenKind::Code { fence, text_column: 0 }
            })
        } else if text.starts_with("<!--") {
            self.paragraph = Paragraph::None;
            opens_comment(text).then_some(HiddenKind::Comment)
        } else {
            self.parse_paragraph_line(line, text)
        };
        if let Some(what) = hidden {
            self.paragraph = Paragraph::None;
            self.hidden =
                Some(HiddenLines { kind: what, opening: *line, content: rest.clone(), task: None });
        }
    }

    /// Reports what a merge or a concatenation left: it changes the meaning of the lines below.
    fn report_merge_traces(&mut self, line: &NumberedLine<'a>) {
        let reason = match line.text.as_bytes().first() {
            Some(b'<' | b'>') if merge_conflict::is_conflict_marker(line.text) => {
                merge_conflict::CONFLICT_PROBLEM
            }
            Some(0xEF) if line.text.starts_with('\u{feff}') => {
                merge_conflict::BYTE_ORDER_MARK_PROBLEM
            }
            _ => return,
        };
        self.problems.push(Problem::new(text_place(line), reason));
    }

    /// Parses a line that does not begin with a fence or a comment. A list item in it may open a
    /// code block.
    fn parse_paragraph_line(&mut self, line: &NumberedLine<'a>, text: &str) -> Option<HiddenKind> {
        if let Some((_, title)) = parse_heading(text) {
            self.begin_section(line.start, title);
            return None;
        }
        if let Paragraph::At(start) = self.paragraph
            && heading::is_setext_underline(text)
        {
            let paragraph = self.text.get(start..line.start).unwrap_or_default();
            self.begin_section(start, &heading::join_lines(paragraph));
            return None;
        }
        if heading::is_thematic_break(text) {
            self.paragraph = Paragraph::None;
            return None;
        }
        if let Some((from, item)) = split_list_item(line.text)
            && self.can_begin_list_item(text, item)
        {
            self.paragraph = Paragraph::Within;
            let (fence, info) = CodeFence::parse_opening(item)?;
            if is_task_info(info) {
                let reason = "a task block at the start of a list item is not read";
                self.problems.push(Problem::new(text_place(line), reason));
            }
            return Some(HiddenKind::Code { fence, text_column: from });
        }
        if text.starts_with('>') {
            self.paragraph = Paragraph::Within;
        } else if matches!(self.paragraph, Paragraph::None) {
            self.paragraph = Paragraph::At(line.text_end() - text.len());
        }
        None
    }

    /// Returns whether a line begins a list item: directly below a plain paragraph, only a bullet or
    /// the number 1 with text does.
    fn can_begin_list_item(&self, text: &str, item: &str) -> bool {
        let is_plain = matches!(self.paragraph, Paragraph::At(_));
        let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_first =
            number.len() == text.len() || text.starts_with("1.") || text.starts_with("1)");
        !is_plain || is_first && !item.is_empty()
    }

    fn begin_section(&mut self, start: usize, title: &str) {
        self.end_description(start);
        self.paragraph = Paragraph::None;
        self.heading = Some(title.into()).filter(|_| !title.is_empty());
    }

    /// Ends the description of the last task at this byte.
    fn end_description(&mut self, end: usize) {
        if let Some(start) = self.described_from.take()
            && let Some(task) = self.tasks.last_mut()
        {
            task.description = TaskDescription::new(self.text, start..end);
        }
    }

    /// Adds the `task` block that this line closes.
    fn close_task_block(&mut self, inside: &HiddenLines<'a>, closing: &NumberedLine<'a>) {
        let place = text_place(&inside.opening);
        if let Some(next) = inside.task {
            let reason = format!(
                "unclosed block before the next one in line {}; neither is read",
                next.line
            );
            self.problems.push(Problem::new(place, reason));
            return;
        }
        let opening = &inside.opening;
        let blanks = opening.text.len() - split_indentation(opening.text).1.len();
        let mapping = mapping::parse_mapping(
            self.text,
            inside.content.until(closing.start),
            ByteSpan::new(opening.start, opening.start + blanks),
            Key::from_task_block,
            true,
            self.problems,
        );
        for (key, name) in [(Key::Id, "id"), (Key::Status, "status")] {
            if mapping.get(key).is_none() {
                let reason = format!("no {name} in this block");
                self.problems.push(Problem::new(place, reason));
            }
        }
        self.tasks.push(TaskBlock {
            place,
            mapping,
            heading: self.heading.clone(),
            span: ByteSpan::new(opening.start, closing.next_start),
            description: TaskDescription::new(self.text, closing.next_start..closing.next_start),
        });
        self.described_from = Some(closing.next_start);
    }

    fn finish(&mut self) {
        self.end_description(self.text.len());
        let Some(inside) = self.hidden.take() else {
            return;
        };
        let place = text_place(&inside.opening);
        let hides = inside.task.map(|task| task.line);
        let reason = match (inside.kind, hides) {
            (HiddenKind::Task(_), None) => "unclosed block; it is not read".to_owned(),
            (HiddenKind::Task(_), Some(line)) => {
                format!("unclosed block; it and the block of line {line} are not read")
            }
            (_, None) => return,
            (HiddenKind::Code { .. }, Some(line)) => {
                format!("unclosed code block; it includes the block of line {line}")
            }
            (HiddenKind::Comment, Some(line)) => {
                format!("unclosed comment; it includes the block of line {line}")
            }
        };
        self.problems.push(Problem::new(place, reason));
    }
}

/// Returns the position of the first text of a line.
fn text_place(line: &NumberedLine<'_>) -> TextPosition {
    // Each blank before it is one byte and one column.
    let blanks = line.text.len() - split_indentation(line.text).1.len();
    TextPosition {
        line: line.number,
        column: u32::try_from(blanks).map_or(u32::MAX, |blanks| blanks.saturating_add(1)),
    }
}
