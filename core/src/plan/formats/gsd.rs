//! Plans of GSD: the phases of a `ROADMAP.md` and their plans, and the tasks of a `PLAN.md`.

use std::collections::BTreeMap;

use serde_json::json;

use super::checklist::read_section;
use crate::model::{PlanTaskId, PlanTaskStatus};
use crate::plan::line_rules::LineRules;
use crate::plan::outline::{PlanGrammar, read_task_reference};
use crate::plan::plan_draft::{DraftTask, Heading, PlanDraft};
use crate::plan::source_lines::SourceLine;
use crate::plan::task_field::{FieldKind, WrittenDependencies, parse_field};
use crate::plan::task_ids::{is_id_word, split_id_comment};

#[derive(Default)]
pub(super) struct GsdGrammar {
    /// The elements that the current line is in, outermost first.
    elements: Vec<String>,
    /// The line of a `<task>` that has no name yet.
    unnamed_task: Option<(usize, usize, String)>,
    /// The plans of each phase, by the number of the phase.
    plans: BTreeMap<String, Vec<String>>,
    /// Whether the current line is below the heading of a phase.
    is_in_phase: bool,
    /// The phases whose headings were read, the current one last.
    phases: Vec<PlanTaskId>,
}

/// The most elements in each other that are followed.
const MAX_ELEMENTS: usize = 32;

/// The most dependencies of a phase that its plans share.
const MAX_PHASE_DEPENDENCIES: usize = 200;

/// Elements that say what a task is. A checkpoint has no name.
const NAMES: [&str; 3] = ["name", "what-built", "decision"];

/// Elements whose checkboxes say when a plan is done.
const CRITERIA: [&str; 3] = ["verification", "success_criteria", "verify"];

impl PlanGrammar for GsdGrammar {
    fn line_rules(&self) -> LineRules {
        LineRules { is_id: |word| is_plan_id(word) || is_id_word(word), ..LineRules::LENIENT }
    }

    fn read_heading(&mut self, draft: &mut PlanDraft, heading: Heading<'_>) {
        read_section(draft, &heading);
        let Some((number, _)) = parse_phase(heading.title) else {
            self.is_in_phase &= draft.section.is_phase && heading.level > draft.section.level;
            return;
        };
        self.is_in_phase = true;
        let phase = phase_id(number);
        self.phases.push(phase.clone());
        if draft.section.is_phase && draft.reopen_task(&phase) {
            draft.section.parent = Some(phase);
        }
    }

    fn refuse_box(&self, _draft: &PlanDraft, _has_id: bool) -> Option<String> {
        let element = self.elements.iter().find(|name| CRITERIA.contains(&name.as_str()))?;
        Some(format!("inside <{element}>, which is not a list of tasks"))
    }

    fn complete_task(&mut self, _draft: &PlanDraft, task: &mut DraftTask<'_>) {
        if let Some((number, name)) = parse_phase(&task.whole_title)
            && !task.has_comment_id
            && !name.is_empty()
        {
            (task.id, task.title) = (Some(phase_id(number)), name);
        } else if let Some(id) = &task.id
            && let Some(number) = plan_number(id.as_str())
        {
            if let Some((phase, _)) = number.split_once('-') {
                let plans = self.plans.entry(plain_number(phase)).or_default();
                if plans.len() < MAX_PHASE_DEPENDENCIES {
                    plans.push(number.to_owned());
                }
            }
            task.id = number.parse().ok();
            take_wave(task);
        }
    }

    fn finish(&mut self, draft: &mut PlanDraft) {
        self.name_plans_of_phases(draft);
    }

    fn read_text(&mut self, draft: &mut PlanDraft, line: SourceLine<'_>) {
        if self.read_element(draft, line) || self.read_all_previous(draft, line) {
            return;
        }
        draft.read_detail(line, &|part| self.read_dependency(part));
        // The plans of a phase wait for what the phase waits for.
        if self.is_in_phase
            && draft.section.is_phase
            && let Some(field) = parse_field(line.text)
            && field.kind == FieldKind::DependsOn
        {
            let found = WrittenDependencies::parse(field.value, |part| self.read_dependency(part));
            let phase = &mut draft.section.depends_on;
            phase.extend(found.ids);
            // Every task of the phase has a copy.
            phase.truncate(MAX_PHASE_DEPENDENCIES);
        }
    }

    fn read_dependency(&self, part: &str) -> Option<String> {
        if let Some(number) = plan_number(part) {
            return Some(number.to_owned());
        }
        let phase =
            ["Phase ", "Phases ", "phase "].into_iter().find_map(|word| part.strip_prefix(word));
        let number = phase.unwrap_or(part).trim().trim_end_matches(':');
        if is_phase_number(number) {
            return Some(phase_id(number).to_string());
        }
        read_task_reference(part)
    }
}

impl GsdGrammar {
    /// Makes what waits for a phase without a task wait for the plans of the phase.
    fn name_plans_of_phases(&self, draft: &mut PlanDraft) {
        let known = draft.builder.ids.clone();
        let mut without_plans = Vec::new();
        for entry in &mut draft.builder.tasks {
            let Some(parts) = entry.depends_on.take() else {
                continue;
            };
            let mut named = Vec::with_capacity(parts.len());
            for part in parts {
                let phase = part
                    .strip_prefix("phase-")
                    .filter(|_| !known.contains(&PlanTaskId::from_text(&part)));
                match phase.map(|number| self.plans.get(&plain_number(number))) {
                    None => named.push(part),
                    Some(Some(plans)) => {
                        let room = MAX_PHASE_DEPENDENCIES.saturating_sub(named.len());
                        named.extend(plans.iter().take(room).cloned());
                    }
                    Some(None) => without_plans.push((entry.task.line, entry.text.clone(), part)),
                }
            }
            entry.depends_on = Some(named);
        }
        for (line, text, phase) in without_plans {
            draft.note(line, &text, format!("{phase} has no plans to wait for"));
        }
    }

    /// Reads `Depends on: All previous phases` below the heading of a phase; returns whether the
    /// line was that.
    fn read_all_previous(&self, draft: &mut PlanDraft, line: SourceLine<'_>) -> bool {
        let field = parse_field(line.text).filter(|field| field.kind == FieldKind::DependsOn);
        let words = field.map(|field| field.value.to_lowercase()).unwrap_or_default();
        let words = words.trim_end_matches('.');
        let is_all = ["all previous phases", "all prior phases", "all earlier phases"];
        let Some((phase, before)) = self.phases.split_last().filter(|_| self.is_in_phase) else {
            return false;
        };
        if !is_all.contains(&words) || !draft.section.is_phase {
            return false;
        }
        let before = before.iter().take(MAX_PHASE_DEPENDENCIES);
        let before: Vec<String> = before.map(PlanTaskId::to_string).collect();
        draft.add_dependencies(phase.as_str(), &before, MAX_PHASE_DEPENDENCIES);
        draft.section.depends_on.extend(before);
        draft.section.depends_on.truncate(MAX_PHASE_DEPENDENCIES);
        true
    }

    /// Reads the elements of a `PLAN.md`; returns whether the line was one.
    fn read_element(&mut self, draft: &mut PlanDraft, line: SourceLine<'_>) -> bool {
        let (text, comment_id) = split_id_comment(line.text.trim());
        let Some(rest) = text.strip_prefix('<') else {
            return false;
        };
        if let Some(name) = rest.strip_prefix('/') {
            let name = name.trim_end_matches('>');
            if let Some(at) = self.elements.iter().rposition(|open| open == name) {
                self.elements.truncate(at);
            }
            if name == "task" {
                self.end_task(draft);
            }
            return true;
        }
        let Some((tag, content)) = rest.split_once('>') else {
            return false;
        };
        let name = tag.split_whitespace().next().unwrap_or_default();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || tag.ends_with('/') {
            return false;
        }
        let closing = format!("</{name}>");
        match content.trim_end().strip_suffix(closing.as_str()) {
            Some(content) if NAMES.contains(&name) && self.unnamed_task.take().is_some() => {
                add_named_task(draft, line, content.trim(), comment_id);
            }
            Some(content) if self.elements.iter().any(|open| open == "task") => {
                draft.add_field(name, content.trim());
            }
            Some(_) => {}
            None => {
                if name == "task" {
                    self.end_task(draft);
                    draft.leave_tasks();
                    self.unnamed_task = Some((line.number, line.start, line.text.to_owned()));
                }
                if self.elements.len() < MAX_ELEMENTS {
                    self.elements.push(name.to_owned());
                }
            }
        }
        true
    }

    /// Reports a task that ended without a name.
    fn end_task(&mut self, draft: &mut PlanDraft) {
        if let Some((number, start, text)) = self.unnamed_task.take() {
            let line = SourceLine { number, start, text: &text };
            draft.skip_line(line, "a task without a name");
        }
    }
}

/// Adds the task of an element such as `<name>Task 1: Title</name>`.
fn add_named_task(
    draft: &mut PlanDraft,
    line: SourceLine<'_>,
    name: &str,
    comment_id: Option<PlanTaskId>,
) {
    if name.is_empty() {
        return draft.skip_line(line, "no title");
    }
    let numbered = name.strip_prefix("Task ").and_then(|rest| {
        let (number, title) = rest.split_once([':', ' '])?;
        let id: PlanTaskId = read_task_reference(number)?.parse().ok()?;
        let title = title.trim_start_matches([' ', '-', '–', '—', ':']);
        (!title.is_empty()).then_some((id, title))
    });
    let has_comment_id = comment_id.is_some();
    let (id, title) = match numbered {
        Some((id, title)) if !has_comment_id => (Some(id), title),
        _ => (comment_id, name),
    };
    draft.add_heading_task(DraftTask {
        id,
        has_comment_id,
        ..DraftTask::of_line(line, title, name, PlanTaskStatus::Pending)
    });
}

/// Returns whether a word is the name of a plan, such as `01-02` or `02.1-03-PLAN.md`.
pub(super) fn is_plan_id(word: &str) -> bool {
    plan_number(word).is_some()
}

/// Returns the number in the name of a plan.
fn plan_number(word: &str) -> Option<&str> {
    let name = word.strip_suffix(".md").unwrap_or(word);
    let number = name.strip_suffix("-PLAN").unwrap_or(name);
    let (phase, plan) = number.split_once('-')?;
    let is_plan = plan.len() == 2 && plan.bytes().all(|byte| byte.is_ascii_digit());
    (is_plan && phase.len() >= 2 && is_phase_number(phase)).then_some(number)
}

/// Returns the number of a phase as it is without zeros before it.
fn plain_number(phase: &str) -> String {
    let number = phase.trim_start_matches('0');
    if number.is_empty() || number.starts_with('.') {
        format!("0{number}")
    } else {
        number.to_owned()
    }
}

/// Moves a wave such as `(Wave 2)` from the title to where it is kept.
fn take_wave(task: &mut DraftTask<'_>) {
    let found = ["(Wave ", "(wave "].into_iter().find_map(|word| {
        let (before, rest) = task.title.split_once(word)?;
        let (number, after) = rest.split_once(')')?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty();
        let after = after.trim_start_matches([' ', '-', '–', '—', ':']);
        let title = format!("{before}{after}");
        (is_number && !title.trim().is_empty()).then(|| (number.to_owned(), title))
    });
    if let Some((number, title)) = found {
        task.extra.insert("wave".to_owned(), json!(number));
        title.trim().clone_into(&mut task.title);
    }
}

/// Returns whether a word is the number of a phase, such as `2` or `2.1`.
fn is_phase_number(word: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = word.split('.');
    parts.next().is_some_and(is_number)
        && parts.next().is_none_or(is_number)
        && parts.next().is_none()
}

/// Returns the id of the task that is a whole phase.
fn phase_id(number: &str) -> PlanTaskId {
    PlanTaskId::from_text(&format!("phase-{number}"))
}

/// Parses a title such as `**Phase 2.1: Name** - what it is`: its number, and the rest without the
/// emphasis.
pub(super) fn parse_phase(title: &str) -> Option<(&str, String)> {
    let bare = title.trim_start_matches(['*', '_', '`']);
    let emphasis = title.strip_suffix(bare)?;
    let rest = bare.strip_prefix("Phase ")?;
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = rest.strip_suffix(after)?.trim_end_matches('.');
    if !is_phase_number(number) || after.starts_with(char::is_alphanumeric) {
        return None;
    }
    let name = after.trim_start_matches([':', '-', '–', '—', ' ', '*', '_']);
    let name = match name.split_once(emphasis) {
        Some((before, after)) if !emphasis.is_empty() && after.len() < name.len() => {
            format!("{before}{after}")
        }
        _ => name.to_owned(),
    };
    Some((number, name.trim().to_owned()))
}

/// Returns whether a line is one of the elements that hold a task.
pub(super) fn is_task_element(line: &str) -> bool {
    let rest = line.trim_start().strip_prefix("<task");
    rest.is_some_and(|rest| rest.starts_with([' ', '>']) && rest.trim_end().ends_with('>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_phases_and_plans() {
        for (word, number) in [
            ("01-01", Some("01-01")),
            ("02.1-03", Some("02.1-03")),
            ("01-02-PLAN.md", Some("01-02")),
            ("01-02-PLAN", Some("01-02")),
            ("1-2", None),
            ("2026-01", Some("2026-01")),
            ("01-02-03", None),
            ("a-01", None),
        ] {
            assert_eq!(plan_number(word), number, "{word}");
        }
        for (title, expected) in [
            ("**Phase 1: Base** - all of it", Some(("1", "Base - all of it"))),
            ("**Phase 2.1: Base**", Some(("2.1", "Base"))),
            ("Phase 3 - Base", Some(("3", "Base"))),
            ("**Phase 4:** Base", Some(("4", "Base"))),
            ("Phase One", None),
            ("Phase 1a: x", None),
        ] {
            let read = parse_phase(title);
            let read = read.as_ref().map(|(number, name)| (*number, name.as_str()));
            assert_eq!(read, expected, "{title}");
        }
    }
}
