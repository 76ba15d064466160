//! Which key each record of a file gets, and which of its references are taken over.

use std::collections::BTreeMap;

use super::beads;
use super::import_context::ImportContext;
use super::import_graph::DroppedReference;
use super::item_keys::KeyTable;
use super::item_source::ItemSource;
use super::keyed_record::{KeyedRecord, RecordPlace};
use super::record::{SkippedRecord, TrackerFormat, TrackerRecord, shorten};
use super::tracker_places::ImportPlace;
use crate::model::ItemKey;
use crate::plan::SkippedLine;

/// Says which reference was dropped, since items would wait for themselves.
pub(super) fn describe_dropped(dropped: &DroppedReference) -> SkippedRecord {
    let reason = if dropped.is_parent {
        format!("its parent {} would wait for itself; ignored", dropped.on)
    } else {
        format!("the dependency on {} closes a circle; ignored", dropped.on)
    };
    skipped_field(&dropped.place, reason)
}

/// Names a field that is not taken over.
pub(super) fn skipped_field(place: &RecordPlace, reason: String) -> SkippedRecord {
    let line = SkippedLine::ignored_dependency(place.line, &place.title, reason);
    SkippedRecord { file: place.file, line }
}

/// Gives each record a key, and turns references to ids into keys.
pub(super) fn give_keys(
    format: TrackerFormat,
    records: Vec<TrackerRecord>,
    (context, place): (&ImportContext<'_>, &ImportPlace<'_>),
    skipped: &mut Vec<SkippedRecord>,
) -> Vec<KeyedRecord> {
    let mut table = KeyTable::new(format, context, place);
    let keys: Vec<ItemKey> = records.iter().map(|record| table.give_key(record)).collect();
    let is_deleted = |(record, _): &(&TrackerRecord, &ItemKey)| {
        format == TrackerFormat::Beads && beads::is_deleted(&record.original)
    };
    let deleted: BTreeMap<String, ItemKey> = (records.iter().zip(&keys).filter(is_deleted))
        .map(|(record, key)| (record.id.clone(), key.clone()))
        .collect();
    // Who waits here for what was deleted before was told to since.
    let waits_all_the_same = |key: &ItemKey, on: &ItemKey| {
        let on_source = context.existing.get(on).and_then(|on| ItemSource::in_tracker(on, format));
        on_source.is_some_and(|source| beads::is_deleted(&source.record))
            && context.existing.get(key).is_some_and(|item| item.depends_on.contains(on))
    };
    let why_unknown = |id: &str| {
        let is_removed = context.removed.iter().any(|removed| removed.source.id == id);
        if is_removed { "which was removed here" } else { "which is not in the file" }
    };
    let keyed = records.into_iter().zip(keys).map(|(mut record, key)| {
        record
            .depends_on
            .retain(|id| deleted.get(id).is_none_or(|on| waits_all_the_same(&key, on)));
        let mut report = |what: &str, id: &str, why: &str| {
            let reason = format!("{what} {}, {why}; ignored", shorten(id));
            skipped.push(skipped_field(&RecordPlace::from(&record), reason));
        };
        let parent = record.parent.as_deref().and_then(|id| {
            let parent = table.find(id).cloned();
            match &parent {
                None => report("its parent is", id, why_unknown(id)),
                Some(parent) if *parent == key => report("its parent is", id, "which is itself"),
                Some(_) => return parent,
            }
            None
        });
        let mut depends_on = Vec::new();
        for id in &record.depends_on {
            match table.find(id) {
                None => report("it depends on", id, why_unknown(id)),
                Some(on) if *on == key => report("it depends on", id, "which is itself"),
                Some(on) if !depends_on.contains(on) => depends_on.push(on.clone()),
                Some(_) => {}
            }
        }
        depends_on.sort();
        KeyedRecord { key, parent, depends_on, record }
    });
    keyed.collect()
}
