//! Keeps an import from closing circles.

use std::collections::{BTreeMap, BTreeSet};

use super::keyed_record::{KeyedRecord, RecordPlace};
use crate::model::{Item, ItemKey, visit_cycles};

/// A reference of a record that was dropped.
#[derive(Debug)]
pub(super) struct DroppedReference {
    pub(super) place: RecordPlace,
    pub(super) on: ItemKey,
    /// Whether it was the parent, and no dependency.
    pub(super) is_parent: bool,
}

/// What waits for what: an item for its dependencies, a parent for its children.
struct WaitGraph<'a> {
    keys: Vec<&'a ItemKey>,
    edges: BTreeMap<usize, BTreeSet<usize>>,
    /// The edges that only the import brings, with the record that they come from.
    new_dependencies: BTreeMap<(usize, usize), usize>,
    new_parents: BTreeMap<(usize, usize), usize>,
}

impl<'a> WaitGraph<'a> {
    fn build(records: &'a [KeyedRecord], existing: &'a BTreeMap<ItemKey, Item>) -> Self {
        let new = records.iter().map(|record| &record.key);
        let keys: BTreeSet<&ItemKey> = existing.keys().chain(new).collect();
        let keys: Vec<&ItemKey> = keys.into_iter().collect();
        let mut graph = Self {
            keys,
            edges: BTreeMap::new(),
            new_dependencies: BTreeMap::new(),
            new_parents: BTreeMap::new(),
        };
        for item in existing.values() {
            for on in &item.depends_on {
                graph.add_edge(&item.key, on);
            }
            if let Some(parent) = &item.parent {
                graph.add_edge(parent, &item.key);
            }
        }
        for (place, record) in records.iter().enumerate() {
            for on in &record.depends_on {
                if let Some(edge) = graph.add_edge(&record.key, on) {
                    graph.new_dependencies.insert(edge, place);
                }
            }
            // The parent of an item that is there does not change.
            if let Some(parent) = &record.parent
                && !existing.contains_key(&record.key)
                && let Some(edge) = graph.add_edge(parent, &record.key)
            {
                graph.new_parents.insert(edge, place);
            }
        }
        graph
    }

    /// Adds an edge; returns it unless it was there.
    fn add_edge(&mut self, from: &ItemKey, to: &ItemKey) -> Option<(usize, usize)> {
        let place = |key| self.keys.binary_search(&key).ok();
        let (from, to) = (place(from)?, place(to)?);
        self.edges.entry(from).or_default().insert(to).then_some((from, to))
    }

    /// Adds an edge unless it would close a circle; returns whether it did.
    fn add_harmless_edge(&mut self, from: &ItemKey, to: &ItemKey) -> bool {
        let place = |key| self.keys.binary_search(&key).ok();
        let (Some(from), Some(to)) = (place(from), place(to)) else { return false };
        let is_harmless = !self.reaches(to, from);
        if is_harmless {
            self.edges.entry(from).or_default().insert(to);
        }
        is_harmless
    }

    fn reaches(&self, from: usize, to: usize) -> bool {
        let mut seen = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            if node == to {
                return true;
            }
            let next = self.edges.get(&node).into_iter().flatten().copied();
            open.extend(next.filter(|node| seen.insert(*node)));
        }
        false
    }

    /// Lists new edges, one of each cycle that a search meets. A dependency is given up before a
    /// parent.
    fn find_closing_edges(&self) -> BTreeSet<(usize, usize)> {
        let next = |node: usize| self.edges.get(&node).into_iter().flatten().copied();
        let mut closing = BTreeSet::new();
        visit_cycles(self.edges.keys().copied(), next, |cycle| {
            let (Some(first), Some(last)) = (cycle.first(), cycle.last()) else { return };
            let closes = (*last, *first);
            if self.new_dependencies.contains_key(&closes) {
                closing.insert(closes);
                return;
            }
            let mut others =
                cycle.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)));
            let dependency = others.clone().find(|edge| self.new_dependencies.contains_key(edge));
            let parent = || {
                let is_new = |edge: &(usize, usize)| self.new_parents.contains_key(edge);
                Some(closes).filter(is_new).or_else(|| others.find(is_new))
            };
            closing.extend(dependency.or_else(parent));
        });
        closing
    }
}

/// Drops references of the records that would close a circle, and returns them. Every one that is
/// dropped closes a circle of those that stay, so that a second import of the same records drops the
/// same ones.
pub(super) fn drop_cycles(
    records: &mut [KeyedRecord],
    existing: &BTreeMap<ItemKey, Item>,
) -> Vec<DroppedReference> {
    let mut dropped = Vec::new();
    loop {
        let graph = WaitGraph::build(records, existing);
        let closing: Vec<(usize, ItemKey, bool)> = graph
            .find_closing_edges()
            .into_iter()
            .filter_map(|edge| {
                if let Some(place) = graph.new_dependencies.get(&edge) {
                    return Some((*place, (*graph.keys.get(edge.1)?).clone(), false));
                }
                let place = graph.new_parents.get(&edge)?;
                Some((*place, (*graph.keys.get(edge.0)?).clone(), true))
            })
            .collect();
        if closing.is_empty() {
            return restore_harmless(records, existing, dropped);
        }
        for (record, on, is_parent) in closing {
            let Some(keyed) = records.get_mut(record) else { continue };
            if is_parent {
                keyed.parent = None;
            } else {
                keyed.depends_on.retain(|key| *key != on);
            }
            let place = RecordPlace::from(&keyed.record);
            dropped.push((record, DroppedReference { place, on, is_parent }));
        }
    }
}

/// Puts back what closes no circle any more because others were dropped too; returns the rest.
fn restore_harmless(
    records: &mut [KeyedRecord],
    existing: &BTreeMap<ItemKey, Item>,
    dropped: Vec<(usize, DroppedReference)>,
) -> Vec<DroppedReference> {
    let mut graph = WaitGraph::build(records, existing);
    let (mut restored, mut kept) = (Vec::new(), Vec::new());
    for (record, reference) in dropped {
        let key = records.get(record).map(|keyed| &keyed.key);
        let is_restored = key.is_some_and(|key| {
            let (from, to) =
                if reference.is_parent { (&reference.on, key) } else { (key, &reference.on) };
            graph.add_harmless_edge(from, to)
        });
        if is_restored { restored.push((record, reference)) } else { kept.push(reference) }
    }
    for (record, DroppedReference { on, is_parent, .. }) in restored {
        let Some(keyed) = records.get_mut(record) else { continue };
        if is_parent {
            keyed.parent = Some(on);
        } else {
            keyed.depends_on.push(on);
        }
    }
    kept
}
