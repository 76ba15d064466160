//! Work items: what sessions claim, with parents, positions and dependencies.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Epoch, ItemKey, ItemStatus, Revision, SessionId, Timestamp};

/// The kind of an item that is meant to have children, usable before it has any.
pub const ORCHESTRATOR_KIND: &str = "orchestrator";

/// A row of `work_items`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
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
    /// The status.
    pub status: ItemStatus,
    /// The phase that a holder pushed last.
    pub phase: Option<String>,
    /// The session that holds it.
    pub holder: Option<SessionId>,
    /// The epoch of the newest claim, which serves as its fencing token.
    pub epoch: Epoch,
    /// When it was claimed.
    pub claimed_at: Option<Timestamp>,
    /// Why it is blocked or failed.
    pub error_message: Option<String>,
    /// The evidence of completion.
    pub evidence: Option<String>,
    /// Whether it can be completed only with evidence.
    pub requires_evidence: bool,
    /// The items that must be completed before it.
    pub depends_on: Vec<ItemKey>,
    /// How many of those are not completed.
    pub open_dependencies: u64,
    /// The number of changes.
    pub revision: Revision,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was finished.
    pub completed_at: Option<Timestamp>,
}

impl Item {
    /// Returns what an event records of an item.
    pub fn event_facts(&self) -> Value {
        json!({
            "title": self.title, "kind": self.kind, "parent": self.parent,
            "position": self.position, "repo": self.repo, "status": self.status,
            "phase": self.phase, "holder": self.holder, "error_message": self.error_message,
            "evidence": self.evidence,
        })
    }

    /// Returns its position among its siblings.
    pub fn sibling_position(&self) -> SiblingPosition {
        SiblingPosition::new(self.position, self.key.clone())
    }
}

/// A position among siblings. Items are ordered by position, those without one last, then by key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SiblingPosition {
    has_no_position: bool,
    position: Option<i64>,
    key: ItemKey,
}

impl SiblingPosition {
    /// Makes a position.
    pub const fn new(position: Option<i64>, key: ItemKey) -> Self {
        Self { has_no_position: position.is_none(), position, key }
    }

    /// Returns the number, if there is one.
    pub const fn position(&self) -> Option<i64> {
        self.position
    }

    /// Returns the key, which decides between equal numbers.
    pub const fn key(&self) -> &ItemKey {
        &self.key
    }
}

/// An item to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewItem {
    /// The key.
    pub key: ItemKey,
    /// The title.
    pub title: Option<String>,
    /// A free word; `task` when absent.
    pub kind: Option<String>,
    /// The parent, which must exist.
    pub parent: Option<ItemKey>,
    /// The position among its siblings. A child without one is placed last.
    pub position: Option<i64>,
    /// The name of its repository.
    pub repo: Option<String>,
    /// The items that must be completed before it; they must exist.
    pub depends_on: Vec<ItemKey>,
    /// Whether it can be completed only with evidence.
    pub requires_evidence: bool,
    /// The status, or `None` for the one that its dependencies give it.
    pub status: Option<ItemStatus>,
}

impl NewItem {
    /// Makes an item with nothing but a key.
    pub const fn new(key: ItemKey) -> Self {
        Self {
            key,
            title: None,
            kind: None,
            parent: None,
            position: None,
            repo: None,
            depends_on: Vec::new(),
            requires_evidence: false,
            status: None,
        }
    }
}
