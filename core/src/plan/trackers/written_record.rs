//! The records of items that were added here, as an export writes them.

use serde_json::{Map, Value};

use super::backlog_writer::{new_path, new_text};
use super::beads_writer::new_issue;
use super::export_item::ExportedItems;
use super::item_source::ItemSource;
use super::record::{TrackerFormat, TrackerRecord};
use super::task_master_writer::new_task;
use super::{backlog, fields, task_master};
use crate::model::{Item, ItemKey, Timestamp};

/// Returns the key of the item that an export wrote as this record, if it wrote it.
pub(super) fn key_of_written_item(
    format: TrackerFormat,
    record: &TrackerRecord,
) -> Option<ItemKey> {
    match format {
        TrackerFormat::Beads | TrackerFormat::Backlog => record.id.parse().ok(),
        TrackerFormat::TaskMaster => task_master::written_item(&record.original),
        TrackerFormat::ClientTasks | TrackerFormat::JsonLines => None,
    }
}

/// Returns the fields of the record that an export writes for an item that was added here.
pub(super) fn written_fields(
    format: TrackerFormat,
    item: &Item,
    items: &ExportedItems,
) -> Option<Map<String, Value>> {
    match format {
        TrackerFormat::Beads => Some(new_issue(item, items)),
        TrackerFormat::TaskMaster => Some(new_task(item, items)),
        TrackerFormat::Backlog => {
            let (path, text) = (new_path(item, items), new_text(item, items));
            let (record, _) = backlog::parse_task(&path, &text, &[]).ok()?;
            Some(record.original)
        }
        TrackerFormat::ClientTasks | TrackerFormat::JsonLines => None,
    }
}

/// Tells whether a record is older than the item that was written as it, so that nothing in it is
/// news.
pub(super) fn is_outdated(format: TrackerFormat, record: &TrackerRecord, item: &Item) -> bool {
    written_as_of(format, &record.original).is_some_and(|at| at < item.updated_at)
}

fn written_as_of(format: TrackerFormat, fields: &Map<String, Value>) -> Option<Timestamp> {
    match format {
        TrackerFormat::Beads => fields::time(fields, "updated_at"),
        TrackerFormat::TaskMaster => task_master::written_as_of(fields),
        TrackerFormat::Backlog => backlog::date(fields, "updated_date"),
        TrackerFormat::ClientTasks | TrackerFormat::JsonLines => None,
    }
}

/// Tells whether an export may have written a record for an item. One that is older than the item, or
/// without the mark of an export, is somebody else's: the item was added here under its id.
fn may_be_written(format: TrackerFormat, record: &TrackerRecord, item: &Item) -> bool {
    match format {
        TrackerFormat::Beads => fields::time(&record.original, "created_at")
            .is_none_or(|at| at.as_millis() + 1_000 > item.created_at.as_millis()),
        TrackerFormat::TaskMaster => task_master::written_item(&record.original).is_some(),
        TrackerFormat::Backlog | TrackerFormat::ClientTasks | TrackerFormat::JsonLines => true,
    }
}

/// Returns what an import compares the record of an item with that was added here and exported:
/// what the export writes for it, or the record itself where the item changed since then. There is
/// none where no export wrote the record.
pub(super) fn base_of_written_item(
    format: TrackerFormat,
    record: &TrackerRecord,
    depends_on: &[ItemKey],
    item: &Item,
    items: &ExportedItems,
) -> Option<ItemSource> {
    if !may_be_written(format, record, item) {
        return None;
    }
    let is_outdated = is_outdated(format, record, item);
    let fields =
        if is_outdated { record.original.clone() } else { written_fields(format, item, items)? };
    let depends_on = if is_outdated { depends_on } else { &item.depends_on };
    Some(ItemSource {
        format,
        id: record.id.clone(),
        order: 0,
        parent: item.parent.clone(),
        depends_on: depends_on.to_vec(),
        record: fields,
        status_taken: None,
        file: None,
        is_missing: false,
        seen: Vec::new(),
    })
}
