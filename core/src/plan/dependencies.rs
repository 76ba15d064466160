//! What a task waits for: lists of ids and ranges, checked against the plan.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;

use super::{Entry, Found, Skipped};
use crate::model::PlanTaskId;

/// Most dependencies of one task.
const MOST: usize = 200;

/// Most dependencies of all tasks of a plan together: ranges make many of a short text.
const MOST_IN_ALL: usize = 200_000;

/// Most entries of its lists; each may be a range.
const MOST_PARTS: usize = 1_000;

/// Splits a list such as `1.1, 1.2` or `1.1-1.3, 2.1` into its parts.
pub(super) fn parts(list: &str) -> Vec<&str> {
    let parts = list.split([',', ';', '&', '，', '、', '；']).map(str::trim);
    parts
        .flat_map(|part| {
            let words = part.split_whitespace();
            match ends(part) {
                Some(_) => vec![part],
                None => words.collect(),
            }
        })
        .filter(|part| !part.is_empty() && !matches!(*part, "and" | "none" | "-" | "—"))
        .collect()
}

/// Splits a range into its ends, which are numbers: a dash may be part of another id.
fn ends(part: &str) -> Option<(&str, &str)> {
    let split = |mark| part.split_once(mark);
    let (from, to) = ["..", "-", "–", "—"].into_iter().find_map(split)?;
    let is_number = |end: &&str| {
        bare(end).contains('.')
            && bare(end)
                .parse::<PlanTaskId>()
                .is_ok_and(|id| id.numbers().is_some())
    };
    Some((from.trim(), to.trim())).filter(|(from, to)| is_number(from) && is_number(to))
}

/// Takes emphasis off an entry.
fn bare(text: &str) -> &str {
    text.trim_matches(['*', '`', '_'])
}

/// Resolves the lists of every task, the tasks being all there are: what cannot be resolved
/// is skipped by name, never in silence.
pub(super) fn resolve(found: &mut Found) {
    let Found {
        tasks,
        ids,
        skipped,
    } = found;
    // Apart, so that what lies between two ids of one group is a piece of a set.
    let levels = |id: &PlanTaskId| id.numbers().map_or(0, |numbers| numbers.len());
    let mut groups: BTreeMap<usize, BTreeSet<&PlanTaskId>> = BTreeMap::new();
    for id in ids.iter() {
        groups.entry(levels(id)).or_default().insert(id);
    }
    let mut left = MOST_IN_ALL;
    for entry in tasks.iter_mut() {
        let Some(parts) = &entry.depends_on else {
            continue;
        };
        let most = MOST.min(left);
        let line = entry.task.line;
        let own = &entry.task.task.id;
        let mut resolved = Vec::new();
        // Ids are compared piece by piece, which is not done for each of so many.
        let mut seen = HashSet::new();
        for part in parts.iter().take(MOST_PARTS) {
            match one(part, own, ids) {
                Ok((from, to)) if from == to => {
                    if seen.insert(from.clone()) {
                        resolved.push(from);
                    }
                }
                // What is left out is not counted up first: a list may name many long ranges.
                Ok(_) if resolved.len() > most => {}
                Ok((from, to)) => {
                    let alike = groups.get(&levels(&from));
                    let ends = (Bound::Included(&from), Bound::Included(&to));
                    let between = alike
                        .into_iter()
                        .flat_map(|alike| alike.range::<PlanTaskId, _>(ends).copied());
                    let others = between.filter(|id| *id != own).take(most + 1);
                    resolved.extend(others.filter(|id| seen.insert((*id).clone())).cloned());
                }
                Err(Wrong::Itself(reason)) => {
                    skipped.push(Skipped::new(line, &entry.text, reason));
                }
                Err(Wrong::Unknown(id, reason)) => {
                    skipped.push(Skipped::error(line, &entry.text, reason));
                    // The task waits for what was meant, whatever that was.
                    if seen.insert(id.clone()) {
                        resolved.push(id);
                    }
                }
            }
        }
        if parts.len() > MOST_PARTS {
            let more = parts.len() - MOST_PARTS;
            let reason = format!("more than {MOST_PARTS} entries; {more} are ignored");
            skipped.push(Skipped::new(line, &entry.text, reason));
        }
        if resolved.len() > most {
            let reason = if most == MOST {
                format!("more than {MOST} dependencies; only the first {MOST} are used")
            } else {
                format!(
                    "more than {MOST_IN_ALL} dependencies in a plan; only {most} of these are used"
                )
            };
            skipped.push(Skipped::new(line, &entry.text, reason));
            resolved.truncate(most);
        }
        left -= resolved.len();
        entry.task.task.depends_on = Some(resolved);
    }
    await_children(tasks);
    open_circles(tasks, skipped);
}

/// Lets every task wait for its children, but for those that wait for it: what the plan says in
/// words counts more than how it is indented.
fn await_children(tasks: &mut [Entry]) {
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
            // Nothing is said of it, which is another thing than that it waits for nothing.
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

/// Leaves out what closes a circle.
fn open_circles(tasks: &mut [Entry], skipped: &mut Vec<Skipped>) {
    let graph = tasks.iter().map(|entry| {
        let task = &entry.task.task;
        (&task.id, task.depends_on.as_deref().unwrap_or_default())
    });
    let mut left_out: BTreeMap<usize, BTreeSet<PlanTaskId>> = BTreeMap::new();
    let mut more = 0_usize;
    for Closing { from, to, circle } in circles(&graph.collect::<Vec<_>>()) {
        let (Some(entry), Some(target)) = (tasks.get(from), tasks.get(to)) else {
            continue;
        };
        let target = target.task.task.id.clone();
        left_out.entry(from).or_default().insert(target);
        let Some(circle) = circle else {
            more += 1;
            continue;
        };
        let reason = format!("circular dependency, ignored: {circle}");
        skipped.push(Skipped::new(entry.task.line, &entry.text, reason));
    }
    for (from, targets) in &left_out {
        let entry = tasks.get_mut(*from);
        if let Some(depends_on) = entry.and_then(|entry| entry.task.task.depends_on.as_mut()) {
            depends_on.retain(|id| !targets.contains(id));
        }
    }
    if let Some(entry) = left_out
        .keys()
        .next_back()
        .and_then(|last| tasks.get(*last))
        .filter(|_| more > 0)
    {
        let reason = format!("{more} more circular dependencies, ignored");
        skipped.push(Skipped::new(entry.task.line, &entry.text, reason));
    }
}

/// What is wrong with an entry of a list.
enum Wrong {
    /// It is the task itself.
    Itself(String),
    /// It names no task of the plan; the id stands for what was meant.
    Unknown(PlanTaskId, String),
}

/// Reads an entry of a list: the task it begins with and the one it ends with.
fn one(
    part: &str,
    own: &PlanTaskId,
    known: &BTreeSet<PlanTaskId>,
) -> Result<(PlanTaskId, PlanTaskId), Wrong> {
    let task = |text: &str| -> Result<PlanTaskId, Wrong> {
        let text = bare(text);
        let id: PlanTaskId = text.parse().map_err(|error| {
            let reason = format!("depends on something that is not a task: {error}");
            Wrong::Unknown(stand_in(text, known), reason)
        })?;
        if known.contains(&id) {
            Ok(id)
        } else {
            let reason = format!("depends on {id}, which is not in this plan");
            Err(Wrong::Unknown(id, reason))
        }
    };
    let whole = bare(part).parse::<PlanTaskId>();
    let is_task = whole.is_ok_and(|id| known.contains(&id));
    let Some((from, to)) = ends(part).filter(|_| !is_task) else {
        let id = task(part)?;
        return if id == *own {
            Err(Wrong::Itself(format!("depends on {id}, which is itself")))
        } else {
            Ok((id.clone(), id))
        };
    };
    let (from, to) = (task(from)?, task(to)?);
    let group = |id: &PlanTaskId| {
        let numbers = id.numbers().unwrap_or_default();
        numbers.split_last().map(|(_, group)| group.to_vec())
    };
    let wrong = |what: &str| {
        let reason = format!("depends on {part}, {what}");
        Err(Wrong::Unknown(stand_in(part, known), reason))
    };
    if group(&from) != group(&to) {
        return wrong("a range across two groups");
    }
    if from > to {
        return wrong("a range that runs backwards");
    }
    Ok((from, to))
}

/// Returns an id for what cannot be read. It is never that of a task: what waits for it would be
/// offered once that task is done, whatever was meant.
fn stand_in(text: &str, known: &BTreeSet<PlanTaskId>) -> PlanTaskId {
    let mut id = PlanTaskId::from_text(text);
    while known.contains(&id) {
        id = PlanTaskId::from_text(&format!("unknown-{id}"));
    }
    id
}

/// A dependency that closes a circle.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closing {
    /// The place of the task it is of.
    pub(super) from: usize,
    /// The place of the task it is on.
    pub(super) to: usize,
    /// The circle, for a person; absent when enough of them were told.
    pub(super) circle: Option<String>,
}

/// Most circles that are told; a plan of hostile making has millions.
const MOST_TOLD: usize = 100;

/// Most tasks of a circle that are named from where it begins.
const MOST_NAMED: usize = 20;

/// Finds every dependency that closes a circle among tasks with what each depends on.
///
/// Walks by hand, not by recursion: a long chain is no reason to run out of stack.
pub(super) fn circles(tasks: &[(&PlanTaskId, &[PlanTaskId])]) -> Vec<Closing> {
    let ids = tasks.iter().map(|(id, _)| *id);
    let places: HashMap<&PlanTaskId, usize> = ids.zip(0..).collect();
    let targets = |place: usize| -> Vec<usize> {
        let task = tasks.get(place).into_iter();
        let ids = task.flat_map(|(_, depends_on)| *depends_on);
        ids.filter_map(|id| places.get(id).copied()).collect()
    };
    let mut closing = Vec::new();
    let mut visited = BTreeSet::new();
    for root in 0..tasks.len() {
        // Where the walk is, with what is left to look at from each place.
        let mut path: Vec<(usize, std::vec::IntoIter<usize>)> = Vec::new();
        let mut on_path = BTreeMap::new();
        let mut entered = visited.insert(root).then_some(root);
        loop {
            if let Some(place) = entered.take() {
                on_path.insert(place, path.len());
                path.push((place, targets(place).into_iter()));
            }
            let Some((place, left)) = path.last_mut() else {
                break;
            };
            let place = *place;
            let Some(target) = left.next() else {
                on_path.remove(&place);
                path.pop();
                continue;
            };
            if let Some(start) = on_path.get(&target) {
                let walk = path.get(*start..).unwrap_or_default();
                let id = |place: usize| tasks.get(place).map_or("", |(id, _)| id.as_str());
                let names = || walk.iter().map(|(place, _)| id(*place));
                closing.push(Closing {
                    from: place,
                    to: target,
                    circle: (closing.len() < MOST_TOLD).then(|| told(names(), walk.len())),
                });
            } else if visited.insert(target) {
                entered = Some(target);
            }
        }
    }
    closing
}

/// Names a circle of so many tasks, a long one by where it begins and ends.
fn told<'a>(mut names: impl DoubleEndedIterator<Item = &'a str> + Clone, length: usize) -> String {
    let first = names.clone().next();
    let mut told: Vec<&str> = names.by_ref().take(MOST_NAMED).collect();
    let more = format!("… {} more …", length.saturating_sub(MOST_NAMED + 1));
    if length > MOST_NAMED + 1 {
        told.push(&more);
    }
    told.extend(names.next_back());
    told.extend(first);
    told.join(" -> ")
}
