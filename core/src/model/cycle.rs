//! Cycles in directed graphs.

use std::collections::{BTreeMap, BTreeSet};

/// Visits the cycles that a depth-first search from `roots` meets: one for each edge that leads
/// back to the path of the search. `next` returns the nodes that edges of a node lead to.
///
/// A cycle is passed as its nodes in order; an edge leads from the last one to the first one.
/// Without a visit there is no cycle. The search does not recurse, so a long chain does not
/// overflow the stack.
pub fn visit_cycles<K, I>(
    roots: impl IntoIterator<Item = K>,
    next: impl Fn(K) -> I,
    mut visit: impl FnMut(&[K]),
) where
    K: Copy + Ord,
    I: IntoIterator<Item = K>,
{
    let mut seen = BTreeSet::new();
    for root in roots {
        let mut path: Vec<K> = Vec::new();
        let mut positions: BTreeMap<K, usize> = BTreeMap::new();
        // The edges left to follow from each node of the path.
        let mut edges: Vec<I::IntoIter> = Vec::new();
        let mut entered = seen.insert(root).then_some(root);
        loop {
            if let Some(node) = entered.take() {
                positions.insert(node, path.len());
                path.push(node);
                edges.push(next(node).into_iter());
            }
            let Some(left) = edges.last_mut() else {
                break;
            };
            let Some(target) = left.next() else {
                edges.pop();
                if let Some(node) = path.pop() {
                    positions.remove(&node);
                }
                continue;
            };
            if let Some(start) = positions.get(&target) {
                visit(path.get(*start..).unwrap_or_default());
            } else if seen.insert(target) {
                entered = Some(target);
            }
        }
    }
}

/// Finds a cycle, the first one that [`visit_cycles`] visits.
pub fn find_cycle<K, I>(roots: impl IntoIterator<Item = K>, next: impl Fn(K) -> I) -> Option<Vec<K>>
where
    K: Copy + Ord,
    I: IntoIterator<Item = K>,
{
    let mut first = None;
    visit_cycles(roots, next, |cycle| {
        first.get_or_insert_with(|| cycle.to_vec());
    });
    first
}
