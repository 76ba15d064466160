//! What must be completed before what: readiness, and the refusal of circles.

use std::collections::{BTreeMap, VecDeque};

use super::{ItemKey, ItemStatus};

/// Returns the status that dependencies bring about, when it is another than the present one.
///
/// An item without dependencies is moved by hands alone; one whose last dependency was
/// completed becomes ready, and waits again when one of them is reopened or added.
pub const fn settled(status: ItemStatus, dependencies: usize, open: u64) -> Option<ItemStatus> {
    match status {
        ItemStatus::Queued if dependencies > 0 && open == 0 => Some(ItemStatus::Ready),
        ItemStatus::Ready if open > 0 => Some(ItemStatus::Queued),
        _ => None,
    }
}

/// One item that is not finished before another: by a dependency, or because a parent is
/// finished after its children.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waits {
    /// Which one waits.
    pub item: ItemKey,
    /// For which other.
    pub on: ItemKey,
}

/// Finds the circle that a new dependency of `item` on `on` would close, first and last the
/// same item, each waiting for the next. `waits` holds whatever waits for `item`, directly or
/// through others.
pub fn circle(item: &ItemKey, on: &ItemKey, waits: &[Waits]) -> Option<Vec<ItemKey>> {
    let mut waiting: BTreeMap<&ItemKey, Vec<&ItemKey>> = BTreeMap::new();
    for edge in waits {
        waiting.entry(&edge.on).or_default().push(&edge.item);
    }
    // Breadth first, so that the circle told is a shortest one.
    let mut next_of: BTreeMap<&ItemKey, &ItemKey> = BTreeMap::new();
    let mut queue = VecDeque::from([item]);
    while let Some(at) = queue.pop_front() {
        if at == on {
            return Some(path(item, on, &next_of));
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

fn path(item: &ItemKey, on: &ItemKey, next_of: &BTreeMap<&ItemKey, &ItemKey>) -> Vec<ItemKey> {
    let mut path = vec![item.clone(), on.clone()];
    let mut at = on;
    while let Some(next) = next_of.get(at) {
        path.push((*next).clone());
        at = next;
    }
    path
}

/// Writes a circle for a person.
pub fn drawn(circle: &[ItemKey]) -> String {
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

    fn waits(edges: &[(&str, &str)]) -> Vec<Waits> {
        let edge = |(item, on): &(&str, &str)| Waits {
            item: key(item),
            on: key(on),
        };
        edges.iter().map(edge).collect()
    }

    fn found(item: &str, on: &str, edges: &[(&str, &str)]) -> Option<String> {
        circle(&key(item), &key(on), &waits(edges)).map(|circle| drawn(&circle))
    }

    #[test]
    fn the_whole_circle_is_told() {
        for (item, on, edges, expected) in [
            ("A", "A", &[][..], Some("A -> A")),
            ("A", "B", &[], None),
            ("A", "B", &[("B", "A")], Some("A -> B -> A")),
            (
                "A",
                "C",
                &[("B", "A"), ("C", "B")],
                Some("A -> C -> B -> A"),
            ),
            ("A", "D", &[("B", "A"), ("C", "B")], None),
            // Of two ways round, the shorter.
            (
                "A",
                "D",
                &[("B", "A"), ("C", "B"), ("D", "C"), ("D", "A")],
                Some("A -> D -> A"),
            ),
            // A circle that others made by plain SQL does not hold the search up.
            ("A", "X", &[("B", "A"), ("C", "B"), ("B", "C")], None),
        ] {
            assert_eq!(found(item, on, edges).as_deref(), expected, "{edges:?}");
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
                settled(status, dependencies, open),
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
            let mut kept: Vec<Waits> = Vec::new();
            for (item, on) in edges {
                let edge = Waits { item: name(item), on: name(on) };
                match circle(&edge.item, &edge.on, &kept) {
                    None => kept.push(edge),
                    Some(circle) => {
                        prop_assert_eq!(circle.first(), circle.last());
                        let steps: Vec<_> = circle.windows(2).collect();
                        prop_assert_eq!(&steps[0], &[edge.item, edge.on]);
                        for step in &steps[1..] {
                            let edge = Waits { item: step[0].clone(), on: step[1].clone() };
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
