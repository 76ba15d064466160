//! Work items: what sessions claim, with parents, positions and dependencies.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Epoch, ItemKey, ItemPriority, ItemStatus, Revision, SessionId, Timestamp};

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
    /// How urgent it is; one without is ordered as [`ItemPriority::DEFAULT`].
    #[serde(default)]
    pub priority: Option<ItemPriority>,
    /// What is to be done, in Markdown or plain text.
    #[serde(default)]
    pub description: Option<String>,
    /// What an import brought that has no place of its own.
    #[serde(default)]
    pub extra: Map<String, Value>,
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
    /// Why it is blocked, failed or cancelled.
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
    /// Returns what an event records of an item. An event of a change leaves a description and an
    /// extra out that stayed as they were.
    pub fn event_facts(&self) -> Value {
        let extra = (!self.extra.is_empty()).then_some(&self.extra);
        json!({
            "title": self.title, "kind": self.kind, "parent": self.parent,
            "position": self.position, "repo": self.repo, "status": self.status,
            "phase": self.phase, "holder": self.holder, "error_message": self.error_message,
            "evidence": self.evidence, "priority": self.priority, "description": self.description,
            "extra": extra,
        })
    }

    /// Lists the texts that an import brought and that have no place of their own, each with the
    /// name of the field that it is in, such as `labels`.
    pub fn extra_texts(&self) -> Vec<(&str, &str)> {
        let mut texts = Vec::new();
        for (name, value) in &self.extra {
            collect_texts(name, value, &mut texts);
        }
        texts
    }

    /// Returns the priority by which it is ordered.
    pub fn effective_priority(&self) -> ItemPriority {
        self.priority.unwrap_or(ItemPriority::DEFAULT)
    }

    /// Returns its place in the order in which free siblings are offered.
    pub fn offer_order(&self) -> (ItemPriority, SiblingPosition) {
        (self.effective_priority(), self.sibling_position())
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
    /// How urgent it is.
    #[serde(default)]
    pub priority: Option<ItemPriority>,
    /// What is to be done.
    #[serde(default)]
    pub description: Option<String>,
    /// What an import brought that has no place of its own.
    #[serde(default)]
    pub extra: Map<String, Value>,
    /// The items that must be completed before it; they must exist.
    pub depends_on: Vec<ItemKey>,
    /// Whether it can be completed only with evidence.
    pub requires_evidence: bool,
    /// The status, or `None` for the one that its dependencies give it.
    pub status: Option<ItemStatus>,
}

impl NewItem {
    /// Makes an item with nothing but a key.
    pub fn new(key: ItemKey) -> Self {
        Self {
            key,
            title: None,
            kind: None,
            parent: None,
            position: None,
            repo: None,
            priority: None,
            description: None,
            extra: Map::new(),
            depends_on: Vec::new(),
            requires_evidence: false,
            status: None,
        }
    }
}

/// Collects the texts of a value, each with the name of the innermost field.
fn collect_texts<'v>(name: &'v str, value: &'v Value, texts: &mut Vec<(&'v str, &'v str)>) {
    match value {
        Value::String(text) => texts.push((name, text)),
        Value::Array(entries) => {
            for entry in entries {
                collect_texts(name, entry, texts);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                collect_texts(name, value, texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
