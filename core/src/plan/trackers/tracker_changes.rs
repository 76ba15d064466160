//! What a tracker's file has that was not imported, and that an export would destroy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::backlog::{PATH_FIELD, TEXT_FIELD};
use super::export_item::{ExportedItem, ExportedItems};
use super::given_ids::GivenIds;
use super::item_source::{ItemSource, SOURCE_FIELD};
use super::record::{TrackerFile, TrackerFormat, TrackerRecord, shorten};
use super::task_master::{MAIN_TAG, METADATA_FIELD, TAG_FIELD};
use super::task_numbers::{find_all_numbers, number_new_items};
use super::written_record::{key_of_written_item, written_fields};
use crate::model::ItemKey;

/// A part of a file that differs from what was imported of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackerChange {
    /// The file, by its place among those that were read.
    pub file: usize,
    /// The line, from 1.
    pub line: usize,
    /// What it is.
    pub problem: String,
    /// Whether an import skips it, so that it has to be mended first.
    pub is_skipped: bool,
}

/// Lists what a file has that was not imported, or changed since then, in the order of the file.
/// The items know the file as `place`.
pub fn find_tracker_changes(
    file: &TrackerFile,
    items: &mut ExportedItems,
    place: &str,
) -> Vec<TrackerChange> {
    let mut copied = BTreeMap::new();
    if file.format == TrackerFormat::TaskMaster {
        let given = find_given_ids(file, Map::new());
        number_new_items(items, &given);
        copied = list_copied(items, &given);
    }
    if file.format == TrackerFormat::Backlog {
        note_moved_files(file, items);
    }
    items.keep_text_of_file(file);
    let known = items.by_id();
    let changed = file.records.iter().filter_map(|record| {
        let problem = match known.get(&record.id) {
            Some(exported) => describe_difference(file.format, record, exported, items)?,
            // The file of a new task is not touched.
            None if file.format == TrackerFormat::Backlog => return None,
            None if items.is_removed(record) => return None,
            None if copied.get(&record.id).is_some_and(|source| source.knows_record(record)) => {
                return None;
            }
            None => format!("{} was not imported", shorten(&record.id)),
        };
        Some(TrackerChange { file: record.file, line: record.line, problem, is_skipped: false })
    });
    let skipped = file.skipped.iter().filter(|skipped| {
        // Only what becomes an item is written in these.
        !skipped.line.is_imported && file.format != TrackerFormat::Backlog
    });
    let skipped = skipped.map(|skipped| TrackerChange {
        file: skipped.file,
        line: skipped.line.line,
        problem: skipped.line.reason.clone(),
        is_skipped: true,
    });
    let missing = list_missing(file, items, place).map(|id| TrackerChange {
        file: 0,
        line: 1,
        problem: format!("{} is not in it any more", shorten(id)),
        is_skipped: false,
    });
    let mut all: Vec<TrackerChange> = changed.chain(skipped).chain(missing).collect();
    all.sort_by_key(|change| (change.file, change.line));
    all
}

/// Notes where the files of tasks are: one that somebody moved stays there.
fn note_moved_files(file: &TrackerFile, items: &mut ExportedItems) {
    let known = items.by_id();
    let moved = file.records.iter().filter_map(|record| {
        let exported = known.get(&record.id).filter(|exported| exported.source.is_some())?;
        let path = super::fields::text(&record.original, PATH_FIELD)?;
        Some((exported.item.key.clone(), path.to_owned()))
    });
    let moved: Vec<(ItemKey, String)> = moved.collect();
    for (key, path) in moved {
        items.set_place(key, path);
    }
}

/// Lists what is known of tasks that moved, by the ids that an export gives them in a copy.
fn list_copied(items: &ExportedItems, given: &GivenIds) -> BTreeMap<String, ItemSource> {
    let ids = find_all_numbers(items, given);
    let copied = items.items.iter().filter_map(|exported| {
        let source = exported.source.as_ref()?;
        let id = ids.get(&exported.item.key).filter(|id| **id != source.id)?;
        Some((id.clone(), source.clone()))
    });
    copied.collect()
}

/// Lists the ids of items that were in the file and are not any more. A file of Backlog.md has
/// only one.
fn list_missing<'a>(
    file: &'a TrackerFile,
    items: &'a ExportedItems,
    place: &'a str,
) -> impl Iterator<Item = &'a str> {
    let ids: BTreeSet<&str> = file.records.iter().map(|record| record.id.as_str()).collect();
    let sources = items.items.iter().filter_map(|exported| exported.source.as_ref());
    let of_file = sources
        .filter(move |source| file.format.is_one_file() && source.file.as_deref() == Some(place))
        .filter(|source| !source.is_missing);
    of_file.map(|source| source.id.as_str()).filter(move |id| !ids.contains(id))
}

/// Lists the files, by their place, that have nothing but the record of an item that was removed
/// here.
pub fn find_removed_files(file: &TrackerFile, items: &ExportedItems) -> Vec<usize> {
    let known = items.by_id();
    let is_removed = |record: &&TrackerRecord| {
        file.format == TrackerFormat::Backlog
            && !known.contains_key(&record.id)
            && items.is_removed(record)
    };
    file.records.iter().filter(is_removed).map(|record| record.file).collect()
}

/// Returns the ids that a file of task-master has for items that were added here, with what the
/// members of the file are besides lists with tasks.
pub fn find_given_ids(file: &TrackerFile, others: Map<String, Value>) -> GivenIds {
    let with_tasks: BTreeSet<&str> = file
        .records
        .iter()
        .filter_map(|record| super::fields::text(&record.original, TAG_FIELD))
        .collect();
    let members = others.iter().map(|(name, value)| {
        let members = value.as_object().into_iter().flat_map(Map::keys).cloned();
        (name.clone(), members.collect())
    });
    let members = members.collect();
    let others = others.into_iter().filter(|(name, _)| !with_tasks.contains(name.as_str()));
    let ids = file.records.iter().rev().filter_map(|record| {
        Some((key_of_written_item(TrackerFormat::TaskMaster, record)?, record.id.clone()))
    });
    let metadata = file.records.iter().filter_map(|record| {
        let tag = super::fields::text(&record.original, TAG_FIELD).unwrap_or(MAIN_TAG);
        Some((tag.to_owned(), record.fields_of_file().get(METADATA_FIELD)?.clone()))
    });
    let taken = file.records.iter().map(|record| record.id.clone()).collect();
    GivenIds {
        ids: ids.collect(),
        taken,
        others: others.collect(),
        metadata: metadata.collect(),
        members,
    }
}

/// Says how a record differs from what its item has of it.
fn describe_difference(
    format: TrackerFormat,
    record: &TrackerRecord,
    exported: &ExportedItem,
    items: &ExportedItems,
) -> Option<String> {
    let id = shorten(&record.id);
    let fields = match &exported.source {
        Some(source) if source.leaves_status(&exported.item) => vec!["status".to_owned()],
        Some(source) if source.knows_record(record) => return None,
        Some(source) => differing_fields(format, &record.original, &source.record),
        None if exported.item.extra.contains_key(SOURCE_FIELD) => {
            // It came from another tracker, and no import of this one brings it.
            return None;
        }
        None => {
            let written = of_item(&written_fields(format, &exported.item, items)?);
            differing_fields(format, &of_item(&record.original), &written)
        }
    };
    (!fields.is_empty()).then(|| format!("{id} differs in {}", fields.join(", ")))
}

/// Lists the fields that two records do not share.
fn differing_fields(
    format: TrackerFormat,
    in_file: &Map<String, Value>,
    imported: &Map<String, Value>,
) -> Vec<String> {
    let keys: BTreeSet<&str> = in_file.keys().chain(imported.keys()).map(String::as_str).collect();
    let differs = |key: &&str| in_file.get(*key) != imported.get(*key);
    let mut differing: Vec<&str> = keys.into_iter().filter(differs).collect();
    if format == TrackerFormat::Backlog {
        // The text has all; the other fields are read of it.
        let is_same = !differing.contains(&TEXT_FIELD);
        differing.retain(|key| !is_same && !key.starts_with('_'));
        if differing.is_empty() && !is_same {
            differing.push("its text");
        }
    }
    differing.into_iter().map(str::to_owned).collect()
}

/// Leaves out what a record has of its list.
fn of_item(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut fields = fields.clone();
    for key in [TAG_FIELD, METADATA_FIELD] {
        fields.shift_remove(key);
    }
    fields
}
