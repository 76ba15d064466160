//! Checklists: every checkbox below any heading is a task.

use super::trueup::parse_phase_title;
use crate::plan::line_rules::LineRules;
use crate::plan::outline::PlanGrammar;
use crate::plan::plan_draft::{DraftTask, Heading, PlanDraft, Section};
use crate::plan::source_lines::SourceLines;
use crate::plan::status_mark::begins_with_box;
use crate::plan::task_box::{has_emphasized_boxes, split_bullet};
use crate::plan::task_line::{PlanLine, has_unique_numbers, parse_line};

pub(super) struct ChecklistGrammar {
    /// Whether boxes in emphasis are read.
    has_emphasis: bool,
    /// Whether the file has symbols in place of boxes. Next to boxes they are ornaments.
    has_symbols: bool,
    /// Whether the number of `1. Title` is an id.
    has_number_ids: bool,
}

impl ChecklistGrammar {
    pub(super) fn new(text: &str) -> Self {
        let has_symbols = has_only_symbols(text);
        let has_emphasis = has_emphasized_boxes(text);
        let rules = LineRules { has_emphasis, has_symbols, ..LineRules::LENIENT };
        Self { has_emphasis, has_symbols, has_number_ids: has_unique_numbers(text, &rules) }
    }
}

/// Returns whether a file has symbols that look like boxes, and no boxes.
fn has_only_symbols(text: &str) -> bool {
    let mut has_symbols = false;
    for line in SourceLines::new(text) {
        if parse_line(line.text, &LineRules::LENIENT) != PlanLine::Text {
            return false;
        }
        let (_, content) = split_bullet(line.text.trim_start());
        has_symbols |= begins_with_box(content.trim_start());
    }
    has_symbols
}

impl PlanGrammar for ChecklistGrammar {
    fn line_rules(&self) -> LineRules {
        LineRules {
            has_emphasis: self.has_emphasis,
            has_symbols: self.has_symbols,
            has_number_ids: self.has_number_ids,
            ..LineRules::LENIENT
        }
    }

    fn read_heading(&mut self, draft: &mut PlanDraft, heading: Heading<'_>) {
        read_section(draft, &heading);
    }

    fn complete_task(&mut self, _draft: &PlanDraft, task: &mut DraftTask<'_>) {
        // The tag stays in the title, from which the id is made.
        task.priority = priority_tag(&task.title).map(str::to_owned);
    }
}

/// Returns the priority in a tag such as `[P1]` at the beginning of a title.
fn priority_tag(title: &str) -> Option<&str> {
    let (tag, _) = title.strip_prefix('[')?.split_once(']')?;
    let number = tag.strip_prefix('P')?;
    matches!(number, "0" | "1" | "2" | "3" | "4").then_some(tag)
}

/// Reads a heading as that of a phase or of a part of the plan. One of a lower level belongs to its
/// phase.
pub(super) fn read_section(draft: &mut PlanDraft, heading: &Heading<'_>) {
    let level = heading.level;
    match parse_phase_title(heading.title).filter(|_| level > 1) {
        Some(Ok((number, name))) => {
            draft.plan.phases += 1;
            let section = Section::of_phase(level, Some(number), name.as_deref());
            draft.enter_section(heading, section);
        }
        // The number of `Phase 2.1` is no whole one, so the heading is the name.
        Some(Err(())) => {
            draft.plan.phases += 1;
            draft.enter_section(heading, Section::of_phase(level, None, Some(heading.title)));
        }
        None if draft.section.is_phase && level > draft.section.level => draft.leave_tasks(),
        None => draft.enter_section(heading, Section::of_heading(heading)),
    }
}
