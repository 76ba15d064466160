//! The plan that is being read: the section that the lines are in, and the tasks so far.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value};

use super::indentation::Ancestors;
use super::legend::Legend;
use super::source_lines::SourceLine;
use super::task_ids;
use super::{
    ParsedPlan, ParsedTask, PlanBuilder, SkippedLine, UnresolvedTask, dependencies, excerpt,
};
use crate::model::{NewPlanTask, PlanTaskId, PlanTaskStatus};

/// What is said of a list of dependencies with prose in it.
pub(super) const NOT_UNDERSTOOD: &str = "not every dependency is understood; its words are kept";

/// A heading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heading<'a> {
    pub(super) line: SourceLine<'a>,
    pub(super) level: usize,
    pub(super) title: &'a str,
}

/// The part of a plan that the current line is in.
#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    /// The level of its heading; 0 before the first one.
    pub(super) level: usize,
    /// Whether its heading is that of a phase.
    pub(super) is_phase: bool,
    /// The number of the phase.
    pub(super) number: Option<u32>,
    /// The title of the phase or of the other heading.
    pub(super) title: Option<String>,
    /// The priority of all of its tasks.
    pub(super) priority: Option<String>,
    /// What all of its tasks depend on.
    pub(super) depends_on: Vec<String>,
    /// The task that all of its tasks are children of.
    pub(super) parent: Option<PlanTaskId>,
}

impl Section {
    /// Makes the section of a heading that is not about a phase.
    pub(super) fn of_heading(heading: &Heading<'_>) -> Self {
        // Every task of the section has a copy of the title.
        Self { level: heading.level, title: Some(excerpt(heading.title)), ..Self::default() }
    }

    /// Makes the section of a numbered phase.
    pub(super) fn of_phase(level: usize, number: Option<u32>, title: Option<&str>) -> Self {
        let title = title.map(excerpt).filter(|title| !title.is_empty());
        Self { level, is_phase: true, number, title, ..Self::default() }
    }
}

/// A task that is being read.
#[derive(Debug)]
pub(super) struct DraftTask<'a> {
    pub(super) line: SourceLine<'a>,
    pub(super) id: Option<PlanTaskId>,
    pub(super) title: String,
    /// The title with the id as it is written.
    pub(super) whole_title: String,
    pub(super) status: PlanTaskStatus,
    /// The byte range of its mark in the file.
    pub(super) mark: Option<Range<usize>>,
    /// The entries of its lists of dependencies.
    pub(super) depends_on: Vec<String>,
    pub(super) parent: Option<PlanTaskId>,
    pub(super) priority: Option<String>,
    pub(super) extra: Map<String, Value>,
    /// Whether a comment at the end of its line names its id.
    pub(super) has_comment_id: bool,
}

impl<'a> DraftTask<'a> {
    /// Makes the task of a line without a checkbox.
    pub(super) fn of_line(
        line: SourceLine<'a>,
        title: &str,
        whole_title: &str,
        status: PlanTaskStatus,
    ) -> Self {
        Self {
            line,
            id: None,
            title: title.to_owned(),
            whole_title: whole_title.to_owned(),
            status,
            mark: None,
            depends_on: Vec::new(),
            parent: None,
            priority: None,
            extra: Map::new(),
            has_comment_id: false,
        }
    }
}

/// The plan that is being read.
#[derive(Debug, Default)]
pub(super) struct PlanDraft {
    pub(super) plan: ParsedPlan,
    pub(super) builder: PlanBuilder,
    pub(super) section: Section,
    pub(super) ancestors: Ancestors,
    /// Where each task is in the list of the builder.
    places: BTreeMap<PlanTaskId, usize>,
    /// How many tasks without an id have this place, parent and title.
    title_counts: BTreeMap<(String, Option<PlanTaskId>, String), usize>,
    /// The task that lines below it belong to.
    pub(super) open_task: Option<OpenTask>,
    is_strict: bool,
    /// Whether the lines are a list that explains the marks.
    pub(super) legend: Legend,
}

/// A task that the next lines may say more of.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenTask {
    pub(super) index: usize,
    /// The column at which its bullet stands; `None` for a task that is a heading.
    pub(super) column: Option<usize>,
    /// The last line of its title.
    pub(super) last_line: usize,
}

impl PlanDraft {
    pub(super) fn new(is_strict: bool) -> Self {
        Self { is_strict, ..Self::default() }
    }

    /// Resolves the dependencies and completes the plan.
    pub(super) fn into_plan(self) -> ParsedPlan {
        self.builder.finish(self.plan)
    }

    /// Takes the first heading of level 1 as the title of the plan.
    pub(super) fn read_title(&mut self, level: usize, title: &str) {
        if level == 1 && self.plan.title.is_none() && !title.is_empty() {
            self.plan.title = Some(title.to_owned());
        }
    }

    /// Returns whether the current section explains the marks.
    pub(super) fn is_in_legend(&self) -> bool {
        let title = self.section.title.as_deref().unwrap_or_default().to_lowercase();
        ["legend", "notation"].iter().any(|word| title.ends_with(word))
    }

    /// Begins a section. What stands below it is nobody's child.
    pub(super) fn enter_section(&mut self, heading: &Heading<'_>, section: Section) {
        self.leave_tasks();
        // The title of the plan is no section of its own.
        if section.is_phase || heading.level > 1 || self.section.level > 0 {
            self.section = section;
        }
    }

    /// Ends the tasks that lines below may belong to.
    pub(super) fn leave_tasks(&mut self) {
        self.ancestors.forget_all();
        self.open_task = None;
    }

    /// Ends the tasks that are indented as far or farther.
    pub(super) fn end_tasks_at(&mut self, column: usize) {
        self.ancestors.parent_at(column);
        if !self.is_below_task(column) {
            self.open_task = None;
        }
    }

    /// Returns whether a line that is indented by so many columns is of the open task.
    pub(super) fn is_below_task(&self, column: usize) -> bool {
        let open = self.open_task.and_then(|open| open.column);
        open.is_some_and(|of_task| column > of_task)
    }

    pub(super) fn skip_line(&mut self, line: SourceLine<'_>, reason: impl Into<String>) {
        self.builder.skip_line(line.number, line.text, reason);
    }

    /// Reports something about a task that is imported.
    pub(super) fn note(&mut self, line: usize, text: &str, reason: impl Into<String>) {
        self.builder.skipped.push(SkippedLine::ignored_dependency(line, text, reason));
    }

    /// Makes a task, or each one of a range, wait for others. Returns how many entries their lists
    /// have more; no more than `most`.
    pub(super) fn add_dependencies(&mut self, id: &str, others: &[String], most: usize) -> usize {
        let (from, to) = dependencies::split_range(id).unwrap_or((id, id));
        let (from, to) = (PlanTaskId::from_text(from), PlanTaskId::from_text(to));
        let mut added = 0;
        let places = self.places.range(from.clone()..=to.max(from));
        for (_, index) in places.take(most / others.len().max(1)) {
            if let Some(entry) = self.builder.tasks.get_mut(*index) {
                entry.depends_on.get_or_insert_default().extend(others.iter().cloned());
                added += others.len();
            }
        }
        added
    }

    /// Returns whether a task with this id was read.
    pub(super) fn has_task(&self, id: &PlanTaskId) -> bool {
        self.builder.ids.contains(id)
    }

    /// Makes lines below belong to a task that was read before; returns whether there is one.
    pub(super) fn reopen_task(&mut self, id: &PlanTaskId) -> bool {
        let index = self.places.get(id).copied();
        self.open_task = index.map(|index| OpenTask { index, column: None, last_line: 0 });
        index.is_some()
    }

    pub(super) fn is_last_task_quoted(&self) -> bool {
        self.builder.tasks.last().is_some_and(|entry| entry.text.starts_with('>'))
    }

    pub(super) fn last_task(&self, column: Option<usize>) -> Option<OpenTask> {
        let index = self.builder.tasks.len().checked_sub(1)?;
        let last_line = self.builder.tasks.last()?.task.line;
        Some(OpenTask { index, column, last_line })
    }

    /// Adds a task that is a heading or another line without a bullet: lines below belong to it up
    /// to the next heading.
    pub(super) fn add_heading_task(&mut self, task: DraftTask<'_>) -> Option<PlanTaskId> {
        self.leave_tasks();
        let id = self.add_task(task)?;
        self.open_task = self.last_task(None);
        Some(id)
    }

    /// Adds a task, with an id if it has none. Returns the id.
    pub(super) fn add_task(&mut self, mut task: DraftTask<'_>) -> Option<PlanTaskId> {
        let Section { number, title, .. } = &self.section;
        let (number, phase_title) = (*number, title.clone());
        let taken = task.id.take_if(|id| !self.is_strict && self.builder.ids.contains(id));
        if taken.is_some() {
            task.title.clone_from(&task.whole_title);
        }
        let (lacks_id, has_comment_id) = (task.id.is_none(), task.has_comment_id);
        let parent = task.parent.or_else(|| self.section.parent.clone());
        let id = task.id.unwrap_or_else(|| {
            let place = format!("{number:?} {}", phase_title.as_deref().unwrap_or(""));
            let key = (place.clone(), parent.clone(), task.title.clone());
            let alike = self.title_counts.entry(key).or_default();
            loop {
                let id = task_ids::generate_id(&place, parent.as_ref(), &task.title, *alike);
                *alike += 1;
                if self.is_strict || !self.builder.ids.contains(&id) {
                    return id;
                }
            }
        });
        task.depends_on.extend(self.section.depends_on.iter().cloned());
        let line = task.line;
        let parsed = ParsedTask {
            line: line.number,
            checkbox: task.mark,
            id_insert_at: (lacks_id && !has_comment_id).then(|| line.text_end()),
            task: NewPlanTask {
                phase_number: number,
                phase_title,
                priority: task.priority.or_else(|| self.section.priority.clone()),
                extra: task.extra,
                ..NewPlanTask::new(id.clone(), task.title, task.status)
            },
        };
        let count = self.builder.tasks.len();
        self.builder.add_task(UnresolvedTask {
            task: parsed,
            depends_on: Some(task.depends_on),
            parent,
            text: excerpt(line.text),
        });
        if let Some(taken) = taken {
            let way =
                if has_comment_id { "; remove its comment to give it one of its own" } else { "" };
            let reason = format!("the id {taken} is taken; this task is {id}{way}");
            self.note(line.number, line.text, reason);
        }
        let is_added = self.builder.tasks.len() > count;
        if is_added {
            self.places.insert(id.clone(), count);
        }
        (is_added || self.is_strict).then_some(id)
    }

    /// Sets the status of tasks that have no mark of their own and whose children are all finished.
    pub(super) fn complete_parents_without_mark(&mut self) {
        let mut open: BTreeMap<PlanTaskId, bool> = BTreeMap::new();
        for entry in &self.builder.tasks {
            if let Some(parent) = &entry.parent {
                let is_open = !entry.task.task.status.is_finished();
                *open.entry(parent.clone()).or_default() |= is_open;
            }
        }
        for entry in &mut self.builder.tasks {
            let is_unmarked = entry.task.checkbox.is_none();
            let task = &mut entry.task.task;
            let is_pending = task.status == PlanTaskStatus::Pending;
            if is_unmarked && is_pending && open.get(&task.id) == Some(&false) {
                task.status = PlanTaskStatus::Completed;
            }
        }
    }
}
