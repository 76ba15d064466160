//! The record of what changed in metadata files.

use serde_json::{Map, Value as Json};

use super::Provenance;
use crate::model::AdwId;
use crate::store::Result;

/// What was done to a metadata file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataAction {
    /// Fields were set.
    Set,
    /// What the database owns was taken out.
    Fixed,
}

impl MetadataAction {
    /// Returns the kind of its event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Fixed => "fixed",
        }
    }
}

/// A change of a metadata file: the database remembers what the file no longer says.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataChange {
    /// What was done.
    pub action: MetadataAction,
    /// Whose file.
    pub id: AdwId,
    /// Where it is, from the project's directory.
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
    /// Returns what the event shows as having become of it.
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

/// What the database keeps of metadata files: never their content as truth.
///
/// Every operation fails as [`StoreError`](crate::store::StoreError) says.
pub trait MetadataStore {
    /// Records a change. What is taken out is recorded first and taken out then; it must stay
    /// where it cannot be recorded.
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
