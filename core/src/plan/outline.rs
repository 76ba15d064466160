//! Reads the outline of a plan in Markdown: headings, tasks, and what is written below them.
//!
//! What the formats share is here and in [`PlanDraft`]. A [`PlanGrammar`] says what is special to
//! one.

use serde_json::{Map, json};

use super::legend::Legend;
use super::line_rules::LineRules;
use super::plan_draft::{DraftTask, Heading, NOT_UNDERSTOOD, PlanDraft, Section};
use super::source_lines::{SourceLine, SourceLines};
use super::task_box::{has_box_in_table, split_bullet};
use super::task_field::WrittenDependencies;
use super::task_ids::is_id_word;
use super::task_line::{PlanLine, TaskLine, parse_line};
use super::written_id::split_bracketed_id;
use super::{ParsedPlan, dependencies};

/// What is special to a format.
pub(super) trait PlanGrammar {
    /// Returns how its checkboxes are written.
    fn line_rules(&self) -> LineRules;

    /// Reads a heading.
    fn read_heading(&mut self, draft: &mut PlanDraft, heading: Heading<'_>) {
        draft.enter_section(&heading, Section::of_heading(&heading));
    }

    /// Returns why a checkbox at the current place is no task.
    fn refuse_box(&self, _draft: &PlanDraft, _has_id: bool) -> Option<String> {
        None
    }

    /// Completes a task with what the format says in its line.
    fn complete_task(&mut self, _draft: &PlanDraft, _task: &mut DraftTask<'_>) {}

    /// Reads a line that is neither a heading nor a checkbox.
    fn read_text(&mut self, draft: &mut PlanDraft, line: SourceLine<'_>) {
        draft.read_detail(line, &|part| self.read_dependency(part));
    }

    /// Returns the id that an entry of a list of dependencies names.
    fn read_dependency(&self, part: &str) -> Option<String> {
        read_task_reference(part)
    }

    /// Returns whether the format is read as the original does: a second task with an id is
    /// skipped, and every entry of a list of dependencies is an id.
    fn is_strict(&self) -> bool {
        false
    }

    /// Completes the plan once all lines are read.
    fn finish(&mut self, _draft: &mut PlanDraft) {}
}

/// Reads a plan.
pub(super) fn read_outline(grammar: &mut dyn PlanGrammar, text: &str) -> ParsedPlan {
    let rules = grammar.line_rules();
    let mut draft = PlanDraft::new(grammar.is_strict());
    let mut lines = SourceLines::new(text);
    for line in lines.by_ref() {
        if let Some((level, title)) = line.heading() {
            draft.legend = Legend::default();
            draft.read_title(level, title);
            grammar.read_heading(&mut draft, Heading { line, level, title });
            continue;
        }
        let read = parse_line(line.text, &rules);
        if read != PlanLine::Text {
            draft.legend.read_box();
        }
        match read {
            PlanLine::Text => {
                read_text(&mut draft, grammar, line);
            }
            PlanLine::Task(task) => match refuse_box(&draft, grammar, task.id.is_some()) {
                Some(reason) => draft.skip_line(line, reason),
                None => read_box(&mut draft, grammar, line, task),
            },
            PlanLine::Malformed { has_id, problem } => {
                let refusal = refuse_box(&draft, grammar, has_id);
                draft.skip_line(line, refusal.unwrap_or_else(|| problem.to_owned()));
                // What stands below it is not of the task above it.
                draft.end_tasks_at(line.indentation());
            }
        }
    }
    grammar.finish(&mut draft);
    if let Some((line, reason)) = lines.unclosed_block() {
        draft.skip_line(line, reason);
    }
    draft.into_plan()
}

/// Reads a line without a checkbox.
fn read_text(draft: &mut PlanDraft, grammar: &mut dyn PlanGrammar, line: SourceLine<'_>) {
    draft.legend.read_text(line.text);
    let text = line.text.trim_start();
    if has_box_in_table(text) {
        draft.skip_line(line, "a checkbox in a table");
    }
    let (has_bullet, content) = split_bullet(text);
    if has_bullet && content.starts_with(char::is_whitespace) {
        // What is indented below it is not of the task above it.
        draft.ancestors.parent_at(line.indentation());
        let is_detail = draft.is_below_task(line.indentation());
        if !is_detail && split_bracketed_id(content.trim_start()).is_some() {
            draft.skip_line(line, "an id and no checkbox");
        }
    }
    grammar.read_text(draft, line);
}

/// Returns why a checkbox at the current place is no task.
fn refuse_box(draft: &PlanDraft, grammar: &dyn PlanGrammar, has_id: bool) -> Option<String> {
    if (draft.is_in_legend() || draft.legend.is_in_list()) && !has_id {
        return Some("in a legend, which explains the marks".to_owned());
    }
    grammar.refuse_box(draft, has_id)
}

/// Reads a line with a checkbox as a task.
fn read_box(
    draft: &mut PlanDraft,
    grammar: &mut dyn PlanGrammar,
    line: SourceLine<'_>,
    task: TaskLine,
) {
    if task.has_unclosed_list {
        draft.skip_line(line, "the list of dependencies has no closing ')'");
    }
    let depth = line.depth();
    if line.is_quoted() && !draft.is_last_task_quoted() {
        // A quote ends the list above it, unless it stands in one of its tasks.
        draft.ancestors.parent_at(line.indentation());
    }
    let mut extra = Map::new();
    if let Some(mark) = task.own_mark {
        extra.insert("mark".to_owned(), json!(mark.to_string()));
    }
    let dependencies = read_dependency_lists(grammar, &task.depends_on);
    if dependencies.has_prose {
        let written = task.depends_on.join(", ");
        extra.insert("depends_on".to_owned(), json!(written.trim()));
    }
    if task.is_optional {
        extra.insert("optional".to_owned(), json!(true));
    }
    let mut new_task = DraftTask {
        line,
        id: task.id,
        title: task.title,
        whole_title: task.whole_title,
        status: task.status,
        mark: Some(line.start + task.mark.start..line.start + task.mark.end),
        depends_on: dependencies.ids,
        parent: draft.ancestors.parent_at(depth),
        priority: None,
        extra,
        has_comment_id: task.has_comment_id,
    };
    grammar.complete_task(draft, &mut new_task);
    let id = draft.add_task(new_task);
    if dependencies.has_prose {
        draft.note(line.number, line.text, NOT_UNDERSTOOD);
    }
    if let Some(id) = id {
        draft.ancestors.push_task(depth, id);
        draft.open_task = draft.last_task(Some(depth));
    }
}

/// Reads the lists of dependencies in a line. In the original format every entry is an id.
fn read_dependency_lists(grammar: &dyn PlanGrammar, lists: &[String]) -> WrittenDependencies {
    if grammar.is_strict() {
        let entries = lists.iter().flat_map(|list| dependencies::split_list(list));
        // The words of `Task 1.1` come one by one.
        let entries = entries.filter(|part| !matches!(*part, "Task" | "task" | "Tasks" | "tasks"));
        let ids = entries.map(str::to_owned).collect();
        return WrittenDependencies { ids, has_prose: false };
    }
    let mut found = WrittenDependencies::default();
    for list in lists {
        let read = WrittenDependencies::parse(list, |part| grammar.read_dependency(part));
        found.ids.extend(read.ids);
        found.has_prose |= read.has_prose;
    }
    found
}

/// Returns the id in an entry such as `1.2`, `Task 3` or `T001`.
pub(super) fn read_task_reference(part: &str) -> Option<String> {
    let words = ["Task ", "task ", "Tasks ", "tasks "];
    let word = words.into_iter().find_map(|word| part.strip_prefix(word)).unwrap_or(part);
    let word = word.trim().trim_start_matches('#');
    let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_id = is_number || is_id_word(word) || dependencies::is_range(word);
    is_id.then(|| word.to_owned())
}
