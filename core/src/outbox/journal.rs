//! The journal of edits that lost: append-only, restorable.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::lines;
use crate::files;
use crate::model::Timestamp;
use crate::reconcile::Lost;

/// An edit that lost, and when that was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id, made from what was lost.
    pub id: String,
    /// When it was kept, by the local clock.
    pub at: Timestamp,
    /// What was lost.
    #[serde(flatten)]
    pub lost: Lost,
}

impl Entry {
    fn new(lost: Lost, at: Timestamp) -> Self {
        Self {
            id: lost.id(),
            at,
            lost,
        }
    }
}

fn redacted(entry: &Entry) -> serde_json::Result<serde_json::Value> {
    let mut value = serde_json::to_value(entry)?;
    crate::text::redact::redact_json(&mut value);
    Ok(value)
}

/// The journal file.
#[derive(Debug, Clone)]
pub struct Journal {
    path: PathBuf,
}

impl Journal {
    /// Takes a file for the journal; it need not exist.
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Keeps an edit; the same one is kept once. Returns its id.
    ///
    /// # Errors
    ///
    /// When it could not be written durably.
    pub fn keep(&self, lost: &Lost, at: Timestamp) -> io::Result<String> {
        let id = lost.id();
        if !self.read()?.iter().any(|entry| entry.id == id) {
            lines::append(&self.path, &[redacted(&Entry::new(lost.clone(), at))?])?;
        }
        Ok(id)
    }

    /// Keeps edits that were lost on their way; what is kept already is not looked for, so that
    /// many cost no more than one.
    ///
    /// # Errors
    ///
    /// When they could not be written durably.
    pub fn keep_all(&self, lost: Vec<Lost>, at: Timestamp) -> io::Result<Vec<Entry>> {
        let mut seen = BTreeSet::new();
        let mut entries: Vec<Entry> = lost.into_iter().map(|l| Entry::new(l, at)).collect();
        entries.retain(|entry| seen.insert(entry.id.clone()));
        if !entries.is_empty() {
            let records: Result<Vec<_>, _> = entries.iter().map(redacted).collect();
            lines::append(&self.path, &records?)?;
        }
        Ok(entries)
    }

    /// Lists the edits, oldest first.
    ///
    /// # Errors
    ///
    /// When the file exists and cannot be read; what is no regular file is not an empty journal.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        if files::is_in_the_way(&self.path) {
            let place = self.path.display();
            return Err(io::Error::other(format!("{place} is not a regular file")));
        }
        self.read()
    }

    /// Reads the edits that are kept. What stands in the place of the file is moved aside by the
    /// next edit that is kept.
    fn read(&self) -> io::Result<Vec<Entry>> {
        let mut seen = BTreeSet::new();
        let mut entries = lines::read::<Entry>(&self.path)?.records;
        // Two hooks that saw the same edit at once may both have appended it.
        entries.retain(|entry| seen.insert(entry.id.clone()));
        Ok(entries)
    }

    /// Counts the lines that are damaged.
    ///
    /// # Errors
    ///
    /// When the file exists and cannot be read.
    pub fn damaged(&self) -> io::Result<usize> {
        Ok(lines::read::<Entry>(&self.path)?.damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Field, Revision, Value};
    use crate::reconcile::LostReason;

    #[test]
    fn the_same_edit_is_kept_once_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path().join("journal.jsonl"));
        assert!(journal.entries().unwrap().is_empty());
        let lost = Lost {
            session: "s1".parse().unwrap(),
            reason: LostReason::DatabaseMovedOn,
            base: Some(Revision(3)),
            database: Revision(5),
            fields: [
                (Field::Task, Value::Text(Some("true".to_owned()))),
                (Field::Phase, Value::Text(None)),
                (Field::AutoProceed, Value::Flag(true)),
            ]
            .into(),
        };
        let id = journal.keep(&lost, Timestamp::from_millis(7)).unwrap();
        assert_eq!(journal.keep(&lost, Timestamp::from_millis(9)).unwrap(), id);
        let entries = journal.entries().unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!((&entries[0].lost, entries[0].at.as_millis()), (&lost, 7));
    }
}
