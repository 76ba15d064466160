//! From an item to what can be started of it: a parent comes after its children.

use super::item_source::{ItemSource, MAX_LEVELS, Siblings};
use crate::model::{Item, ItemPriority, ORCHESTRATOR_KIND, RepoScope, SiblingPosition};

/// Most parents tried whose children are all held or waiting.
const MAX_PARENTS: usize = 256;

/// Finds the first item among siblings that can be started, or that has such an item below it,
/// beginning with a free one. An orchestrator is started before its children.
pub(super) fn find_first_startable<B: ItemSource>(
    items: &mut B,
    siblings: Siblings<'_>,
    first: Item,
) -> Result<Option<Item>, B::Error> {
    let mut tries = MAX_PARENTS;
    search_siblings(items, siblings, first, MAX_LEVELS, &mut tries)
}

/// Tries one free sibling after the other.
fn search_siblings<B: ItemSource>(
    items: &mut B,
    siblings: Siblings<'_>,
    first: Item,
    levels: usize,
    tries: &mut usize,
) -> Result<Option<Item>, B::Error> {
    let start = (first.effective_priority(), first.sibling_position());
    let mut at = Some(first);
    let mut has_wrapped = false;
    while let Some(item) = at {
        let unfinished = items.list_unfinished(Some(&item.key), &RepoScope::All, 1)?;
        if item.kind == ORCHESTRATOR_KIND || unfinished.is_empty() {
            return Ok(Some(item));
        }
        if *tries == 0 || levels == 0 {
            return Ok(None);
        }
        *tries -= 1;
        let children =
            Siblings { parent: Some(&item.key), after: None, priority: None, ..siblings };
        if let Some(child) = items.find_first_free(&children)?
            && let Some(found) = search_siblings(items, children, child, levels - 1, tries)?
        {
            return Ok(Some(found));
        }
        at = find_behind(items, siblings, &item)?;
        // Who came from a place among the siblings began behind it, and goes round once.
        if at.is_none() && !has_wrapped {
            has_wrapped = true;
            at = items.find_first_free(&siblings)?;
        }
        let is_back = |item: &Item| {
            has_wrapped && (item.effective_priority(), item.sibling_position()) >= start
        };
        at = at.filter(|item| !is_back(item));
    }
    Ok(None)
}

/// Finds the first free sibling behind an item: of its priority, or else of a lower one.
fn find_behind<B: ItemSource>(
    items: &mut B,
    siblings: Siblings<'_>,
    item: &Item,
) -> Result<Option<Item>, B::Error> {
    let own = item.effective_priority();
    let (place, beginning) =
        (item.sibling_position(), SiblingPosition::new(Some(i64::MIN), item.key.clone()));
    for priority in ItemPriority::ALL.into_iter().filter(|priority| *priority >= own) {
        let after = if priority == own { &place } else { &beginning };
        let behind = Siblings { after: Some(after), priority: Some(priority), ..siblings };
        if let Some(found) = items.find_first_free(&behind)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
