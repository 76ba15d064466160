//! Records with the keys of the items that they become.

use super::TrackerRecord;
use crate::model::ItemKey;

/// A record with the keys that it was given.
#[derive(Debug)]
pub(super) struct KeyedRecord {
    pub(super) key: ItemKey,
    pub(super) parent: Option<ItemKey>,
    pub(super) depends_on: Vec<ItemKey>,
    pub(super) record: TrackerRecord,
}

/// Where a record is, for messages.
#[derive(Debug, Clone)]
pub(super) struct RecordPlace {
    pub(super) file: usize,
    pub(super) line: usize,
    pub(super) title: String,
}

impl From<&TrackerRecord> for RecordPlace {
    fn from(record: &TrackerRecord) -> Self {
        Self { file: record.file, line: record.line, title: record.title.clone() }
    }
}
