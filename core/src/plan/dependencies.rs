//! What a task waits for: lists of ids and ranges, checked against the plan.

use std::collections::{BTreeMap, BTreeSet};

use super::{Found, Skipped};
use crate::model::PlanTaskId;

/// Most dependencies of one task.
const MOST: usize = 200;

/// Splits a list such as `1.1, 1.2` or `1.1-1.3, 2.1` into its parts.
pub(super) fn parts(list: &str) -> Vec<&str> {
    let parts = list.split([',', ';', '&']).map(str::trim);
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

/// Splits a range into its ends.
fn ends(part: &str) -> Option<(&str, &str)> {
    let split = |mark| part.split_once(mark);
    let (from, to) = ["..", "-", "–", "—"].into_iter().find_map(split)?;
    Some((from.trim(), to.trim())).filter(|(from, to)| !from.is_empty() && !to.is_empty())
}

/// Resolves the lists of every task, the tasks being all there are: what cannot be resolved
/// is skipped by name, never in silence.
pub(super) fn resolve(found: &mut Found) {
    let Found {
        tasks,
        ids,
        skipped,
    } = found;
    for entry in tasks.iter_mut() {
        let Some(parts) = &entry.depends_on else {
            continue;
        };
        let mut skip = |reason| {
            skipped.push(Skipped::new(entry.task.line, &entry.text, reason));
        };
        let own = &entry.task.task.id;
        let mut resolved = Vec::new();
        for part in parts {
            match one(part, own, ids) {
                Ok(found) => resolved.extend(found),
                Err(reason) => skip(reason),
            }
        }
        let mut seen = BTreeSet::new();
        resolved.retain(|id| id != own && seen.insert(id.clone()));
        if resolved.len() > MOST {
            skip(format!(
                "more than {MOST} dependencies; the first {MOST} count"
            ));
            resolved.truncate(MOST);
        }
        entry.task.task.depends_on = Some(resolved);
    }
    let graph = tasks.iter().map(|entry| {
        let task = &entry.task.task;
        (&task.id, task.depends_on.as_deref().unwrap_or_default())
    });
    for (from, to, circle) in circles(&graph.collect::<Vec<_>>()) {
        let names: Vec<&str> = circle
            .iter()
            .filter_map(|place| tasks.get(*place).map(|entry| entry.task.task.id.as_str()))
            .collect();
        let reason = format!(
            "a dependency that closes a circle is left out: {}",
            names.join(" -> ")
        );
        let target = tasks.get(to).map(|entry| entry.task.task.id.clone());
        let Some(entry) = tasks.get_mut(from) else {
            continue;
        };
        skipped.push(Skipped::new(entry.task.line, &entry.text, reason));
        if let Some(depends_on) = &mut entry.task.task.depends_on {
            depends_on.retain(|other| Some(other) != target.as_ref());
        }
    }
}

fn one(
    part: &str,
    own: &PlanTaskId,
    known: &BTreeSet<PlanTaskId>,
) -> Result<Vec<PlanTaskId>, String> {
    let task = |text: &str| -> Result<PlanTaskId, String> {
        let id: PlanTaskId = text
            .trim_matches(['*', '`', '_'])
            .parse()
            .map_err(|error| format!("depends on something that is no task: {error}"))?;
        if known.contains(&id) {
            Ok(id)
        } else {
            Err(format!("depends on {id}, which is no task of this plan"))
        }
    };
    let Some((from, to)) = ends(part) else {
        let id = task(part)?;
        return if id == *own {
            Err(format!("depends on {id}, which is itself"))
        } else {
            Ok(vec![id])
        };
    };
    let (from, to) = (task(from)?, task(to)?);
    let group = |id: &PlanTaskId| id.parts().split_last().map(|(_, group)| group.to_vec());
    if group(&from) != group(&to) {
        return Err(format!("depends on {part}, a range over two groups"));
    }
    if from > to {
        return Err(format!("depends on {part}, a range that runs backwards"));
    }
    let between = known.range(&from..=&to);
    Ok(between
        .filter(|id| group(id) == group(&from))
        .take(MOST + 1)
        .cloned()
        .collect())
}

/// Finds every dependency that closes a circle among tasks with what each depends on: whose it
/// is, on what, and the circle.
///
/// Walks by hand, not by recursion: a long chain is no reason to run out of stack.
pub(super) fn circles(tasks: &[(&PlanTaskId, &[PlanTaskId])]) -> Vec<(usize, usize, Vec<usize>)> {
    let ids = tasks.iter().map(|(id, _)| *id);
    let places: BTreeMap<&PlanTaskId, usize> = ids.zip(0..).collect();
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
        let mut on_path = BTreeSet::new();
        let mut entered = visited.insert(root).then_some(root);
        loop {
            if let Some(place) = entered.take() {
                on_path.insert(place);
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
            if on_path.contains(&target) {
                let walk = path.iter().map(|(place, _)| *place);
                let circle = walk.skip_while(|place| *place != target).chain([target]);
                closing.push((place, target, circle.collect()));
            } else if visited.insert(target) {
                entered = Some(target);
            }
        }
    }
    closing
}
