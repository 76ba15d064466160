//! The `tasks.md` of spec-kit: `- [ ] T001 [P] [US1] Title`.

use serde_json::json;

use super::checklist::read_section;
use super::trueup::parse_phase_title;
use crate::plan::dependencies;
use crate::plan::excerpt;
use crate::plan::line_rules::LineRules;
use crate::plan::outline::{PlanGrammar, read_task_reference};
use crate::plan::plan_draft::{DraftTask, Heading, PlanDraft};
use crate::plan::source_lines::{SourceLine, SourceLines};
use crate::plan::task_field::WrittenDependencies;

pub(super) struct SpecKitGrammar {
    has_phases: bool,
    /// What is said of the order of tasks, which may stand above or below them.
    orders: Vec<Vec<Vec<String>>>,
}

impl SpecKitGrammar {
    pub(super) fn new(text: &str) -> Self {
        let headings = SourceLines::new(text).filter_map(SourceLine::heading);
        let mut phases = headings.filter(|(_, title)| parse_phase_title(title).is_some());
        Self { has_phases: phases.next().is_some(), orders: Vec::new() }
    }
}

/// Returns whether a word is an id such as `T001`, `T-001` or `T012a`.
pub(super) fn is_spec_kit_id(word: &str) -> bool {
    let number = word.strip_prefix('T').map(|rest| rest.strip_prefix('-').unwrap_or(rest));
    let Some(number) = number else {
        return false;
    };
    let rest = number.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_end = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    number.len() >= rest.len() + 2 && rest.len() <= 4 && rest.chars().all(is_end)
}

impl PlanGrammar for SpecKitGrammar {
    fn line_rules(&self) -> LineRules {
        LineRules { is_id: is_spec_kit_id, ..LineRules::LENIENT }
    }

    fn read_heading(&mut self, draft: &mut PlanDraft, heading: Heading<'_>) {
        read_section(draft, &heading);
        if draft.section.is_phase && draft.section.level == heading.level {
            draft.section.priority = heading_priority(heading.title).map(excerpt);
        }
    }

    fn refuse_box(&self, draft: &PlanDraft, has_id: bool) -> Option<String> {
        if has_id || !self.has_phases || draft.section.is_phase {
            return None;
        }
        Some("no id such as T001, and not in a phase".to_owned())
    }

    fn complete_task(&mut self, _draft: &PlanDraft, task: &mut DraftTask<'_>) {
        if let Some((title, ids)) = split_last_sentence(&task.title) {
            task.depends_on.extend(ids);
            task.title = title.to_owned();
        }
        let mut title = task.title.as_str();
        let mut tags = Vec::new();
        while let Some((tag, rest)) = split_tag(title) {
            match tag {
                "P" => drop(task.extra.insert("parallel".to_owned(), json!(true))),
                other => tags.push(other),
            }
            title = rest;
        }
        if !tags.is_empty() {
            task.extra.insert("tags".to_owned(), json!(tags));
        }
        task.title = title.to_owned();
    }

    fn read_text(&mut self, draft: &mut PlanDraft, line: SourceLine<'_>) {
        match parse_order(line.text) {
            Some(order) if !draft.section.is_phase => self.orders.push(order),
            _ => draft.read_detail(line, &read_task_reference),
        }
    }

    fn finish(&mut self, draft: &mut PlanDraft) {
        let mut left = dependencies::MAX_PER_PLAN;
        for order in &self.orders {
            for (earlier, later) in order.iter().zip(order.iter().skip(1)) {
                for id in later {
                    left -= draft.add_dependencies(id, earlier, left);
                }
            }
        }
    }
}

/// Parses a line such as `- T001, T002 → T003`: groups of tasks, each of which waits for the one
/// before.
fn parse_order(line: &str) -> Option<Vec<Vec<String>>> {
    let text = line.trim().trim_start_matches(['-', '*', '+', ' ']).replace("->", "→");
    let text = text.replace(" before ", "→").replace(" blocks ", "→");
    let groups = text.split('→').map(|group| {
        let found = WrittenDependencies::parse(group, |part| {
            let first = part.split(['-', '–']).next().unwrap_or_default();
            is_spec_kit_id(first).then(|| part.to_owned())
        });
        (!found.has_prose && !found.ids.is_empty()).then_some(found.ids)
    });
    let groups: Option<Vec<_>> = groups.collect();
    groups.filter(|groups| groups.len() > 1)
}

/// Splits a sentence such as `Depends on: T001.` off the end of a title.
fn split_last_sentence(title: &str) -> Option<(&str, Vec<String>)> {
    let words = ["Depends on", "depends on", "Depends:", "depends:", "Dependencies:"];
    let found = words.iter().find_map(|word| title.rsplit_once(word));
    let (before, list) = found?;
    let list = list.trim_start_matches(':');
    let read = WrittenDependencies::parse(list, |part| {
        let first = part.split(['-', '–']).next().unwrap_or_default();
        is_spec_kit_id(first).then(|| part.to_owned())
    });
    let before = before.trim_end().trim_end_matches([',', ';', '-', '–', '—', '|', '*']).trim_end();
    (!read.has_prose && !read.ids.is_empty() && !before.is_empty()).then_some((before, read.ids))
}

/// Splits a tag such as `[P]` off a title, unless it is a link or all there is.
fn split_tag(title: &str) -> Option<(&str, &str)> {
    let (tag, rest) = title.strip_prefix('[')?.split_once(']')?;
    let is_tag = !tag.is_empty() && tag.len() <= 20 && rest.starts_with(char::is_whitespace);
    let rest = rest.trim_start();
    (is_tag && !rest.is_empty()).then_some((tag, rest))
}

/// Returns the priority in a heading such as `Phase 3: User Story 1 (Priority: P1)`.
fn heading_priority(title: &str) -> Option<&str> {
    let (_, rest) = title.split_once("(Priority:")?;
    let (priority, _) = rest.split_once(')')?;
    Some(priority.trim()).filter(|priority| !priority.is_empty())
}
