//! Items on their way back into a tracker.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::item_source::ItemSource;
use super::record::{TrackerFile, TrackerFormat, TrackerRecord};
use super::redaction::with_text_of_file;
use crate::model::{Item, ItemKey};

/// An item with the record it came from, if it came from the tracker that is written.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedItem {
    /// The item.
    pub item: Item,
    /// Its record.
    pub source: Option<ItemSource>,
    /// Its record with the secrets that the file to replace has, which are known there alone.
    unredacted: Option<Map<String, Value>>,
}

impl ExportedItem {
    /// Returns the fields that it came with, as they are to be written where nothing changed.
    pub(super) fn fields_of_file(&self) -> Option<&Map<String, Value>> {
        self.unredacted.as_ref().or_else(|| Some(&self.source.as_ref()?.record))
    }
}

/// The items to be written, in the order of the tracker: imported ones in their old order, then
/// the others as they were added.
#[derive(Debug, Default)]
pub struct ExportedItems {
    /// The items.
    pub items: Vec<ExportedItem>,
    ids: BTreeMap<ItemKey, String>,
    /// Where the files of items are that somebody moved since the import.
    places: BTreeMap<ItemKey, String>,
    /// Records of items that were removed here.
    removed: Vec<ItemSource>,
}

impl ExportedItems {
    /// Collects items for a tracker. Where some came from it, those of other trackers are left out,
    /// which have a place of their own; else they move to it and count as new. One that an export
    /// wrote there before stays there.
    pub fn new(items: Vec<Item>, format: TrackerFormat) -> Self {
        let origin = |item: &Item| ItemSource::of_item(item).map(|source| source.format);
        let is_in_use = items.iter().any(|item| origin(item) == Some(format));
        let is_foreign = |item: &Item| {
            origin(item).is_some_and(|other| ![format, TrackerFormat::JsonLines].contains(&other))
                && ItemSource::in_tracker(item, format).is_none()
        };
        let mut items: Vec<ExportedItem> = items
            .into_iter()
            .filter(|item| !(is_in_use && is_foreign(item)))
            .map(|item| {
                let source = ItemSource::in_tracker(&item, format);
                ExportedItem { item, source, unredacted: None }
            })
            .collect();
        items.sort_by_key(|exported| {
            let added_at = exported.item.created_at;
            let source = exported.source.as_ref();
            source.map_or((true, 0, Some(added_at)), |source| (false, source.order, None))
        });
        let ids = items.iter().filter_map(|exported| {
            let source = exported.source.as_ref()?;
            Some((exported.item.key.clone(), source.id.clone()))
        });
        Self { ids: ids.collect(), items, ..Self::default() }
    }

    /// Adds what is known of items that were removed here: their records go from the file as well.
    pub fn add_removed(&mut self, removed: impl IntoIterator<Item = ItemSource>) {
        self.removed.extend(removed);
    }

    /// Takes over the text of the file where that is redacted here.
    pub(super) fn keep_text_of_file(&mut self, file: &TrackerFile) {
        let with_secrets = file.records.iter().filter(|record| record.unredacted.is_some());
        let records: BTreeMap<&str, &TrackerRecord> =
            with_secrets.map(|record| (record.id.as_str(), record)).collect();
        for exported in &mut self.items {
            let Some(source) = &exported.source else { continue };
            let record = records.get(source.id.as_str());
            exported.unredacted = record.and_then(|record| with_text_of_file(source, record));
        }
    }

    /// Tells whether a record is that of an item which was removed here, as it was known.
    pub(super) fn is_removed(&self, record: &TrackerRecord) -> bool {
        let mut removed = self.removed.iter().filter(|source| source.id == record.id);
        removed.any(|source| source.knows_record(record))
    }

    /// Lists the items by their ids in the tracker.
    pub(super) fn by_id(&self) -> BTreeMap<String, &ExportedItem> {
        self.items.iter().map(|exported| (self.id_of(&exported.item.key), exported)).collect()
    }

    /// Returns the id that an item has in the tracker; a new one has its key.
    pub fn id_of(&self, key: &ItemKey) -> String {
        self.ids.get(key).cloned().unwrap_or_else(|| key.to_string())
    }

    /// Returns where the file of an item is, if somebody moved it.
    pub(super) fn place_of(&self, key: &ItemKey) -> Option<&str> {
        self.places.get(key).map(String::as_str)
    }

    /// Notes where the file of an item is.
    pub(super) fn set_place(&mut self, key: ItemKey, path: String) {
        self.places.insert(key, path);
    }

    /// Gives an item an id in the tracker.
    pub(super) fn set_id(&mut self, key: ItemKey, id: String) {
        self.ids.insert(key, id);
    }
}
