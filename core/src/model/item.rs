//! Work items.

use serde_json::{Value, json};

use super::{Epoch, ItemKey, ItemStatus, Revision, SessionId, Timestamp};

/// A row of `work_items`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The key.
    pub key: ItemKey,
    /// What it is about.
    pub title: Option<String>,
    /// Free word, such as `task` or `orchestrator`.
    pub kind: String,
    /// The item this one belongs to.
    pub parent: Option<ItemKey>,
    /// The place among its siblings.
    pub position: Option<i64>,
    /// Which repository, by name.
    pub repo: Option<String>,
    /// Where it stands.
    pub status: ItemStatus,
    /// The phase last pushed by a holder.
    pub phase: Option<String>,
    /// Who holds it.
    pub holder: Option<SessionId>,
    /// The fence of the newest claim.
    pub epoch: Epoch,
    /// Since when it is held.
    pub claimed_at: Option<Timestamp>,
    /// Why it is blocked or failed.
    pub error_message: Option<String>,
    /// What proves completion.
    pub evidence: Option<String>,
    /// Counts changes.
    pub revision: Revision,
    /// When it was added.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// When it was finished.
    pub completed_at: Option<Timestamp>,
}

impl Item {
    /// Returns what an event shows of an item.
    pub fn facts(&self) -> Value {
        json!({
            "title": self.title, "kind": self.kind, "parent": self.parent,
            "position": self.position, "repo": self.repo, "status": self.status,
            "phase": self.phase, "holder": self.holder, "error_message": self.error_message,
            "evidence": self.evidence,
        })
    }
}

/// What is needed to add an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// The key.
    pub key: ItemKey,
    /// What it is about.
    pub title: Option<String>,
    /// Free word; `task` when absent.
    pub kind: Option<String>,
    /// The item it belongs to; must exist.
    pub parent: Option<ItemKey>,
    /// The place among its siblings.
    pub position: Option<i64>,
    /// Which repository, by name.
    pub repo: Option<String>,
}
