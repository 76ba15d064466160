//! Plans whose tasks are headings: `### Task 1.1: Title`, with or without a status.

use std::collections::BTreeSet;

use super::checklist::read_section;
use super::task_heading::{TaskHeading, headings_with_status};
use crate::plan::line_rules::LineRules;
use crate::plan::outline::PlanGrammar;
use crate::plan::plan_draft::{DraftTask, Heading, PlanDraft, Section};
use crate::plan::source_lines::SourceLine;
use crate::plan::task_box::has_emphasized_boxes;

/// Checkboxes below a task are its subtasks, and those below other headings tasks of their own.
pub(super) struct TaskHeadingGrammar {
    /// The sections that the current line is in, outermost first.
    sections: Vec<Section>,
    /// The lines of headings that are tasks because they have a status.
    with_status: BTreeSet<usize>,
    /// Whether boxes in emphasis are read.
    has_emphasis: bool,
}

impl TaskHeadingGrammar {
    pub(super) fn new(text: &str) -> Self {
        Self {
            sections: Vec::new(),
            with_status: headings_with_status(text).collect(),
            has_emphasis: has_emphasized_boxes(text),
        }
    }
}

impl PlanGrammar for TaskHeadingGrammar {
    fn line_rules(&self) -> LineRules {
        LineRules { has_emphasis: self.has_emphasis, ..LineRules::LENIENT }
    }

    fn read_heading(&mut self, draft: &mut PlanDraft, heading: Heading<'_>) {
        self.sections.retain(|section| section.level < heading.level);
        draft.section = self.sections.last().cloned().unwrap_or_default();
        let has_status = self.with_status.contains(&heading.line.number);
        let parse = if has_status { TaskHeading::parse_numbered } else { TaskHeading::parse };
        let found = parse(heading.title);
        let Some(found) = found else {
            if draft.section.parent.is_some() {
                // A part of the task.
                draft.leave_tasks();
                return;
            }
            read_section(draft, &heading);
            self.sections.push(Section { level: heading.level, ..draft.section.clone() });
            return;
        };
        let offset = heading.line.text.find(heading.title).unwrap_or(0) + heading.line.start;
        let mark = found.mark.map(|mark| mark.start + offset..mark.end + offset);
        let id = draft.add_heading_task(DraftTask {
            id: found.id,
            mark,
            has_comment_id: found.has_comment_id,
            ..DraftTask::of_line(heading.line, &found.title, &found.title, found.status)
        });
        draft.section.parent = id;
        draft.section.level = heading.level;
        self.sections.push(draft.section.clone());
    }

    fn read_text(&mut self, draft: &mut PlanDraft, line: SourceLine<'_>) {
        let is_behind_list = draft
            .open_task
            .is_some_and(|open| open.column.is_some_and(|column| line.indentation() <= column));
        if is_behind_list
            && !line.text.trim().is_empty()
            && let Some(task) = draft.section.parent.clone()
        {
            draft.reopen_task(&task);
        }
        draft.read_detail(line, &|part| self.read_dependency(part));
    }

    fn finish(&mut self, draft: &mut PlanDraft) {
        draft.complete_parents_without_mark();
    }
}
