//! Work items.

use serde_json::{Value, json};

use super::{Epoch, ItemKey, ItemStatus, Revision, SessionId, Timestamp};

/// The kind of an item that others are children of, said before it has any.
pub const ORCHESTRATOR_KIND: &str = "orchestrator";

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
    /// Whether it is completed with evidence only.
    pub requires_evidence: bool,
    /// What must be completed before it, by key.
    pub depends_on: Vec<ItemKey>,
    /// How many of those are not completed.
    pub open_dependencies: u64,
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
    pub fn event_facts(&self) -> Value {
        json!({
            "title": self.title, "kind": self.kind, "parent": self.parent,
            "position": self.position, "repo": self.repo, "status": self.status,
            "phase": self.phase, "holder": self.holder, "error_message": self.error_message,
            "evidence": self.evidence,
        })
    }

    /// Returns where it stands among its siblings.
    pub fn sibling_position(&self) -> SiblingPosition {
        SiblingPosition::new(self.position, self.key.clone())
    }
}

/// A place among siblings: by position, those without one last, then by key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SiblingPosition {
    has_no_position: bool,
    position: Option<i64>,
    key: ItemKey,
}

impl SiblingPosition {
    /// Makes a place.
    pub const fn new(position: Option<i64>, key: ItemKey) -> Self {
        Self {
            has_no_position: position.is_none(),
            position,
            key,
        }
    }

    /// Returns the position given.
    pub const fn position(&self) -> Option<i64> {
        self.position
    }

    /// Returns the key, which decides between equal positions.
    pub const fn key(&self) -> &ItemKey {
        &self.key
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
    /// The place among its siblings; a child without one goes behind the last.
    pub position: Option<i64>,
    /// Which repository, by name.
    pub repo: Option<String>,
    /// What must be completed before it; must exist.
    pub depends_on: Vec<ItemKey>,
    /// Whether it is completed with evidence only.
    pub requires_evidence: bool,
    /// Where it stands already; absent, where its dependencies put it.
    pub status: Option<ItemStatus>,
}

impl NewItem {
    /// Makes an item of which nothing but the key is said.
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
