//! Resolves what tasks depend on: lists of ids and ranges, checked against the plan.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;

use super::{PlanBuilder, SkippedLine, UnresolvedTask};
use crate::model::{PlanTaskId, visit_cycles};

/// The most dependencies of one task.
const MAX_PER_TASK: usize = 200;

/// The most dependencies of all tasks of a plan: ranges make many of a short text.
pub(super) const MAX_PER_PLAN: usize = 200_000;

/// The most entries in the lists of one task; each may be a range.
const MAX_LIST_ENTRIES: usize = 1_000;

/// Splits a list such as `1.1, 1.2` or `1.1-1.3, 2.1` into its entries.
pub(super) fn split_list(list: &str) -> Vec<&str> {
    let parts = list.split([',', ';', '&', '，', '、', '；']).map(str::trim);
    parts
        .flat_map(|part| {
            let words = part.split_whitespace();
            match split_range(part) {
                Some(_) => vec![part],
                None => words.collect(),
            }
        })
        .filter(|part| !part.is_empty() && !matches!(*part, "and" | "none" | "-" | "—"))
        .collect()
}

/// Returns whether an entry is a range.
pub(super) fn is_range(part: &str) -> bool {
    split_range(part).is_some()
}

/// Splits a range into its two ends. Both must be numbers with dots, or numbers behind the same
/// letters as in `T001-T004`, since a dash may be part of an id.
pub(super) fn split_range(part: &str) -> Option<(&str, &str)> {
    let split = |mark| part.split_once(mark);
    let (from, to) = ["..", "-", "–", "—"].into_iter().find_map(split)?;
    let is_number = |end: &&str| {
        strip_emphasis(end).contains('.')
            && strip_emphasis(end)
                .parse::<PlanTaskId>()
                .is_ok_and(|id| id.numeric_parts().is_some())
    };
    let label = |end: &str| {
        let letters = strip_emphasis(end).trim_end_matches(|c: char| c.is_ascii_digit());
        let is_label = !letters.is_empty() && letters.chars().all(|c| c.is_ascii_uppercase());
        let has_number = letters.len() < strip_emphasis(end).len();
        (is_label && has_number).then(|| letters.to_owned())
    };
    let (from, to) = (from.trim(), to.trim());
    let is_labelled = label(from).is_some() && label(from) == label(to);
    (is_labelled || is_number(&from) && is_number(&to)).then_some((from, to))
}

/// Removes the emphasis around an entry.
fn strip_emphasis(text: &str) -> &str {
    text.trim_matches(['*', '`', '_'])
}

/// Resolves the lists of every task, once all tasks are known. Every entry that cannot be resolved
/// is reported among the skipped lines.
pub(super) fn resolve_dependencies(plan: &mut PlanBuilder) {
    let PlanBuilder { tasks, ids, skipped } = plan;
    let known = KnownTasks::new(ids);
    let mut remaining = MAX_PER_PLAN;
    for entry in tasks.iter_mut() {
        let Some(parts) = &entry.depends_on else {
            continue;
        };
        let most = MAX_PER_TASK.min(remaining);
        let line = entry.task.line;
        let mut resolved = known.resolve_list(parts, &entry.task.task.id, most, |problem| {
            skipped.push(match problem {
                DependencyProblem::Itself(reason) => SkippedLine::new(line, &entry.text, reason),
                DependencyProblem::Unknown(_, reason) => {
                    SkippedLine::error(line, &entry.text, reason)
                }
            });
        });
        if parts.len() > MAX_LIST_ENTRIES {
            let more = parts.len() - MAX_LIST_ENTRIES;
            let reason = format!("more than {MAX_LIST_ENTRIES} entries; {more} are ignored");
            skipped.push(SkippedLine::new(line, &entry.text, reason));
        }
        if resolved.len() > most {
            skipped.push(SkippedLine::new(line, &entry.text, describe_exceeded_limit(most)));
            resolved.truncate(most);
        }
        remaining -= resolved.len();
        entry.task.task.depends_on = Some(resolved);
    }
    add_child_dependencies(tasks);
    break_cycles(tasks, skipped);
}

/// The tasks of a plan, by which lists are resolved.
struct KnownTasks<'a> {
    ids: &'a BTreeSet<PlanTaskId>,
    /// One set for each depth, so that the ids in a range are a contiguous part of a set.
    ids_by_depth: BTreeMap<usize, BTreeSet<&'a PlanTaskId>>,
}

impl<'a> KnownTasks<'a> {
    fn new(ids: &'a BTreeSet<PlanTaskId>) -> Self {
        let mut ids_by_depth: BTreeMap<usize, BTreeSet<&PlanTaskId>> = BTreeMap::new();
        for id in ids {
            ids_by_depth.entry(depth_of(id)).or_default().insert(id);
        }
        Self { ids, ids_by_depth }
    }

    /// Resolves the list of one task to ids without repetition. Stops expanding ranges once there
    /// are more than `most`.
    fn resolve_list(
        &self,
        parts: &[String],
        own_id: &PlanTaskId,
        most: usize,
        mut report: impl FnMut(&DependencyProblem),
    ) -> Vec<PlanTaskId> {
        let mut resolved = Vec::new();
        // A hash set: comparing ids takes long, and there are many.
        let mut seen = HashSet::new();
        for part in parts.iter().take(MAX_LIST_ENTRIES) {
            match parse_dependency(part, own_id, self.ids) {
                Ok((from, to)) if from == to => {
                    if seen.insert(from.clone()) {
                        resolved.push(from);
                    }
                }
                // The limit is reached, so long ranges are not expanded.
                Ok(_) if resolved.len() > most => {}
                Ok((from, to)) => {
                    let others = self.ids_in_range(&from, &to).filter(|id| *id != own_id);
                    let others = others.take(most + 1);
                    resolved.extend(others.filter(|id| seen.insert((*id).clone())).cloned());
                }
                Err(problem) => {
                    report(&problem);
                    // The task waits for the placeholder, so it does not start without the missing task.
                    if let DependencyProblem::Unknown(id, _) = problem
                        && seen.insert(id.clone())
                    {
                        resolved.push(id);
                    }
                }
            }
        }
        resolved
    }

    /// Lists the tasks from one to another of the same depth.
    fn ids_in_range(
        &self,
        from: &PlanTaskId,
        to: &PlanTaskId,
    ) -> impl Iterator<Item = &PlanTaskId> {
        let same_depth = self.ids_by_depth.get(&depth_of(from)).into_iter();
        let ends = (Bound::Included(from), Bound::Included(to));
        same_depth.flat_map(move |ids| ids.range::<PlanTaskId, _>(ends).copied())
    }
}

/// Counts the numbers of an id.
fn depth_of(id: &PlanTaskId) -> usize {
    id.numeric_parts().map_or(0, |numbers| numbers.len())
}

/// Says which limit a task exceeded, of which the first `most` dependencies are used.
fn describe_exceeded_limit(most: usize) -> String {
    if most == MAX_PER_TASK {
        format!("more than {MAX_PER_TASK} dependencies; only the first {MAX_PER_TASK} are used")
    } else {
        format!("more than {MAX_PER_PLAN} dependencies in a plan; only {most} of these are used")
    }
}

/// Makes every task depend on its children, except on those that depend on it: an explicit
/// dependency counts more than indentation.
fn add_child_dependencies(tasks: &mut [UnresolvedTask]) {
    let mut children: BTreeMap<PlanTaskId, Vec<PlanTaskId>> = BTreeMap::new();
    for entry in tasks.iter() {
        let waits_for = entry.task.task.depends_on.iter().flatten();
        let Some(parent) = &entry.parent else {
            continue;
        };
        if waits_for.clone().all(|id| id != parent) {
            let child = entry.task.task.id.clone();
            children.entry(parent.clone()).or_default().push(child);
        }
    }
    for entry in tasks {
        let task = &mut entry.task.task;
        let Some(children) = children.remove(&task.id) else {
            // `None` stays `None`: no list is not an empty list.
            continue;
        };
        let waits_for = task.depends_on.get_or_insert_default();
        for child in children {
            if child != task.id && !waits_for.contains(&child) {
                waits_for.push(child);
            }
        }
    }
}

/// Removes the dependencies that close a cycle.
fn break_cycles(tasks: &mut [UnresolvedTask], skipped: &mut Vec<SkippedLine>) {
    let dependencies = tasks.iter().map(|entry| {
        let task = &entry.task.task;
        (&task.id, task.depends_on.as_deref().unwrap_or_default())
    });
    let mut left_out: BTreeMap<usize, BTreeSet<PlanTaskId>> = BTreeMap::new();
    let mut more = 0_usize;
    for ClosingDependency { from, to, circle } in find_cycles(&dependencies.collect::<Vec<_>>()) {
        let (Some(entry), Some(target)) = (tasks.get(from), tasks.get(to)) else {
            continue;
        };
        let target = target.task.task.id.clone();
        left_out.entry(from).or_default().insert(target);
        let Some(circle) = circle else {
            more += 1;
            continue;
        };
        let reason = format!("dependency ignored, it is circular: {circle}");
        skipped.push(SkippedLine::ignored_dependency(entry.task.line, &entry.text, reason));
    }
    for (from, targets) in &left_out {
        let entry = tasks.get_mut(*from);
        if let Some(depends_on) = entry.and_then(|entry| entry.task.task.depends_on.as_mut()) {
            depends_on.retain(|id| !targets.contains(id));
        }
    }
    if let Some(entry) =
        left_out.keys().next_back().and_then(|last| tasks.get(*last)).filter(|_| more > 0)
    {
        let reason = format!("{more} more circular dependencies ignored");
        skipped.push(SkippedLine::ignored_dependency(entry.task.line, &entry.text, reason));
    }
}

/// What is wrong with an entry of a list.
enum DependencyProblem {
    /// It is the task itself.
    Itself(String),
    /// It is not a task of the plan; the id is a placeholder for it.
    Unknown(PlanTaskId, String),
}

/// Parses an entry of a list as a range: the first and the last task of it, which are the same for
/// a single id.
fn parse_dependency(
    part: &str,
    own_id: &PlanTaskId,
    task_ids: &BTreeSet<PlanTaskId>,
) -> Result<(PlanTaskId, PlanTaskId), DependencyProblem> {
    let parse_task = |text: &str| -> Result<PlanTaskId, DependencyProblem> {
        let text = strip_emphasis(text);
        let id: PlanTaskId = text.parse().map_err(|error| {
            let reason = format!("depends on something that is not a task: {error}");
            DependencyProblem::Unknown(placeholder_id(text, task_ids), reason)
        })?;
        if task_ids.contains(&id) {
            Ok(id)
        } else {
            let reason = format!("depends on {id}, which is not in this plan");
            Err(DependencyProblem::Unknown(id, reason))
        }
    };
    let single = strip_emphasis(part).parse::<PlanTaskId>();
    let is_task = single.is_ok_and(|id| task_ids.contains(&id));
    let Some((from, to)) = split_range(part).filter(|_| !is_task) else {
        let id = parse_task(part)?;
        return if id == *own_id {
            Err(DependencyProblem::Itself(format!("depends on {id}, which is itself")))
        } else {
            Ok((id.clone(), id))
        };
    };
    let (from, to) = (parse_task(from)?, parse_task(to)?);
    let group = |id: &PlanTaskId| {
        let numbers = id.numeric_parts().unwrap_or_default();
        numbers.split_last().map(|(_, group)| group.to_vec())
    };
    let invalid_range = |what: &str| {
        let reason = format!("depends on {part}, {what}");
        Err(DependencyProblem::Unknown(placeholder_id(part, task_ids), reason))
    };
    if group(&from) != group(&to) {
        return invalid_range("a range across two groups");
    }
    if from > to {
        return invalid_range("a range that runs backwards");
    }
    Ok((from, to))
}

/// Returns an id for an entry that cannot be parsed. It is never the id of a task: the dependent
/// task would become available when that task is done, whatever the entry meant.
fn placeholder_id(text: &str, known: &BTreeSet<PlanTaskId>) -> PlanTaskId {
    let mut id = PlanTaskId::from_text(text);
    while known.contains(&id) {
        id = PlanTaskId::from_text(&format!("unknown-{id}"));
    }
    id
}

/// A dependency that closes a cycle.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClosingDependency {
    /// The index of the dependent task.
    pub(super) from: usize,
    /// The index of the task that it depends on.
    pub(super) to: usize,
    /// The cycle, for a person; `None` if enough of them are described already.
    pub(super) circle: Option<String>,
}

/// The most cycles that are described: a malicious plan has millions.
const MAX_DESCRIBED: usize = 100;

/// The most tasks of a cycle that are named.
const MAX_NAMED: usize = 20;

/// Finds every dependency that closes a cycle. Each task comes with the tasks it depends on.
pub(super) fn find_cycles(tasks: &[(&PlanTaskId, &[PlanTaskId])]) -> Vec<ClosingDependency> {
    let ids = tasks.iter().map(|(id, _)| *id);
    let places: HashMap<&PlanTaskId, usize> = ids.zip(0..).collect();
    let targets = |place: usize| {
        let task = tasks.get(place).into_iter();
        let ids = task.flat_map(|(_, depends_on)| *depends_on);
        ids.filter_map(|id| places.get(id).copied())
    };
    let id = |place: &usize| tasks.get(*place).map_or("", |(id, _)| id.as_str());
    let mut found = Vec::new();
    visit_cycles(0..tasks.len(), targets, |cycle| {
        let (Some(to), Some(from)) = (cycle.first(), cycle.last()) else {
            return;
        };
        let is_described = found.len() < MAX_DESCRIBED;
        found.push(ClosingDependency {
            from: *from,
            to: *to,
            circle: is_described.then(|| describe_cycle(cycle.iter().map(id), cycle.len())),
        });
    });
    found
}

/// Describes a cycle of so many tasks; a long one by its first tasks and its last.
fn describe_cycle<'a>(
    mut names: impl DoubleEndedIterator<Item = &'a str> + Clone,
    length: usize,
) -> String {
    let first = names.clone().next();
    let mut names_shown: Vec<&str> = names.by_ref().take(MAX_NAMED).collect();
    let more = format!("… {} more …", length.saturating_sub(MAX_NAMED + 1));
    if length > MAX_NAMED + 1 {
        names_shown.push(&more);
    }
    names_shown.extend(names.next_back());
    names_shown.extend(first);
    names_shown.join(" -> ")
}
