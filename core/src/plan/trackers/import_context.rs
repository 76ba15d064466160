//! What an import finds here.

use std::collections::{BTreeMap, BTreeSet};

use super::item_source::ItemSource;
use super::record::TrackerFormat;
use crate::model::{Item, ItemKey, Timestamp};
use crate::store::Provenance;

/// What an import is decided on.
#[derive(Debug)]
pub struct ImportContext<'a> {
    /// All items that are there, by key.
    pub existing: &'a BTreeMap<ItemKey, Item>,
    /// The items of this tracker that were removed here.
    pub removed: &'a [RemovedItem],
    /// The repository that new items belong to.
    pub repo: Option<&'a str>,
    /// The file that is imported, by which a later export knows it again.
    pub file: Option<&'a str>,
    /// The other files of the tracker that items know and that are there.
    pub present: &'a BTreeSet<String>,
    /// When the import is made.
    pub now: Timestamp,
    /// Who imports.
    pub provenance: &'a Provenance,
}

/// An item that was removed here.
#[derive(Debug, Clone, PartialEq)]
pub struct RemovedItem {
    /// Its key.
    pub key: ItemKey,
    /// When it was removed.
    pub at: Timestamp,
    /// What it was in the tracker.
    pub source: ItemSource,
}

impl RemovedItem {
    /// Tells whether somebody added an item under its key again, which no import knows yet.
    pub(super) fn is_back(&self, format: TrackerFormat, context: &ImportContext<'_>) -> bool {
        context.existing.get(&self.key).is_some_and(|item| {
            item.repo.as_deref() == context.repo && ItemSource::in_tracker(item, format).is_none()
        })
    }
}
