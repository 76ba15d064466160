//! What comes before what, where some depend on others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::{self, Display};

/// Things that depend on each other in a circle, the first named again at the end.
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

/// Puts everything after what it depends on; the lowest first where there is a choice.
/// Dependencies that are no keys of the graph count as given.
///
/// # Errors
///
/// The circle, when there is one.
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
    match waits.keys().next() {
        None => Ok(order),
        Some(first) => Err(trace_cycle(&waits, *first)),
    }
}

/// Walks along dependencies, each of which leads to another that waits, until one comes again.
fn trace_cycle<K: Ord + Copy>(waits: &BTreeMap<K, BTreeSet<K>>, first: K) -> Cycle<K> {
    let mut path = vec![first];
    let mut at = first;
    while let Some(next) = waits.get(&at).and_then(BTreeSet::first) {
        let again = path.iter().position(|key| key == next);
        path.push(*next);
        if let Some(start) = again {
            path.drain(..start);
            break;
        }
        at = *next;
    }
    Cycle(path)
}
