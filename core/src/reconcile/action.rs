//! What mends a divergence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{FieldValue, Revision, SessionId, StateField};
use crate::text::to_hex;

/// A local edit, offered to the database on the revision it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The database must still be at this revision.
    pub base: Revision,
    /// The fields changed.
    pub changes: BTreeMap<StateField, FieldValue>,
}

/// Why an edit lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionReason {
    /// The database had moved on.
    DatabaseMovedOn,
    /// The file carried no stamp, so what it held cannot be told from old state.
    UnstampedCache,
    /// The file was of a later state than the database, which has been restored.
    OlderDatabaseAdopted,
    /// The file's stamp was changed by hand, so nothing tells which revision it held.
    AlteredStamp,
    /// The write was made under a claim that another session has taken.
    ClaimLost,
}

/// An edit that lost, kept so that it can be restored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RejectedEdit {
    /// Whose edit.
    pub session: SessionId,
    /// Why it lost.
    pub reason: RejectionReason,
    /// The revision it was made from.
    pub base: Option<Revision>,
    /// The revision that won.
    pub database: Revision,
    /// What was lost.
    pub fields: BTreeMap<StateField, FieldValue>,
}

impl RejectedEdit {
    /// Returns the journal's id of this edit: the same edit has the same id, whatever it lost
    /// to, so that two hooks that see it, or one that sees it twice, keep it once.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        let base = self.base.map_or_else(|| "-".to_owned(), |r| r.to_string());
        hash.update(format!("{}|{:?}|{base}", self.session, self.reason));
        for (field, value) in &self.fields {
            hash.update(format!("|{}={value:?}", field.key()));
        }
        format!("j-{}", to_hex(&hash.finalize()[..5]))
    }

    /// Returns the line that tells of it.
    pub fn render_line(&self) -> String {
        let keys: Vec<&str> = self.fields.keys().map(|field| field.key()).collect();
        format!(
            "⚠️ local edit lost to a newer database state, kept in the journal as {} ({})",
            self.id(),
            keys.join(", ")
        )
    }
}

/// Where a file that cannot be used goes: beside itself, under this word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetAsideReason {
    /// It does not parse.
    Corrupt,
    /// It was written from another database.
    Foreign,
}

impl SetAsideReason {
    /// Returns the word in the name of the file set aside.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Corrupt => "corrupt",
            Self::Foreign => "foreign",
        }
    }
}

/// One step; a list of them is carried out in order, and each may be repeated.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Keep an edit that is about to be overwritten.
    Journal(RejectedEdit),
    /// Move the cache file out of the way, keeping it.
    SetAside(SetAsideReason),
    /// Offer local edits to the database.
    Push(Proposal),
    /// Write the cache from the database, as it then is.
    ReplaceCache,
}
