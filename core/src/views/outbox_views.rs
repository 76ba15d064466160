//! The views of waiting writes and of rejected edits.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::model::{Revision, SessionId, Timestamp};
use crate::outbox::{JournalEntry, PendingWrite};
use crate::reconcile::RejectionReason;

/// Whether a write of the outbox can still be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum OutboxRecordState {
    /// It waits.
    Waiting,
    /// The database refused it for good.
    Dead,
}

/// A write that waits, or that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutboxRecordView {
    /// The operation id.
    pub op_id: String,
    /// When it was made, by the local clock.
    pub at: Timestamp,
    /// The session that made it.
    pub session_id: SessionId,
    /// What kind of change it makes.
    pub operation: &'static str,
    /// The newest revision of the session that was known.
    pub base_revision: Option<Revision>,
    /// Whether it can still be sent.
    pub state: OutboxRecordState,
    /// Why it was refused.
    pub reason: Option<String>,
}

impl OutboxRecordView {
    /// Builds the view of a write that waits or, with a reason, of one that was refused.
    pub fn new(record: &PendingWrite, reason: Option<&str>) -> Self {
        Self {
            op_id: record.op_id.clone(),
            at: record.at,
            session_id: record.session.clone(),
            operation: record.write.name(),
            base_revision: record.origin.as_ref().and_then(|origin| origin.base),
            state: match reason {
                Some(_) => OutboxRecordState::Dead,
                None => OutboxRecordState::Waiting,
            },
            reason: reason.map(str::to_owned),
        }
    }
}

/// A rejected edit in the journal.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JournalEntryView {
    /// The id, derived from the edit.
    pub id: String,
    /// When it was recorded, by the local clock.
    pub at: Timestamp,
    /// The session that made it.
    pub session_id: SessionId,
    /// Why it lost.
    pub reason: RejectionReason,
    /// The revision that it was made from.
    pub base_revision: Option<Revision>,
    /// The revision of the database that won.
    pub database_revision: Revision,
    /// The rejected values, under the keys of the cache file.
    #[cfg_attr(feature = "openapi", schema(value_type = Object, additional_properties = true))]
    pub lost: Map<String, Value>,
}

impl From<&JournalEntry> for JournalEntryView {
    fn from(entry: &JournalEntry) -> Self {
        let fields = entry.lost.fields.iter();
        Self {
            id: entry.id.clone(),
            at: entry.at,
            session_id: entry.lost.session.clone(),
            reason: entry.lost.reason,
            base_revision: entry.lost.base,
            database_revision: entry.lost.database,
            lost: fields.map(|(field, value)| (field.key().to_owned(), json!(value))).collect(),
        }
    }
}
