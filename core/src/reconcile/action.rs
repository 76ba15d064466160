//! What fixes a divergence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{FieldValue, Revision, SessionId, StateField};
use crate::text::to_hex;

/// A local edit, offered to the database for the revision it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The revision that the database must still be at.
    pub base: Revision,
    /// The changed fields.
    pub changes: BTreeMap<StateField, FieldValue>,
}

/// Why a local edit was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionReason {
    /// The database had a newer revision.
    DatabaseMovedOn,
    /// The file has no stamp, so an edit cannot be told from an old state.
    UnstampedCache,
    /// The file is from a later state than the database, which was restored from a backup.
    OlderDatabaseAdopted,
    /// The stamp of the file was changed by hand, so its revision is unknown.
    AlteredStamp,
    /// The write was made under a claim that another session has taken since.
    ClaimLost,
}

/// A rejected edit, kept in the journal so that it can be restored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RejectedEdit {
    /// The session that made it.
    pub session: SessionId,
    /// Why it lost.
    pub reason: RejectionReason,
    /// The revision that it was made from.
    pub base: Option<Revision>,
    /// The revision of the database that won.
    pub database: Revision,
    /// The rejected values.
    pub fields: BTreeMap<StateField, FieldValue>,
}

impl RejectedEdit {
    /// Returns the id of the edit in the journal. It depends on the edit alone, so that an edit
    /// that two hooks see, or one hook twice, is kept once.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        let base = self.base.map_or_else(|| "-".to_owned(), |r| r.to_string());
        hash.update(format!("{}|{:?}|{base}", self.session, self.reason));
        for (field, value) in &self.fields {
            hash.update(format!("|{}={value:?}", field.key()));
        }
        format!("j-{}", to_hex(&hash.finalize()[..5]))
    }

    /// Renders the line that reports it once it is in the journal.
    pub fn render_line(&self) -> String {
        self.render_with("kept")
    }

    /// Renders the line that reports it before it is in the journal.
    pub fn render_planned_line(&self) -> String {
        self.render_with("will be kept")
    }

    fn render_with(&self, kept: &str) -> String {
        let keys: Vec<&str> = self.fields.keys().map(|field| field.key()).collect();
        format!(
            "⚠️ local edit lost to a newer database state, {kept} in the journal as {} ({})",
            self.id(),
            keys.join(", ")
        )
    }
}

/// Why a cache file is set aside, which becomes part of its new name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetAsideReason {
    /// It does not parse.
    Corrupt,
    /// It was written from another database.
    Foreign,
}

impl SetAsideReason {
    /// Returns the word in the name of the file that is set aside.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Corrupt => "corrupt",
            Self::Foreign => "foreign",
        }
    }

    /// Describes under which name the file will be kept. The time is not known before it is.
    pub fn describe_plan(self) -> String {
        format!("will be kept aside as *.{}-<time>", self.as_str())
    }
}

/// One step of a fix. Steps are applied in order, and repeating one changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Keep an edit in the journal before it is overwritten.
    Journal(RejectedEdit),
    /// Rename the cache file and keep it.
    SetAside(SetAsideReason),
    /// Push local edits to the database.
    Push(Proposal),
    /// Write the cache from the database as it is then.
    ReplaceCache,
}
