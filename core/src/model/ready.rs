//! Which items can be begun, why, and what would let others begin.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{DependencyEdge, Item, ItemKey, ItemStatus};

/// Why an item can be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadyReason {
    /// Everything it depends on is completed.
    DependenciesCompleted,
    /// It was begun, and nobody holds it now.
    Begun,
    /// Nothing is in its way.
    Free,
}

impl ReadyReason {
    /// Says why a free item can be begun.
    pub const fn of(item: &Item) -> Self {
        if matches!(item.status, ItemStatus::Running) {
            Self::Begun
        } else if item.depends_on.is_empty() {
            Self::Free
        } else {
            Self::DependenciesCompleted
        }
    }

    /// Returns the word for scripts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DependenciesCompleted => "dependencies_completed",
            Self::Begun => "begun",
            Self::Free => "free",
        }
    }
}

/// What waits for an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unblocking {
    /// The items that wait for it directly, in order.
    pub direct: Vec<ItemKey>,
    /// How many wait for it, directly or through others.
    pub total: usize,
}

/// Counts for each item that others wait for what would come free by it, directly and in the end.
///
/// `edges` are dependencies that are not completed.
pub fn measure_unblocking(edges: &[DependencyEdge]) -> BTreeMap<ItemKey, Unblocking> {
    let mut waiting: BTreeMap<&ItemKey, Vec<&ItemKey>> = BTreeMap::new();
    for edge in edges {
        waiting.entry(&edge.on).or_default().push(&edge.item);
    }
    // Numbers instead of keys: a chain of a thousand is walked a thousand times.
    let mut numbers: BTreeMap<&ItemKey, usize> = BTreeMap::new();
    for edge in edges {
        for key in [&edge.on, &edge.item] {
            let next = numbers.len();
            numbers.entry(key).or_insert(next);
        }
    }
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); numbers.len()];
    for edge in edges {
        followers[numbers[&edge.on]].push(numbers[&edge.item]);
    }
    let mut walk = Walk { followers: &followers, seen_in: vec![usize::MAX; followers.len()] };
    waiting
        .into_iter()
        .map(|(key, mut direct)| {
            direct.sort();
            direct.dedup();
            let total = walk.count_from(numbers[key]);
            (key.clone(), Unblocking { direct: direct.into_iter().cloned().collect(), total })
        })
        .collect()
}

/// A walk along what waits for what.
struct Walk<'a> {
    followers: &'a [Vec<usize>],
    /// The start of the walk in which each item was seen last.
    seen_in: Vec<usize>,
}

impl Walk<'_> {
    /// Counts what can be reached, without the start itself.
    fn count_from(&mut self, start: usize) -> usize {
        let mut stack = vec![start];
        self.seen_in[start] = start;
        let mut count = 0;
        while let Some(at) = stack.pop() {
            for follower in &self.followers[at] {
                if self.seen_in[*follower] != start {
                    self.seen_in[*follower] = start;
                    count += 1;
                    stack.push(*follower);
                }
            }
        }
        count
    }
}

/// Lists the items that most others wait for, the most first.
pub fn rank_blockers(unblocking: &BTreeMap<ItemKey, Unblocking>, limit: usize) -> Vec<ItemKey> {
    let mut ranked: Vec<(&ItemKey, &Unblocking)> = unblocking.iter().collect();
    ranked.sort_by_key(|(_, unblocking)| std::cmp::Reverse(unblocking.total));
    ranked.into_iter().take(limit).map(|(key, _)| key.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::sample_item;

    fn parse_edges(text: &str) -> Vec<DependencyEdge> {
        let edge = |edge: &str| {
            let (item, on) = edge.split_once('<').unwrap();
            DependencyEdge { item: item.parse().unwrap(), on: on.parse().unwrap() }
        };
        text.split_whitespace().map(edge).collect()
    }

    /// Describes each as `a: direct keys, total`.
    fn describe(edges: &str) -> String {
        let found = measure_unblocking(&parse_edges(edges));
        let each = found.iter().map(|(key, unblocking)| {
            let direct: Vec<&str> = unblocking.direct.iter().map(ItemKey::as_str).collect();
            format!("{key}: {} {}", direct.join("+"), unblocking.total)
        });
        each.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_waits_is_counted_once_however_many_ways_lead_there() {
        for (edges, expected) in [
            ("", ""),
            ("b<a", "a: b 1"),
            // A chain, and a fork that joins again.
            ("b<a c<b", "a: b 2; b: c 1"),
            ("b<a c<a d<b d<c", "a: b+c 3; b: d 1; c: d 1"),
            // The same dependency twice, and plain SQL's ring.
            ("b<a b<a", "a: b 1"),
            ("b<a a<b c<b", "a: b 2; b: a+c 2"),
        ] {
            assert_eq!(describe(edges), expected, "{edges}");
        }
    }

    #[test]
    fn those_that_most_wait_for_come_first_and_equal_ones_by_key() {
        let found = measure_unblocking(&parse_edges("b<a c<b x<w y<w z<w q<p"));
        let ranked = rank_blockers(&found, 3);
        assert_eq!(ranked.iter().map(ItemKey::as_str).collect::<Vec<_>>(), ["w", "a", "b"]);
    }

    #[test]
    fn an_item_is_ready_for_one_reason() {
        let mut item = sample_item(ItemStatus::Queued, None);
        assert_eq!(ReadyReason::of(&item).as_str(), "free");
        item.depends_on = vec!["A".parse().unwrap()];
        item.status = ItemStatus::Ready;
        assert_eq!(ReadyReason::of(&item).as_str(), "dependencies_completed");
        item.status = ItemStatus::Running;
        assert_eq!(ReadyReason::of(&item).as_str(), "begun");
    }
}
