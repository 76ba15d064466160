//! The order of what can be begun: the most urgent first, of equally urgent ones the oldest, and
//! among the equally urgent children of one parent those with a position in its order.
//!
//! An index gives the first part of the order. The places that it gives to a family are then filled
//! in the order of the family, so that the first of the list needs no list of all.

use std::collections::{BTreeMap, VecDeque};

use super::{Item, ItemKey, ItemPriority};

/// The equally urgent children of one parent, or the equally urgent items without one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Family {
    /// Their parent.
    pub parent: Option<ItemKey>,
    /// Their priority.
    pub priority: ItemPriority,
}

impl Family {
    /// Returns the family of an item.
    pub fn of(item: &Item) -> Self {
        Self { parent: item.parent.clone(), priority: item.effective_priority() }
    }
}

/// Counts the places of each family among items that are listed by priority and age.
pub fn count_places(by_age: &[Item]) -> BTreeMap<Family, u32> {
    let mut places = BTreeMap::new();
    for item in by_age {
        *places.entry(Family::of(item)).or_default() += 1;
    }
    places
}

/// Lists the items with a position of each family, in its order, where all items are known.
pub fn list_positioned(all: &[Item]) -> BTreeMap<Family, Vec<Item>> {
    let mut positioned: BTreeMap<Family, Vec<Item>> = BTreeMap::new();
    for item in all.iter().filter(|item| item.position.is_some()) {
        positioned.entry(Family::of(item)).or_default().push(item.clone());
    }
    for family in positioned.values_mut() {
        family.sort_by_key(Item::sibling_position);
    }
    positioned
}

/// Fills the places of each family: first with those that have a position, in its order, then with
/// the others by age. `positioned` has as many of a family as it has places, or all that there are.
pub fn fill_places(by_age: Vec<Item>, positioned: BTreeMap<Family, Vec<Item>>) -> Vec<Item> {
    let families: Vec<Family> = by_age.iter().map(Family::of).collect();
    let mut waiting: BTreeMap<Family, VecDeque<Item>> =
        positioned.into_iter().map(|(family, items)| (family, items.into())).collect();
    for item in by_age.into_iter().filter(|item| item.position.is_none()) {
        waiting.entry(Family::of(&item)).or_default().push_back(item);
    }
    families.iter().filter_map(|family| waiting.get_mut(family)?.pop_front()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ItemStatus;
    use crate::model::fixture::sample_item;

    fn parse_items(lines: &str) -> Vec<Item> {
        let parse = |word: &str| {
            let (name, position) = word.split_once('@').unwrap_or((word, ""));
            let (parent, key) = name.split_once('/').unwrap_or(("", name));
            let mut item = sample_item(ItemStatus::Queued, None);
            item.key = key.parse().unwrap();
            item.parent = parent.parse().ok();
            item.position = position.parse().ok();
            item
        };
        lines.split_whitespace().map(parse).collect()
    }

    fn list_arranged(by_age: &str) -> String {
        let items = parse_items(by_age);
        let positioned = list_positioned(&items);
        let arranged = fill_places(items, positioned);
        arranged.iter().map(|item| item.key.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_family_keeps_its_places_and_has_its_order_within_them() {
        for (by_age, expected) in [
            ("z a", "z a"),
            ("z a@1", "a z"),
            ("P/b@2 x P/a@1 Q/c@0", "a x b c"),
            ("P/b@2 P/d P/a@1 P/c", "a b d c"),
        ] {
            assert_eq!(list_arranged(by_age), expected, "{by_age}");
        }
    }

    #[test]
    fn the_first_places_are_filled_alike_whether_all_items_are_known_or_not() {
        let all = parse_items("P/b@2 x P/c P/a@1 y@1");
        let positioned = list_positioned(&all);
        let whole = fill_places(all.clone(), positioned.clone());
        for places in 0..all.len() {
            let first = all[..places].to_vec();
            let counts = count_places(&first);
            let mut known = positioned.clone();
            known.retain(|family, items| {
                items.truncate(*counts.get(family).unwrap_or(&0) as usize);
                !items.is_empty()
            });
            let filled = fill_places(first, known);
            assert_eq!(filled, whole[..places], "{places}");
        }
    }
}
