//! Orders things by their dependencies.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::{self, Display};

use crate::model::find_cycle;

/// A cycle of dependencies; its first element is repeated at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle<K>(pub Vec<K>);

impl<K: Display> Display for Cycle<K> {
    /// Writes `2 -> 4 -> 2`, where an arrow means "depends on".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, key) in self.0.iter().enumerate() {
            let arrow = if place == 0 { "" } else { " -> " };
            write!(f, "{arrow}{key}")?;
        }
        Ok(())
    }
}

/// Sorts keys so that each comes after those it depends on; the lowest first where there is a
/// choice. Dependencies that are not keys of the graph are ignored.
///
/// # Errors
///
/// A cycle, if there is one.
pub fn sort_by_dependencies<K: Ord + Copy>(
    graph: &BTreeMap<K, Vec<K>>,
) -> Result<Vec<K>, Cycle<K>> {
    let mut waits: BTreeMap<K, BTreeSet<K>> = graph
        .iter()
        .map(|(key, on)| {
            let known = on.iter().filter(|on| graph.contains_key(on));
            (*key, known.copied().collect())
        })
        .collect();
    let mut followers: BTreeMap<K, Vec<K>> = BTreeMap::new();
    for (key, on) in &waits {
        for on in on {
            followers.entry(*on).or_default().push(*key);
        }
    }
    let free = waits.iter().filter(|(_, on)| on.is_empty());
    let mut free: VecDeque<K> = free.map(|(key, _)| *key).collect();
    let mut order = Vec::with_capacity(graph.len());
    while let Some(key) = free.pop_front() {
        waits.remove(&key);
        order.push(key);
        for follower in followers.remove(&key).unwrap_or_default() {
            let Some(left) = waits.get_mut(&follower) else {
                continue;
            };
            left.remove(&key);
            if left.is_empty() {
                free.push_back(follower);
            }
        }
    }
    let next = |key| waits.get(&key).into_iter().flatten().copied();
    match find_cycle(waits.keys().copied(), next) {
        None => Ok(order),
        Some(mut cycle) => {
            cycle.extend(cycle.first().copied());
            Err(Cycle(cycle))
        }
    }
}
