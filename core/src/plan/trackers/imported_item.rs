//! What an item is made of that an import brings.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::import_context::ImportContext;
use super::item_source::{ItemSource, SOURCE_FIELD};
use super::json_lines;
use super::keyed_record::KeyedRecord;
use super::record::{RecordStatus, TrackerFormat, TrackerRecord};
use super::reimport::title_of;
use super::tracker_places::ImportPlace;
use crate::model::{ItemPriority, NewItem};
use crate::store::ImportedItem;

/// Makes a new item of a record.
pub(super) fn build_new_item(
    format: TrackerFormat,
    order: u64,
    keyed: KeyedRecord,
    (context, place): (&ImportContext<'_>, &ImportPlace<'_>),
) -> ImportedItem {
    let reason = describe_import(format, &keyed.record);
    let record = &keyed.record;
    let mut item = NewItem::new(keyed.key.clone());
    item.title = title_of(format, record);
    item.kind.clone_from(&record.kind);
    item.parent.clone_from(&keyed.parent);
    item.position = match format {
        TrackerFormat::JsonLines => record.original.get("position").and_then(Value::as_i64),
        _ => i64::try_from(order + 1).ok(),
    };
    item.repo = context.repo.map(str::to_owned);
    item.priority = record.priority.and_then(|rank| ItemPriority::try_from(i64::from(rank)).ok());
    item.description.clone_from(&record.description);
    item.depends_on.clone_from(&keyed.depends_on);
    item.status = record.status.item_status();
    item.requires_evidence = json_lines::requires_evidence(format, record);
    let file = place.own.filter(|_| format.is_written());
    let is_missing = place.is_copy && file.is_some();
    let left = LeftOfBase { file, is_missing, is_new: true, ..LeftOfBase::default() };
    item.extra = build_extra(format, order, keyed, left, &Map::new());
    ImportedItem { item, reason: Some(reason.into()) }
}

/// Returns the extra fields of an item with the source that a record is.
pub(super) fn build_extra(
    format: TrackerFormat,
    order: u64,
    keyed: KeyedRecord,
    left: LeftOfBase<'_>,
    others: &Map<String, Value>,
) -> Map<String, Value> {
    let KeyedRecord { parent, depends_on, mut record, .. } = keyed;
    let mut extra = others.clone();
    if format == TrackerFormat::JsonLines {
        if let Some(Value::Object(exported)) = record.original.shift_remove("extra") {
            extra.extend(exported);
        }
        // An item that another tracker brought stays one of that tracker.
        let of_other = ItemSource::from_extra(&extra)
            .is_some_and(|source| source.format != TrackerFormat::JsonLines);
        if of_other {
            return extra;
        }
    }
    let (id, record) = (record.id, record.original);
    let file = left.file.or_else(|| left.base?.file.as_deref()).map(str::to_owned);
    let is_missing = left.is_missing;
    let is_written = format.is_written();
    let base = left.base.filter(|_| is_written);
    let seen = base.map(|base| base.seen_before(&record)).unwrap_or_default();
    let status_taken = left.status_taken;
    let source = ItemSource {
        format,
        id,
        order,
        parent,
        depends_on,
        record,
        status_taken,
        file,
        is_missing,
        seen,
    };
    if left.is_new {
        extra.insert(SOURCE_FIELD.to_owned(), source.to_value());
    } else {
        source.store_in(&mut extra);
    }
    extra
}

/// What stays of the source that an item had, and what its new one starts with.
#[derive(Default, Clone, Copy)]
pub(super) struct LeftOfBase<'a> {
    pub(super) base: Option<&'a ItemSource>,
    pub(super) status_taken: Option<RecordStatus>,
    pub(super) file: Option<&'a str>,
    /// Whether that file does not have the record.
    pub(super) is_missing: bool,
    /// Whether the item has no origin yet, so that the record becomes it.
    pub(super) is_new: bool,
}

/// Says where an item came from, and what became of it there.
fn describe_import(format: TrackerFormat, record: &TrackerRecord) -> String {
    let mut text = format!("imported from {format}");
    if let Some(at) = record.created_at {
        let _ = write!(text, ", created {at}");
    }
    let word = match record.status {
        RecordStatus::Waiting => return text,
        RecordStatus::Active => "in progress",
        RecordStatus::Blocked => "blocked",
        RecordStatus::Done => "completed",
        RecordStatus::Failed => "failed",
        RecordStatus::Cancelled => "cancelled",
    };
    let _ = write!(text, ", {word}");
    if let Some(at) = record.closed_at {
        let _ = write!(text, " {at}");
    }
    if let Some(reason) = &record.status_reason {
        let _ = write!(text, ": {reason}");
    }
    text
}
