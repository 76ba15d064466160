//! What a tracker's file holds: records, and what was skipped of it.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::model::{ItemStatus, Timestamp};
use crate::plan::SkippedLine;

/// The kind of an item of which a record says none.
pub(super) const USUAL_KIND: &str = "task";

/// A tracker whose files can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrackerFormat {
    /// `.beads/issues.jsonl`.
    Beads,
    /// `.taskmaster/tasks/tasks.json`.
    TaskMaster,
    /// `backlog/tasks/*.md`.
    Backlog,
    /// The task lists of Claude Code.
    ClientTasks,
    /// The output of `trueup export`.
    JsonLines,
}

/// The error for a word that names no tracker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no format; known are beads, task-master, backlog, client-tasks, json-lines")]
pub struct UnknownTrackerFormat(String);

impl TrackerFormat {
    /// Every format.
    pub const ALL: [Self; 5] =
        [Self::Beads, Self::TaskMaster, Self::Backlog, Self::ClientTasks, Self::JsonLines];

    /// Returns the name, as it is given to `--format`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Beads => "beads",
            Self::TaskMaster => "task-master",
            Self::Backlog => "backlog",
            Self::ClientTasks => "client-tasks",
            Self::JsonLines => "json-lines",
        }
    }

    /// Tells whether all records of the tracker are in one file.
    pub(super) const fn is_one_file(self) -> bool {
        matches!(self, Self::Beads | Self::TaskMaster)
    }

    /// Tells whether exports write files of the tracker, which are imported again.
    pub(super) const fn is_written(self) -> bool {
        matches!(self, Self::Beads | Self::TaskMaster | Self::Backlog)
    }
}

impl fmt::Display for TrackerFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TrackerFormat {
    type Err = UnknownTrackerFormat;

    fn from_str(text: &str) -> Result<Self, UnknownTrackerFormat> {
        let known = Self::ALL.into_iter().find(|format| format.as_str() == text);
        known.ok_or_else(|| UnknownTrackerFormat(text.chars().take(40).collect()))
    }
}

/// A file to be read.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// Its path, as messages name it.
    pub path: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// Why files cannot be read as those of a tracker.
#[derive(Debug, thiserror::Error)]
pub enum TrackerError {
    /// The file is not JSON.
    #[error("{path} does not parse: {source}")]
    Syntax {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The file is JSON of another shape.
    #[error("{path}: {problem}")]
    Shape {
        /// The file.
        path: String,
        /// What is missing.
        problem: &'static str,
    },
}

/// How far a record is, in the words that all trackers share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordStatus {
    /// Not started; whether it can be started depends on its dependencies.
    Waiting,
    /// In progress.
    Active,
    /// Waits for something that no dependency names.
    Blocked,
    /// Completed.
    Done,
    /// Ended with an error.
    Failed,
    /// Given up.
    Cancelled,
}

impl RecordStatus {
    /// Returns the status of an item, or `None` where its dependencies decide.
    pub const fn item_status(self) -> Option<ItemStatus> {
        match self {
            Self::Waiting => None,
            Self::Active => Some(ItemStatus::Running),
            Self::Blocked => Some(ItemStatus::Blocked),
            Self::Done => Some(ItemStatus::Completed),
            Self::Failed => Some(ItemStatus::Failed),
            Self::Cancelled => Some(ItemStatus::Cancelled),
        }
    }
}

impl RecordStatus {
    /// Returns what is read of this status once it was written: not every tracker has all of them.
    pub(super) const fn as_written(self, format: TrackerFormat) -> Self {
        match (format, self) {
            (TrackerFormat::Beads | TrackerFormat::Backlog, Self::Failed | Self::Cancelled) => {
                Self::Done
            }
            (TrackerFormat::TaskMaster, Self::Failed) => Self::Cancelled,
            _ => self,
        }
    }
}

impl From<ItemStatus> for RecordStatus {
    fn from(status: ItemStatus) -> Self {
        match status {
            ItemStatus::Queued | ItemStatus::Ready => Self::Waiting,
            ItemStatus::Running => Self::Active,
            ItemStatus::Blocked => Self::Blocked,
            ItemStatus::Completed => Self::Done,
            ItemStatus::Failed => Self::Failed,
            ItemStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// A record of a tracker.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackerRecord {
    /// The file, by its place among those that were read.
    pub file: usize,
    /// The line, from 1.
    pub line: usize,
    /// The id, as other records name it.
    pub id: String,
    /// The title.
    pub title: String,
    /// The description.
    pub description: Option<String>,
    /// The kind of work, in the tracker's own word.
    pub kind: Option<String>,
    /// How far it is.
    pub status: RecordStatus,
    /// What the tracker says about the status: why it was closed, that it was deferred.
    pub status_reason: Option<String>,
    /// The priority, 0 first and 4 last.
    pub priority: Option<u8>,
    /// The priority in the tracker's own word.
    pub priority_word: Option<String>,
    /// The record that it is a part of.
    pub parent: Option<String>,
    /// The records that have to be completed first.
    pub depends_on: Vec<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was finished.
    pub closed_at: Option<Timestamp>,
    /// Until when it is no work, where that alone keeps it from being.
    pub deferred_until: Option<Timestamp>,
    /// Every field of the record, value for value, without secrets.
    pub original: Map<String, Value>,
    /// The fields as the file has them, where some of them hold secrets.
    pub unredacted: Option<Map<String, Value>>,
}

impl TrackerRecord {
    /// Returns the fields as the file has them.
    pub fn fields_of_file(&self) -> &Map<String, Value> {
        self.unredacted.as_ref().unwrap_or(&self.original)
    }

    /// Makes a record with nothing but an id and a title.
    pub(super) fn new(id: String, title: String) -> Self {
        Self {
            file: 0,
            line: 1,
            id,
            title,
            description: None,
            kind: None,
            status: RecordStatus::Waiting,
            status_reason: None,
            priority: None,
            priority_word: None,
            parent: None,
            depends_on: Vec::new(),
            created_at: None,
            closed_at: None,
            deferred_until: None,
            original: Map::new(),
            unredacted: None,
        }
    }
}

/// A part of a file that was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedRecord {
    /// The file, by its place among those that were read.
    pub file: usize,
    /// Where, what and why.
    pub line: SkippedLine,
}

/// What the files of a tracker hold.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackerFile {
    /// The tracker.
    pub format: TrackerFormat,
    /// The name of the whole, if it has one.
    pub title: Option<String>,
    /// The records in the tracker's order. No id occurs twice.
    pub records: Vec<TrackerRecord>,
    /// What was skipped, in the order of the files.
    pub skipped: Vec<SkippedRecord>,
}

/// The records of files that are being read.
#[derive(Debug, Default)]
pub(super) struct RecordList {
    records: Vec<TrackerRecord>,
    ids: std::collections::BTreeSet<String>,
    skipped: Vec<SkippedRecord>,
}

impl RecordList {
    /// Adds a record, unless its id is taken.
    pub(super) fn add(&mut self, mut record: TrackerRecord) {
        let texts = [record.description.as_mut(), record.status_reason.as_mut()];
        for text in texts.into_iter().flatten().chain([&mut record.title, &mut record.id]) {
            replace_nul(text);
        }
        replace_nul_in_fields(&mut record.original);
        if self.ids.insert(record.id.clone()) {
            self.records.push(record);
        } else {
            let reason = format!("duplicate id {}; the first one counts", shorten(&record.id));
            self.skip(record.file, record.line, &record.title, reason);
        }
    }

    /// Counts the records.
    pub(super) const fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns a record by its place.
    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut TrackerRecord> {
        self.records.get_mut(place)
    }

    /// Notes that a part of a file was not imported.
    pub(super) fn skip(&mut self, file: usize, line: usize, text: &str, reason: impl Into<String>) {
        self.skipped.push(SkippedRecord { file, line: SkippedLine::new(line, text, reason) });
    }

    /// Notes that a record was imported without one of its fields.
    pub(super) fn skip_field(
        &mut self,
        file: usize,
        line: usize,
        text: &str,
        reason: impl Into<String>,
    ) {
        let line = SkippedLine::ignored_dependency(line, text, reason);
        self.skipped.push(SkippedRecord { file, line });
    }

    /// Completes the list. References to records that are not there are kept: who imports them
    /// decides what to do about them.
    pub(super) fn finish(mut self, format: TrackerFormat) -> TrackerFile {
        self.skipped.sort_by_key(|skipped| (skipped.file, skipped.line.line));
        TrackerFile { format, title: None, records: self.records, skipped: self.skipped }
    }
}

/// Replaces the character that no database of PostgreSQL can hold.
fn replace_nul(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
}

fn replace_nul_in(value: &mut Value) {
    match value {
        Value::String(text) => replace_nul(text),
        Value::Array(list) => list.iter_mut().for_each(replace_nul_in),
        Value::Object(fields) => replace_nul_in_fields(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn replace_nul_in_fields(fields: &mut Map<String, Value>) {
    if fields.keys().any(|key| key.contains('\0')) {
        let old = std::mem::take(fields);
        fields.extend(old.into_iter().map(|(mut key, value)| {
            replace_nul(&mut key);
            (key, value)
        }));
    }
    fields.values_mut().for_each(replace_nul_in);
}

/// Shortens an id for a message.
pub(super) fn shorten(id: &str) -> String {
    id.chars().take(60).collect()
}
