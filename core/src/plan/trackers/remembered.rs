//! What an export wrote, as the items remember it: it is no change by somebody else.

use std::collections::BTreeSet;

use super::export_item::ExportedItems;
use super::item_source::ItemSource;
use super::record::{TrackerFile, TrackerRecord};
use crate::model::Item;
use crate::store::{ItemImport, Provenance, ReimportedItem};

/// Returns the change by which items remember what an export wrote into `file`, which was read
/// again. Nothing is to be remembered of a record that is as it was.
pub fn remember_export(
    written: TrackerFile,
    items: &ExportedItems,
    file: &str,
    provenance: &Provenance,
) -> ItemImport {
    let format = written.format;
    let known = items.by_id();
    let sources = items.items.iter().filter_map(|exported| exported.source.as_ref());
    let files: BTreeSet<&str> = sources.filter_map(|source| source.file.as_deref()).collect();
    // Into a copy, what is new is written besides: the file of the tracker does not have it yet.
    let is_copy = !files.is_empty() && !files.contains(file);
    let own_file = files.first().copied().filter(|_| is_copy).unwrap_or(file);
    // New records stay behind those that were there, also behind ones that move up later.
    let orders = items.items.iter().filter_map(|exported| Some(exported.source.as_ref()?.order));
    let next = orders.max().map_or(0, |last| last + 1);
    let changed = (next..).zip(written.records).filter_map(|(order, record)| {
        let exported = known.get(&record.id)?;
        let mut extra = exported.item.extra.clone();
        match &exported.source {
            Some(source) => remember_record(source, record, &exported.item, file)?,
            None => ItemSource {
                order,
                file: Some(own_file.to_owned()),
                is_missing: is_copy,
                ..ItemSource::of_record(format, record, &exported.item)
            },
        }
        .store_in(&mut extra);
        let key = exported.item.key.clone();
        Some(ReimportedItem::of_extra(key, extra, provenance.clone()))
    });
    ItemImport { added: Vec::new(), changed: changed.collect(), provenance: provenance.clone() }
}

/// Returns the source of an item once its record was written. In the file that the record came
/// from, later changes start from what was written; any other file is a copy, of which it is only
/// known that nobody else wrote it.
fn remember_record(
    source: &ItemSource,
    record: TrackerRecord,
    item: &Item,
    file: &str,
) -> Option<ItemSource> {
    if source.file.as_deref() != Some(file) {
        if source.knows_record(&record) {
            return None;
        }
        let mut copied = source.clone();
        copied.add_seen(&record.original);
        return Some(copied);
    }
    let written = ItemSource {
        order: source.order,
        file: source.file.clone(),
        seen: source.seen_before(&record.original),
        ..ItemSource::of_record(source.format, record, item)
    };
    (written != *source).then_some(written)
}
