//! The record of what changed in metadata files.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::Provenance;
use crate::model::{AdwId, EventKind};
use crate::store::Result;

/// An action on a metadata file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetadataAction {
    /// Fields were set.
    Set,
    /// Fields that the database owns were removed.
    Fixed,
}

impl MetadataAction {
    /// The kind of its event.
    pub const fn event_kind(self) -> EventKind {
        match self {
            Self::Set => EventKind::Set,
            Self::Fixed => EventKind::Fixed,
        }
    }
}

/// A change of a metadata file. The database keeps the fields that the file no longer has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetadataChange {
    /// The action.
    pub action: MetadataAction,
    /// The workflow whose file it is.
    pub id: AdwId,
    /// Its path, relative to the project's directory.
    pub path: String,
    /// The project's directory.
    pub project: String,
    /// Fields that were removed or changed, as they were.
    pub before: Map<String, Json>,
    /// Fields that were added or changed, as they are.
    pub after: Map<String, Json>,
    /// Who wrote the file, when that is known.
    pub writer: Option<String>,
}

impl MetadataChange {
    /// What the event shows as the state after the change.
    pub(in crate::store) fn event_facts(&self) -> Json {
        let mut after = self.after.clone();
        for (key, value) in [
            ("path", Json::from(self.path.clone())),
            ("project", Json::from(self.project.clone())),
            ("writer", Json::from(self.writer.clone())),
        ] {
            after.insert(key.to_owned(), value);
        }
        Json::Object(after)
    }
}

/// The record of changes of metadata files. Their content is never read back as truth.
///
/// Every operation fails as [`StoreError`](crate::store::StoreError) says.
pub trait MetadataStore {
    /// Records a change. Fields are recorded before they are removed from the file, and must stay
    /// there when they cannot be recorded.
    ///
    /// # Errors
    ///
    /// When it cannot be recorded.
    fn record_metadata_change(
        &mut self,
        change: &MetadataChange,
        provenance: &Provenance,
    ) -> Result<()>;
}
