//! The view of an item.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::{
    Epoch, Item, ItemKey, ItemPriority, ItemStatus, Revision, SessionId, Timestamp,
};

/// An item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemView {
    /// The key.
    pub key: ItemKey,
    /// The title.
    pub title: Option<String>,
    /// A free word, such as `task` or `orchestrator`.
    pub kind: String,
    /// The parent item.
    pub parent: Option<ItemKey>,
    /// The position among its siblings.
    pub position: Option<i64>,
    /// The name of its repository.
    pub repo: Option<String>,
    /// How urgent it is, from 0, which comes first, to 4; one without comes with 2.
    pub priority: Option<ItemPriority>,
    /// What is to be done.
    pub description: Option<String>,
    /// What an import brought that has no place of its own.
    pub extra: Map<String, Value>,
    /// The status.
    pub status: ItemStatus,
    /// The phase that a holder pushed last.
    pub phase: Option<String>,
    /// The session that holds it.
    pub holder: Option<SessionId>,
    /// The epoch of the newest claim.
    pub epoch: Epoch,
    /// When it was claimed.
    pub claimed_at: Option<Timestamp>,
    /// Why it is blocked, failed or cancelled.
    pub error_message: Option<String>,
    /// The evidence of completion.
    pub evidence: Option<String>,
    /// Whether it can be completed only with evidence.
    pub requires_evidence: bool,
    /// The items that must be completed before it.
    pub depends_on: Vec<ItemKey>,
    /// The number of changes.
    pub revision: Revision,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was finished.
    pub completed_at: Option<Timestamp>,
}

impl From<&Item> for ItemView {
    fn from(item: &Item) -> Self {
        Self {
            key: item.key.clone(),
            title: item.title.clone(),
            kind: item.kind.clone(),
            parent: item.parent.clone(),
            position: item.position,
            repo: item.repo.clone(),
            priority: item.priority,
            description: item.description.clone(),
            extra: item.extra.clone(),
            status: item.status,
            phase: item.phase.clone(),
            holder: item.holder.clone(),
            epoch: item.epoch,
            claimed_at: item.claimed_at,
            error_message: item.error_message.clone(),
            evidence: item.evidence.clone(),
            requires_evidence: item.requires_evidence,
            depends_on: item.depends_on.clone(),
            revision: item.revision,
            created_at: item.created_at,
            updated_at: item.updated_at,
            completed_at: item.completed_at,
        }
    }
}
