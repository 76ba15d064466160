//! The text below the front matter: which lines are blocks of tasks, which are headings, and
//! which are neither because code or a comment hides them.

use std::sync::Arc;

use super::Key;
use super::block::{Description, TaskBlock};
use super::conflict;
use super::fence::{CODE, Fence, is_task, list_item, looks_like_task};
use super::heading;
use super::lines::{Line, Lines, indentation};
use super::mapping;
use super::place::{Place, Problem, Span};

/// Reads the tasks.
pub(super) fn read<'a>(
    text: &'a str,
    lines: Lines<'a>,
    problems: &mut Vec<Problem>,
) -> Vec<TaskBlock> {
    let mut reader = Reader {
        text,
        tasks: Vec::new(),
        heading: None,
        described_from: None,
        paragraph: Paragraph::None,
        inside: None,
        problems,
    };
    let mut rest = lines;
    while let Some(line) = rest.next() {
        reader.read(&line, &rest);
    }
    reader.finish();
    reader.tasks
}

/// What an underline would make a heading of.
#[derive(Clone, Copy)]
enum Paragraph {
    None,
    /// A paragraph that begins at this byte.
    At(usize),
    /// One of a list or of a quote.
    Within,
}

/// What hides lines.
struct Inside<'a> {
    what: Hidden,
    opening: Line<'a>,
    /// The lines behind its first.
    content: Lines<'a>,
    /// The first line in it that would open a task's block elsewhere.
    task: Option<Place>,
}

enum Hidden {
    /// A block of a task.
    Task(Fence),
    /// Another block, in an item of a list whose text begins at a column.
    Code {
        fence: Fence,
        from: usize,
    },
    Comment,
}

struct Reader<'a, 'p> {
    text: &'a str,
    tasks: Vec<TaskBlock>,
    heading: Option<Arc<str>>,
    /// Where the description of the last task begins; absent once it has ended.
    described_from: Option<usize>,
    paragraph: Paragraph,
    inside: Option<Inside<'a>>,
    problems: &'p mut Vec<Problem>,
}

impl<'a> Reader<'a, '_> {
    fn read(&mut self, line: &Line<'a>, rest: &Lines<'a>) {
        let Some(inside) = &mut self.inside else {
            return self.read_text(line, rest);
        };
        let ends = match inside.what {
            Hidden::Task(fence) => fence.is_closed_by(line.text, 0),
            Hidden::Code { fence, from } => {
                // Text before the column of a list's item ends the item and what is in it.
                if from > 0 && !line.text.is_empty() && indentation(line.text).0 < from {
                    self.inside = None;
                    return self.read_text(line, rest);
                }
                fence.is_closed_by(line.text, from)
            }
            Hidden::Comment => line.text.contains("-->"),
        };
        if !ends {
            if inside.task.is_none() && looks_like_task(line.text) {
                inside.task = Some(place_of(line));
            }
        } else if let Some(inside) = self.inside.take()
            && matches!(inside.what, Hidden::Task(_))
        {
            self.task(&inside, line);
        }
    }

    fn read_text(&mut self, line: &Line<'a>, rest: &Lines<'a>) {
        let (columns, text) = indentation(line.text);
        if text.is_empty() {
            self.paragraph = Paragraph::None;
            return;
        }
        if columns >= CODE {
            // Code, or the paragraph above goes on.
            return;
        }
        if columns == 0 {
            self.look_for_traces(line);
        }
        let hidden = if let Some((fence, info)) = Fence::opened_by(line.text) {
            Some(if is_task(info) {
                self.end_description(line.start);
                Hidden::Task(fence)
            } else {
                Hidden::Code { fence, from: 0 }
            })
        } else if text.starts_with("<!--") {
            self.paragraph = Paragraph::None;
            // `<!-->` is a whole one.
            (!text.contains("-->")).then_some(Hidden::Comment)
        } else {
            self.read_paragraph(line, text)
        };
        if let Some(what) = hidden {
            self.paragraph = Paragraph::None;
            self.inside = Some(Inside {
                what,
                opening: *line,
                content: rest.clone(),
                task: None,
            });
        }
    }

    /// Names what a merge or a concatenation left, since it changes what the lines below are.
    fn look_for_traces(&mut self, line: &Line<'a>) {
        let reason = match line.text.as_bytes().first() {
            Some(b'<' | b'>') if conflict::is_marker(line.text) => conflict::CONFLICT,
            Some(0xEF) if line.text.starts_with('\u{feff}') => conflict::MARK,
            _ => return,
        };
        self.problems.push(Problem::new(place_of(line), reason));
    }

    /// Reads a line that neither a fence nor a comment begins; a fence may begin in it.
    fn read_paragraph(&mut self, line: &Line<'a>, text: &str) -> Option<Hidden> {
        if let Some(title) = heading::atx(text) {
            self.heading(line.start, title);
            return None;
        }
        if let Paragraph::At(start) = self.paragraph
            && heading::is_underline(text)
        {
            let paragraph = self.text.get(start..line.start).unwrap_or_default();
            self.heading(start, &heading::joined(paragraph));
            return None;
        }
        if heading::is_rule(text) {
            self.paragraph = Paragraph::None;
            return None;
        }
        if let Some((from, item)) = list_item(line.text)
            && self.begins_item(text, item)
        {
            self.paragraph = Paragraph::Within;
            let (fence, info) = Fence::opened_by(item)?;
            if is_task(info) {
                let reason = "a task block at the start of a list item is not read";
                self.problems.push(Problem::new(place_of(line), reason));
            }
            return Some(Hidden::Code { fence, from });
        }
        if text.starts_with('>') {
            self.paragraph = Paragraph::Within;
        } else if matches!(self.paragraph, Paragraph::None) {
            self.paragraph = Paragraph::At(line.end() - text.len());
        }
        None
    }

    /// Returns whether an item begins even though a paragraph stands directly above it.
    fn begins_item(&self, text: &str, item: &str) -> bool {
        let is_plain = matches!(self.paragraph, Paragraph::At(_));
        let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_first =
            number.len() == text.len() || text.starts_with("1.") || text.starts_with("1)");
        !is_plain || is_first && !item.is_empty()
    }

    fn heading(&mut self, start: usize, title: &str) {
        self.end_description(start);
        self.paragraph = Paragraph::None;
        self.heading = Some(title.into()).filter(|_| !title.is_empty());
    }

    /// Ends the description of the last task.
    fn end_description(&mut self, end: usize) {
        if let Some(start) = self.described_from.take()
            && let Some(task) = self.tasks.last_mut()
        {
            task.description = Description::new(self.text, start..end);
        }
    }

    /// Takes a block in that this line closes.
    fn task(&mut self, inside: &Inside<'a>, closing: &Line<'a>) {
        let place = place_of(&inside.opening);
        if let Some(next) = inside.task {
            let reason = format!(
                "unclosed block before the next one in line {}; neither is read",
                next.line
            );
            self.problems.push(Problem::new(place, reason));
            return;
        }
        let opening = &inside.opening;
        let blanks = opening.text.len() - indentation(opening.text).1.len();
        let mapping = mapping::read(
            self.text,
            inside.content.until(closing.start),
            Span::new(opening.start, opening.start + blanks),
            Key::of_block,
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
            span: Span::new(opening.start, closing.next),
            description: Description::new(self.text, closing.next..closing.next),
        });
        self.described_from = Some(closing.next);
    }

    fn finish(&mut self) {
        self.end_description(self.text.len());
        let Some(inside) = self.inside.take() else {
            return;
        };
        let place = place_of(&inside.opening);
        let hides = inside.task.map(|task| task.line);
        let reason = match (inside.what, hides) {
            (Hidden::Task(_), None) => "unclosed block; it is not read".to_owned(),
            (Hidden::Task(_), Some(line)) => {
                format!("unclosed block; it and the block of line {line} are not read")
            }
            (_, None) => return,
            (Hidden::Code { .. }, Some(line)) => {
                format!("unclosed code block; it includes the block of line {line}")
            }
            (Hidden::Comment, Some(line)) => {
                format!("unclosed comment; it includes the block of line {line}")
            }
        };
        self.problems.push(Problem::new(place, reason));
    }
}

/// Returns where the text of a line begins.
fn place_of(line: &Line<'_>) -> Place {
    // What stands before it are blanks of one byte each.
    let blanks = line.text.len() - indentation(line.text).1.len();
    Place {
        line: line.number,
        column: u32::try_from(blanks).map_or(u32::MAX, |blanks| blanks.saturating_add(1)),
    }
}
