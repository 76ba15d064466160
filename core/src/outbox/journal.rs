//! The journal of rejected edits. Entries are appended and can be restored.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::checksummed_lines;
use crate::fs::{is_obstructed, short_digest};
use crate::model::{AttentionId, AttentionKind, NewAttention, Timestamp};
use crate::reconcile::RejectedEdit;

/// A rejected edit and when it was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// The id, derived from the edit.
    pub id: String,
    /// When it was recorded, by the local clock.
    pub at: Timestamp,
    /// The rejected edit.
    #[serde(flatten)]
    pub lost: RejectedEdit,
}

impl JournalEntry {
    /// The entry of an edit that was rejected at a time of the local clock.
    pub fn new(lost: RejectedEdit, at: Timestamp) -> Self {
        Self { id: lost.id(), at, lost }
    }

    /// Returns what tells a person of it, and lets it be restored from any machine.
    pub fn as_attention(&self, host: Option<&str>) -> NewAttention {
        let line = format!("{} (session {})", self.lost.render_line(), self.lost.session);
        NewAttention {
            session: Some(self.lost.session.clone()),
            host: host.map(str::to_owned),
            command: Some(format!("trueup journal restore {}", self.id)),
            content: serde_json::to_value(self).unwrap_or_default(),
            ..NewAttention::new(Self::attention_id(&self.id), AttentionKind::JournalEntry, line)
        }
    }

    /// Returns the id of what tells a person of an entry.
    pub fn attention_id(id: &str) -> AttentionId {
        AttentionKind::JournalEntry.id_of(id, |id| short_digest(id.as_bytes()))
    }
}

fn redact_entry(entry: &JournalEntry) -> serde_json::Result<serde_json::Value> {
    let mut value = serde_json::to_value(entry)?;
    crate::text::redact::redact_json(&mut value);
    Ok(value)
}

/// That an entry is listed no more.
#[derive(Debug, Serialize, Deserialize)]
struct DroppedEntry {
    id: String,
}

/// The journal file.
#[derive(Debug, Clone)]
pub struct Journal {
    path: PathBuf,
}

impl Journal {
    /// Uses a file as the journal; it need not exist.
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Records an edit unless it is already recorded. Returns its entry if it is new.
    ///
    /// # Errors
    ///
    /// When the entry could not be written durably.
    pub fn record(&self, lost: &RejectedEdit, at: Timestamp) -> io::Result<Option<JournalEntry>> {
        let entry = JournalEntry::new(lost.clone(), at);
        if self.read_entries()?.iter().any(|known| known.id == entry.id) {
            return Ok(None);
        }
        checksummed_lines::append_records(&self.path, &[redact_entry(&entry)?])?;
        Ok(Some(entry))
    }

    /// Drops an entry: it is listed no more. Its line stays, so that nobody who appends meanwhile
    /// loses one.
    ///
    /// # Errors
    ///
    /// When that cannot be written durably.
    pub fn drop_entry(&self, id: &str) -> io::Result<()> {
        let dropped = DroppedEntry { id: id.to_owned() };
        checksummed_lines::append_records(&self.dropped_path(), &[dropped])
    }

    fn dropped_path(&self) -> PathBuf {
        self.path.with_extension("dropped.jsonl")
    }

    /// Records edits without looking for earlier copies, so that many cost no more than one.
    ///
    /// # Errors
    ///
    /// When the entries could not be written durably.
    pub fn record_all(
        &self,
        lost: Vec<RejectedEdit>,
        at: Timestamp,
    ) -> io::Result<Vec<JournalEntry>> {
        let mut seen = BTreeSet::new();
        let mut entries: Vec<JournalEntry> =
            lost.into_iter().map(|l| JournalEntry::new(l, at)).collect();
        entries.retain(|entry| seen.insert(entry.id.clone()));
        if !entries.is_empty() {
            let records: Result<Vec<_>, _> = entries.iter().map(redact_entry).collect();
            checksummed_lines::append_records(&self.path, &records?)?;
        }
        Ok(entries)
    }

    /// Lists the recorded edits that were not dropped, oldest first.
    ///
    /// # Errors
    ///
    /// When the file exists and cannot be read, or something that is not a regular file is in its
    /// place.
    pub fn entries(&self) -> io::Result<Vec<JournalEntry>> {
        if is_obstructed(&self.path) {
            let path = self.path.display();
            return Err(io::Error::other(format!("{path} is not a regular file")));
        }
        let mut entries = self.read_entries()?;
        let dropped = checksummed_lines::read_records::<DroppedEntry>(&self.dropped_path())?;
        let dropped: BTreeSet<String> = dropped.records.into_iter().map(|it| it.id).collect();
        entries.retain(|entry| !dropped.contains(&entry.id));
        Ok(entries)
    }

    /// Reads the entries, the dropped ones as well. An obstacle in place of the file counts as no
    /// entries; the next append moves it aside.
    fn read_entries(&self) -> io::Result<Vec<JournalEntry>> {
        let mut seen = BTreeSet::new();
        let mut entries = checksummed_lines::read_records::<JournalEntry>(&self.path)?.records;
        // Two hooks that saw the same edit at once may both have appended it.
        entries.retain(|entry| seen.insert(entry.id.clone()));
        Ok(entries)
    }

    /// Counts damaged lines.
    ///
    /// # Errors
    ///
    /// When the file exists and cannot be read.
    pub fn count_damaged(&self) -> io::Result<usize> {
        Ok(checksummed_lines::read_records::<JournalEntry>(&self.path)?.damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FieldValue, Revision, StateField};
    use crate::reconcile::RejectionReason;

    #[test]
    fn the_same_edit_is_kept_once_and_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(dir.path().join("journal.jsonl"));
        assert!(journal.entries().unwrap().is_empty());
        let lost = RejectedEdit {
            session: "s1".parse().unwrap(),
            reason: RejectionReason::DatabaseMovedOn,
            base: Some(Revision(3)),
            database: Revision(5),
            fields: [
                (StateField::Task, FieldValue::Text(Some("true".to_owned()))),
                (StateField::Phase, FieldValue::Text(None)),
                (StateField::AutoProceed, FieldValue::Flag(true)),
            ]
            .into(),
        };
        let recorded = journal.record(&lost, Timestamp::from_millis(7)).unwrap().unwrap();
        assert_eq!(journal.record(&lost, Timestamp::from_millis(9)).unwrap(), None);
        let entries = journal.entries().unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!((&entries[0].lost, entries[0].at.as_millis()), (&lost, 7));
        assert_eq!(entries[0], recorded);
        journal.drop_entry(&recorded.id).unwrap();
        assert!(journal.entries().unwrap().is_empty());
        assert_eq!(journal.record(&lost, Timestamp::from_millis(9)).unwrap(), None, "it stays so");
    }
}
