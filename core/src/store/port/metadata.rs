//! The record of what was taken out of metadata files.

use serde_json::{Map, Value as Json};

use super::Provenance;
use crate::model::AdwId;
use crate::store::Result;

/// A mended metadata file: the database remembers what the file no longer says.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataFix {
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

impl MetadataFix {
    /// Returns what the event shows as having become of it.
    pub(in crate::store) fn outcome(&self) -> Json {
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
    /// Records that a file is mended, before it is.
    ///
    /// # Errors
    ///
    /// When it cannot be recorded; then the file must stay as it is.
    fn record_metadata_fix(&mut self, fix: &MetadataFix, provenance: &Provenance) -> Result<()>;
}
