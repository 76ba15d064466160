//! Where an item came from, as its extra fields keep it.

use serde_json::{Map, Value, json};

use super::fields;
use super::record::{RecordStatus, TrackerFormat, TrackerRecord};
use super::{backlog, beads, client_tasks, json_lines, task_master};
use crate::fs::short_digest;
use crate::model::{Item, ItemKey, ItemStatus};

/// The extra field of an item that holds its source.
pub const SOURCE_FIELD: &str = "source";

/// The extra field of an item that holds what exports wrote of it into files of other trackers, by
/// their names.
pub(super) const LINKS_FIELD: &str = "links";

/// How many digests of earlier records are kept.
const MAX_SEEN: usize = 16;

/// The field of a source that holds the status taken over last.
const STATUS_TAKEN_FIELD: &str = "status_taken";

/// The field of a source whose record is not in its file.
const MISSING_FIELD: &str = "missing";

/// The record that an item was imported from.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemSource {
    /// The tracker.
    pub format: TrackerFormat,
    /// The id in the tracker.
    pub id: String,
    /// The place in the tracker's order, from 0.
    pub order: u64,
    /// The parent that the item was given.
    pub parent: Option<ItemKey>,
    /// The dependencies that the item was given.
    pub depends_on: Vec<ItemKey>,
    /// Every field of the record, value for value.
    pub record: Map<String, Value>,
    /// The status that an import took over last, where it left that of the record: a later import
    /// takes it once it can.
    pub status_taken: Option<RecordStatus>,
    /// The file of the tracker that has the record.
    pub file: Option<String>,
    /// Whether the file does not have the record, so that the next export writes it again.
    pub is_missing: bool,
    /// Digests of the record as it was read or written before, or was written into other files, the
    /// latest last.
    pub seen: Vec<String>,
}

impl ItemSource {
    /// Returns the source of an item, if it was imported.
    pub fn of_item(item: &Item) -> Option<Self> {
        Self::from_extra(&item.extra)
    }

    /// Returns what an item is in a tracker: the record it came from, or the one that an export
    /// wrote there.
    pub fn in_tracker(item: &Item, format: TrackerFormat) -> Option<Self> {
        Self::in_extra(&item.extra, format)
    }

    /// Returns what an item with these extra fields is in a tracker.
    pub fn in_extra(extra: &Map<String, Value>, format: TrackerFormat) -> Option<Self> {
        let origin = Self::from_extra(extra).filter(|source| source.format == format);
        let link = || extra.get(LINKS_FIELD)?.get(format.as_str());
        origin.or_else(|| Self::from_value(link()?).filter(|source| source.format == format))
    }

    /// Reads a source from the extra fields of an item.
    pub fn from_extra(extra: &Map<String, Value>) -> Option<Self> {
        Self::from_value(extra.get(SOURCE_FIELD)?)
    }

    fn from_value(value: &Value) -> Option<Self> {
        let source = value.as_object()?;
        let keys = source.get("depends_on").and_then(Value::as_array);
        let keys = keys.into_iter().flatten().filter_map(read_key);
        Some(Self {
            format: source.get("format")?.as_str()?.parse().ok()?,
            id: source.get("id")?.as_str()?.to_owned(),
            order: source.get("order").and_then(Value::as_u64).unwrap_or_default(),
            parent: source.get("parent").and_then(read_key),
            depends_on: keys.collect(),
            record: source.get("record")?.as_object()?.clone(),
            status_taken: source
                .get(STATUS_TAKEN_FIELD)
                .and_then(Value::as_str)
                .and_then(|word| word.parse::<ItemStatus>().ok())
                .map(RecordStatus::from),
            file: source.get("file").and_then(Value::as_str).map(str::to_owned),
            is_missing: source.get(MISSING_FIELD).is_some_and(|missing| *missing == json!(true)),
            seen: fields::ids(source, "seen"),
        })
    }

    /// Writes the source as an extra field.
    pub fn to_value(&self) -> Value {
        let mut source = json!({
            "format": self.format.as_str(), "id": self.id, "order": self.order,
            "parent": self.parent, "depends_on": self.depends_on, "record": self.record,
        });
        if let Some(status) = self.status_taken {
            let status = status.item_status().unwrap_or(ItemStatus::Queued);
            source[STATUS_TAKEN_FIELD] = json!(status.as_str());
        }
        if let Some(file) = &self.file {
            source["file"] = json!(file);
        }
        if self.is_missing {
            source[MISSING_FIELD] = json!(true);
        }
        if !self.seen.is_empty() {
            source["seen"] = json!(self.seen);
        }
        source
    }

    /// Returns the source of an item whose record says what is here.
    pub(super) fn of_record(format: TrackerFormat, record: TrackerRecord, item: &Item) -> Self {
        Self {
            format,
            id: record.id,
            order: 0,
            parent: item.parent.clone(),
            depends_on: item.depends_on.clone(),
            record: record.original,
            status_taken: None,
            file: None,
            is_missing: false,
            seen: Vec::new(),
        }
    }

    /// Puts the source among the extra fields of an item: where it is its origin, as that, else as
    /// a link.
    pub(super) fn store_in(&self, extra: &mut Map<String, Value>) {
        if Self::from_extra(extra).is_some_and(|origin| origin.format == self.format) {
            extra.insert(SOURCE_FIELD.to_owned(), self.to_value());
            return;
        }
        let links = extra.entry(LINKS_FIELD).or_insert_with(|| json!({}));
        if let Value::Object(links) = links {
            links.insert(self.format.as_str().to_owned(), self.to_value());
        }
    }

    /// Tells whether a record of a file was imported or exported, now or before: nothing in it is
    /// somebody else's news.
    pub(super) fn knows_record(&self, record: &TrackerRecord) -> bool {
        self.record == record.original || self.has_seen(&record.original)
    }

    /// Tells whether a record was read or written before the one that is known now, or was written
    /// into another file.
    pub(super) fn has_seen(&self, record: &Map<String, Value>) -> bool {
        !self.seen.is_empty() && self.seen.contains(&digest_record(record))
    }

    /// Notes that a record was read or written.
    pub(super) fn add_seen(&mut self, record: &Map<String, Value>) {
        let digest = digest_record(record);
        self.seen.retain(|known| *known != digest);
        self.seen.push(digest);
        let surplus = self.seen.len().saturating_sub(MAX_SEEN);
        self.seen.drain(..surplus);
    }

    /// Returns what is remembered once `record` takes the place of the one that is known.
    pub(super) fn seen_before(&self, record: &Map<String, Value>) -> Vec<String> {
        let mut before = self.clone();
        if self.record != *record {
            before.add_seen(&self.record);
        }
        before.seen
    }

    /// Returns the status that an import took over last.
    pub(super) fn base_status(&self) -> RecordStatus {
        self.status_taken.unwrap_or_else(|| self.reread().status)
    }

    /// Tells whether an import left the status of the record, and the item has another one still.
    pub(super) fn leaves_status(&self, item: &Item) -> bool {
        let ours = RecordStatus::from(item.status);
        let is_theirs = |theirs| ours == theirs || ours.as_written(self.format) == theirs;
        self.status_taken.is_some() && !is_theirs(self.reread().status)
    }

    /// Reads the record again: what the item was given when it was imported, but for its parent
    /// and dependencies.
    pub fn reread(&self) -> TrackerRecord {
        reread_record(self.format, self.id.clone(), self.record.clone())
    }

    /// Tells whether two sources are the same record.
    pub fn is_same_record(&self, other: &Self) -> bool {
        self.format == other.format && self.id == other.id
    }
}

/// Reads a record of its fields alone.
pub(super) fn reread_record(
    format: TrackerFormat,
    id: String,
    fields: Map<String, Value>,
) -> TrackerRecord {
    match format {
        TrackerFormat::Beads => beads::parse_issue(id, fields),
        TrackerFormat::TaskMaster => task_master::parse_task(id, fields),
        TrackerFormat::Backlog => backlog::reread_task(id, &fields),
        TrackerFormat::ClientTasks => client_tasks::parse_task(id, fields),
        TrackerFormat::JsonLines => json_lines::parse_item(id, fields),
    }
}

fn read_key(value: &Value) -> Option<ItemKey> {
    value.as_str()?.parse().ok()
}

/// Returns a digest of the fields of a record, whatever their order.
fn digest_record(record: &Map<String, Value>) -> String {
    let mut record = Value::Object(record.clone());
    record.sort_all_objects();
    short_digest(record.to_string().as_bytes())
}
