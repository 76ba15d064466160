//! Dependencies between items: which status they bring about, and the refusal of cycles.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::{ItemKey, ItemStatus};

/// Returns the status that its dependencies give an item, or `None` when the status stays.
///
/// An item without dependencies changes only by commands. One whose last dependency was completed
/// becomes ready, and is queued again when a dependency is reopened or added.
pub const fn decide_dependency_status(
    status: ItemStatus,
    dependencies: usize,
    open: u64,
) -> Option<ItemStatus> {
    match status {
        ItemStatus::Queued if dependencies > 0 && open == 0 => Some(ItemStatus::Ready),
        ItemStatus::Ready if open > 0 => Some(ItemStatus::Queued),
        _ => None,
    }
}

/// One item that has to be finished before another: a dependency, or a child of a parent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DependencyEdge {
    /// The item that waits.
    pub item: ItemKey,
    /// The item it waits for.
    pub on: ItemKey,
}

/// Finds the cycle that a new dependency of `item` on `on` would close. The first and the last key
/// are the same, and each key waits for the next. `edges` holds everything that waits for `item`,
/// directly or through other items.
pub fn find_dependency_cycle(
    item: &ItemKey,
    on: &ItemKey,
    edges: &[DependencyEdge],
) -> Option<Vec<ItemKey>> {
    let mut waiting: BTreeMap<&ItemKey, Vec<&ItemKey>> = BTreeMap::new();
    for edge in edges {
        waiting.entry(&edge.on).or_default().push(&edge.item);
    }
    // Breadth first, so that the reported cycle is a shortest one.
    let mut next_of: BTreeMap<&ItemKey, &ItemKey> = BTreeMap::new();
    let mut queue = VecDeque::from([item]);
    while let Some(at) = queue.pop_front() {
        if at == on {
            return Some(collect_path(item, on, &next_of));
        }
        for other in waiting.get(at).into_iter().flatten() {
            if *other != item && !next_of.contains_key(other) {
                next_of.insert(other, at);
                queue.push_back(other);
            }
        }
    }
    None
}

fn collect_path(
    item: &ItemKey,
    on: &ItemKey,
    next_of: &BTreeMap<&ItemKey, &ItemKey>,
) -> Vec<ItemKey> {
    let mut path = vec![item.clone(), on.clone()];
    let mut at = on;
    while let Some(next) = next_of.get(at) {
        path.push((*next).clone());
        at = next;
    }
    path
}

/// Renders a cycle as `A -> B -> A`.
pub fn render_cycle(circle: &[ItemKey]) -> String {
    let keys: Vec<&str> = circle.iter().map(ItemKey::as_str).collect();
    keys.join(" -> ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> ItemKey {
        text.parse().unwrap()
    }

    fn build_edges(edges: &[(&str, &str)]) -> Vec<DependencyEdge> {
        let edge = |(item, on): &(&str, &str)| DependencyEdge { item: key(item), on: key(on) };
        edges.iter().map(edge).collect()
    }

    fn find_rendered_cycle(item: &str, on: &str, edges: &[(&str, &str)]) -> Option<String> {
        find_dependency_cycle(&key(item), &key(on), &build_edges(edges))
            .map(|circle| render_cycle(&circle))
    }

    #[test]
    fn the_whole_circle_is_reported() {
        for (item, on, edges, expected) in [
            ("A", "A", &[][..], Some("A -> A")),
            ("A", "B", &[], None),
            ("A", "B", &[("B", "A")], Some("A -> B -> A")),
            ("A", "C", &[("B", "A"), ("C", "B")], Some("A -> C -> B -> A")),
            ("A", "D", &[("B", "A"), ("C", "B")], None),
            // Of two ways round, the shorter.
            ("A", "D", &[("B", "A"), ("C", "B"), ("D", "C"), ("D", "A")], Some("A -> D -> A")),
            // A circle that others made by plain SQL does not hold the search up.
            ("A", "X", &[("B", "A"), ("C", "B"), ("B", "C")], None),
        ] {
            assert_eq!(find_rendered_cycle(item, on, edges).as_deref(), expected, "{edges:?}");
        }
    }

    #[test]
    fn dependencies_move_an_item_between_queued_and_ready_alone() {
        use ItemStatus::{Blocked, Completed, Queued, Ready, Running};
        for (status, dependencies, open, expected) in [
            (Queued, 1, 0, Some(Ready)),
            (Queued, 2, 1, None),
            (Queued, 0, 0, None),
            (Ready, 1, 1, Some(Queued)),
            (Ready, 1, 0, None),
            (Ready, 0, 0, None),
            (Running, 1, 1, None),
            (Blocked, 1, 0, None),
            (Completed, 1, 0, None),
        ] {
            assert_eq!(
                decide_dependency_status(status, dependencies, open),
                expected,
                "{status} {open} of {dependencies}"
            );
        }
    }

    proptest! {
        /// Adding what is not refused, edge by edge, never makes a circle, and what is told
        /// is one.
        #[test]
        fn what_is_not_refused_closes_no_circle(edges in prop::collection::vec((0..7_u8, 0..7_u8), 0..40)) {
            let name = |n: u8| key(&format!("k{n}"));
            let mut kept: Vec<DependencyEdge> = Vec::new();
            for (item, on) in edges {
                let edge = DependencyEdge { item: name(item), on: name(on) };
                match find_dependency_cycle(&edge.item, &edge.on, &kept) {
                    None => kept.push(edge),
                    Some(circle) => {
                        prop_assert_eq!(circle.first(), circle.last());
                        let steps: Vec<_> = circle.windows(2).collect();
                        prop_assert_eq!(&steps[0], &[edge.item, edge.on]);
                        for step in &steps[1..] {
                            let edge = DependencyEdge { item: step[0].clone(), on: step[1].clone() };
                            prop_assert!(kept.contains(&edge), "{:?} is no edge", edge);
                        }
                    }
                }
            }
            // Without circles there is always one that waits for nothing.
            let mut left = kept;
            while !left.is_empty() {
                let before = left.len();
                let waiting: Vec<ItemKey> = left.iter().map(|w| w.item.clone()).collect();
                left.retain(|w| waiting.contains(&w.on));
                prop_assert!(left.len() < before, "a circle: {:?}", left);
            }
        }
    }
}
