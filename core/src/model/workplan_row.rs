//! What workplan files say of work items. A workplan is an item and its tasks are its children, so
//! that they are claimed, moved and handed on like other items.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ItemKey, ItemPriority, ItemStatus, NewItem, SessionId, WorkplanLink};

/// The kind of an item that is a workplan.
pub const WORKPLAN_KIND: &str = "workplan";

/// What a file says of an item beyond the item's own columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkplanFileFacts {
    /// The digest of the description in the file.
    pub digest: String,
    /// Priority, order, assignee and the like, as canonical JSON.
    pub planning: String,
}

impl WorkplanFileFacts {
    /// Returns the priority that the file names, if it is one that orders items.
    pub fn priority(&self) -> Option<ItemPriority> {
        let planning: Value = serde_json::from_str(&self.planning).ok()?;
        let word = planning.get("priority").or_else(|| planning.get("planning_priority"))?;
        ItemPriority::from_planning_word(word.as_str()?)
    }

    /// Returns what an event records of them.
    pub fn event_facts(&self) -> Value {
        let planning: Value = serde_json::from_str(&self.planning).unwrap_or_default();
        json!({"digest": self.digest, "planning": planning})
    }
}

/// An item with what concerns workplans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkplanRow {
    /// The item.
    pub key: ItemKey,
    /// The id in its file, or `None` for an item that was never linked to a file.
    pub link: Option<WorkplanLink>,
    /// The kind of the item.
    pub kind: String,
    /// The workplan of a task.
    pub parent: Option<ItemKey>,
    /// The position in its workplan.
    pub position: Option<i64>,
    /// The title.
    pub title: Option<String>,
    /// The repository that has its file.
    pub repo: Option<String>,
    /// The status.
    pub status: ItemStatus,
    /// Whether somebody ever reopened it with a reason.
    pub is_reopened: bool,
    /// The session that holds it.
    pub holder: Option<SessionId>,
    /// What its file contained when it was last synced.
    pub facts: Option<WorkplanFileFacts>,
    /// The items that must be completed before it.
    pub depends_on: Vec<ItemKey>,
}

/// The rows that concern a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkplanRows {
    /// The items linked to its files, by key.
    pub linked: Vec<WorkplanRow>,
    /// Unfinished workplans of any repository that were never linked to a file, by key.
    pub unlinked: Vec<WorkplanRow>,
}

/// A workplan or task to link to its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWorkplanRow {
    /// The item; an existing one is kept as it is.
    pub item: NewItem,
    /// The id to give it unless it has one.
    pub link: WorkplanLink,
    /// What the file says.
    pub facts: WorkplanFileFacts,
    /// The description, without secrets.
    pub description: String,
}

/// What a file says differently now; `None` is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkplanChange {
    /// The item.
    pub key: ItemKey,
    /// The title.
    pub title: Option<String>,
    /// The position in its workplan.
    pub position: Option<i64>,
    /// The repository that has its file.
    pub repo: Option<String>,
    /// The priority, if the planning fields changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<ItemPriority>,
    /// The other facts and the description, without secrets.
    pub facts: Option<(WorkplanFileFacts, String)>,
}
