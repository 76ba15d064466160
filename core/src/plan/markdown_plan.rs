//! Parses plans in Markdown: `## Phase N: name` and, below it, `- [ ] N.N title`.

use std::collections::BTreeMap;

use super::indentation::Ancestors;
use super::task_line::{self, PlanLine, TaskLine};
use super::{ParsedPlan, ParsedTask, PlanBuilder, UnresolvedTask, dependencies, excerpt, task_ids};
use crate::model::{NewPlanTask, PlanTaskId, PlanTaskStatus};
use crate::text::markdown::{
    CODE_INDENT, CodeFence, LineEnd, NumberedLines, ends_comment, opens_comment, parse_heading,
    split_indentation,
};

/// The heading that the current line is under.
enum CurrentSection {
    /// No heading of a phase yet.
    Before,
    /// The heading of a phase.
    Phase { level: usize, number: u32, name: Option<String> },
    /// Another heading.
    Other(String),
}

/// A block whose lines are not read.
enum HiddenBlock {
    Code(CodeFence),
    Comment,
}

/// The line at which such a block began.
struct HiddenBlockStart<'a> {
    hidden: HiddenBlock,
    line: usize,
    text: &'a str,
}

/// Parses a plan. In a plan with phases only their checkboxes are tasks, and others are lists of
/// something else; in a plan without phases every checkbox is a task.
pub fn parse_markdown(text: &str) -> ParsedPlan {
    let has_phases = split_lines(text).any(|(.., line)| is_phase(line));
    let mut reader = MarkdownPlanReader {
        plan: ParsedPlan::default(),
        builder: PlanBuilder::default(),
        section: CurrentSection::Before,
        opening: None,
        has_phases,
        ancestors: Ancestors::default(),
        title_counts: BTreeMap::new(),
    };
    for (number, start, line) in split_lines(text) {
        reader.read_line(number, start, line);
    }
    reader.finish()
}

/// Lists the lines of a plan with their numbers and the offsets at which they begin. Blanks at
/// their ends stay: they tell a box without a title from one without a space behind it.
fn split_lines(text: &str) -> impl Iterator<Item = (usize, usize, &str)> {
    NumberedLines::from_text(text, LineEnd::Any).map(|line| {
        let line_text = text.get(line.start..line.next_start).unwrap_or_default();
        let number = usize::try_from(line.number).unwrap_or(usize::MAX);
        (number, line.start, line_text.trim_end_matches(['\n', '\r']))
    })
}

struct MarkdownPlanReader<'a> {
    plan: ParsedPlan,
    builder: PlanBuilder,
    section: CurrentSection,
    opening: Option<HiddenBlockStart<'a>>,
    has_phases: bool,
    ancestors: Ancestors,
    /// How many tasks without an id have this place, parent and title.
    title_counts: BTreeMap<(String, Option<PlanTaskId>, String), usize>,
}

/// Returns whether a line is the heading of a phase, or looks like one.
fn is_phase(line: &str) -> bool {
    heading(line).is_some_and(|(level, title)| level > 1 && parse_phase_title(title).is_some())
}

impl<'a> MarkdownPlanReader<'a> {
    fn read_line(&mut self, number: usize, start: usize, line: &'a str) {
        if let Some(opening) = &self.opening {
            if opening.hidden.is_closed_by(line) {
                self.opening = None;
            }
            return;
        }
        if let Some(hidden) = HiddenBlock::opened_by(line) {
            self.opening = Some(HiddenBlockStart { hidden, line: number, text: line });
            return;
        }
        if let Some((level, title)) = heading(line) {
            self.read_heading(number, line, level, title);
            return;
        }
        let task = match task_line::parse_line(line) {
            PlanLine::Text => return,
            PlanLine::Task(task) => Ok(task),
            PlanLine::Malformed { has_id, problem } => Err((has_id, problem)),
        };
        let has_id = match &task {
            Ok(task) => task.id.is_some(),
            Err((has_id, _)) => *has_id,
        };
        let (phase_number, phase_title) = match &self.section {
            CurrentSection::Phase { number, name, .. } => (Some(*number), name.clone()),
            CurrentSection::Before if !self.has_phases => (None, None),
            CurrentSection::Other(heading) if !self.has_phases => (None, Some(heading.clone())),
            // Outside of a phase, a checkbox without an id belongs to a list of something else.
            _ if !has_id => return,
            CurrentSection::Before => {
                let reason = "before the first phase";
                return self.builder.skip_line(number, line, reason);
            }
            CurrentSection::Other(heading) => {
                let reason = format!("under {heading:?}, which is not a phase");
                return self.builder.skip_line(number, line, reason);
            }
        };
        match task {
            Ok(task) => self.read_task(number, (start, line), task, (phase_number, phase_title)),
            Err((_, problem)) => self.builder.skip_line(number, line, problem),
        }
    }

    fn read_task(
        &mut self,
        number: usize,
        (start, line): (usize, &str),
        task: TaskLine,
        (phase_number, phase_title): (Option<u32>, Option<String>),
    ) {
        if task.has_unclosed_list {
            let reason = "the list of dependencies has no closing ')'";
            self.builder.skip_line(number, line, reason);
        }
        let (depth, _) = split_indentation(line);
        let parent = self.ancestors.parent_at(depth);
        let lacks_id = task.id.is_none();
        let id = task.id.unwrap_or_else(|| {
            let place = format!("{phase_number:?} {}", phase_title.as_deref().unwrap_or(""));
            let key = (place.clone(), parent.clone(), task.title.clone());
            let alike = self.title_counts.entry(key).or_default();
            let id = task_ids::generate_id(&place, parent.as_ref(), &task.title, *alike);
            *alike += 1;
            id
        });
        self.ancestors.push_task(depth, id.clone());
        let lists = task.depends_on.iter();
        let parts = lists.flat_map(|list| dependencies::split_list(list));
        let depends_on = Some(parts.map(str::to_owned).collect());
        let status =
            if task.is_checked { PlanTaskStatus::Completed } else { PlanTaskStatus::Pending };
        let task = ParsedTask {
            line: number,
            checkbox: Some(start + task.checkbox.start..start + task.checkbox.end),
            id_insert_at: lacks_id.then(|| start + line.trim_end().len()),
            task: NewPlanTask {
                phase_number,
                phase_title,
                ..NewPlanTask::new(id, task.title, status)
            },
        };
        self.builder.add_task(UnresolvedTask { task, depends_on, parent, text: excerpt(line) });
    }

    fn read_heading(&mut self, number: usize, line: &str, level: usize, title: &str) {
        self.ancestors.forget_all();
        if level == 1 && self.plan.title.is_none() && !title.is_empty() {
            self.plan.title = Some(title.to_owned());
        }
        match parse_phase_title(title) {
            Some(Ok((number, name))) if level > 1 => {
                self.plan.phases += 1;
                // Every task of the phase has a copy of the name.
                let name = name.map(|name| excerpt(&name));
                self.section = CurrentSection::Phase { level, number, name };
            }
            Some(Err(())) if level > 1 => {
                let reason = "not a phase heading such as ## Phase 1: name";
                self.builder.skip_line(number, line, reason);
                self.section = CurrentSection::Other(excerpt(title));
            }
            // A heading of a lower level belongs to the phase.
            _ => match &self.section {
                CurrentSection::Phase { level: phase, .. } if level > *phase => {}
                CurrentSection::Before if level == 1 => {}
                _ => self.section = CurrentSection::Other(excerpt(title)),
            },
        }
    }

    fn finish(mut self) -> ParsedPlan {
        if let Some(opening) = &self.opening {
            let reason = match opening.hidden {
                HiddenBlock::Code(_) => "unclosed code block; everything below is code",
                HiddenBlock::Comment => "unclosed comment; everything below is a comment",
            };
            self.builder.skip_line(opening.line, opening.text, reason);
        }
        self.builder.finish(self.plan)
    }
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

/// Parses a line as a heading: its level and its title.
fn heading(line: &str) -> Option<(usize, &str)> {
    let (columns, text) = split_indentation(line);
    parse_heading(text).filter(|_| columns < CODE_INDENT)
}

/// Parses the number and the name of a phase. `None` if the title is not about a phase, an error if
/// it only looks like one.
pub(super) fn parse_phase_title(title: &str) -> Option<Result<(u32, Option<String>), ()>> {
    const EMPHASIS: [char; 3] = ['*', '_', '`'];
    const SEPARATORS: [char; 6] = [':', '.', ')', '-', '–', '—'];
    let title = title.trim_matches(EMPHASIS);
    let (word, rest) = title.split_at_checked("phase".len())?;
    if !word.eq_ignore_ascii_case("phase") || !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let rest = rest.trim_start().trim_start_matches(EMPHASIS);
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = rest.strip_suffix(after).unwrap_or_default();
    let name = after.trim_start_matches(EMPHASIS);
    let name = name.strip_prefix(SEPARATORS).unwrap_or(name);
    let is_separated = name.is_empty() || name.starts_with(|c: char| !c.is_ascii_digit());
    let is_separated = is_separated && !after.starts_with(char::is_alphanumeric);
    let Some(number) = number.parse().ok().filter(|_| is_separated) else {
        return Some(Err(()));
    };
    let name = name.trim().trim_start_matches(EMPHASIS).trim_start();
    let name = name.strip_prefix(['-', '–', '—']).unwrap_or(name).trim();
    Some(Ok((number, Some(name.to_owned()).filter(|n| !n.is_empty()))))
}
