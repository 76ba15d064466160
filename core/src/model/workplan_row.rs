//! What workplan files say of work items (seed 3). A workplan is an item, its tasks are the
//! children of that item: they are claimed, moved and handed on like any other.

use serde_json::{Value, json};

use super::{ItemKey, ItemStatus, NewItem, SessionId, WorkplanLink};

/// The kind of an item that is a workplan.
pub const WORKPLAN_KIND: &str = "workplan";

/// What a file says of an item beyond the item's own columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkplanFileFacts {
    /// Digest of the description as the file has it.
    pub digest: String,
    /// Priority, order, assignee and the like, as canonical JSON.
    pub planning: String,
}

impl WorkplanFileFacts {
    /// Returns what an event shows of them.
    pub fn event_facts(&self) -> Value {
        let planning: Value = serde_json::from_str(&self.planning).unwrap_or_default();
        json!({"digest": self.digest, "planning": planning})
    }
}

/// An item as far as a workplan concerns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkplanRow {
    /// The item.
    pub key: ItemKey,
    /// The id its file carries; absent for an item that no file was tied to.
    pub link: Option<WorkplanLink>,
    /// What kind of item.
    pub kind: String,
    /// The workplan of a task.
    pub parent: Option<ItemKey>,
    /// The place in its workplan.
    pub position: Option<i64>,
    /// What it is about.
    pub title: Option<String>,
    /// Whose file it is in.
    pub repo: Option<String>,
    /// Where it stands.
    pub status: ItemStatus,
    /// Whether it was ever reopened, on purpose and with a reason.
    pub is_reopened: bool,
    /// Who holds it.
    pub holder: Option<SessionId>,
    /// What the file said last.
    pub facts: Option<WorkplanFileFacts>,
    /// What must be completed before it.
    pub depends_on: Vec<ItemKey>,
}

/// The rows that concern a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkplanRows {
    /// The items tied to its files, by key.
    pub linked: Vec<WorkplanRow>,
    /// Workplans of any repository that no file was ever tied to and that are not finished, by
    /// key.
    pub unlinked: Vec<WorkplanRow>,
}

/// A workplan or a task of one, to be tied to its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWorkplanRow {
    /// The item; one that exists already is taken as it is.
    pub item: NewItem,
    /// The id to carry, unless it carries one already.
    pub link: WorkplanLink,
    /// What the file says.
    pub facts: WorkplanFileFacts,
    /// The text below it, without secrets.
    pub description: String,
}

/// What a file says differently by now. Absent is unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkplanChange {
    /// The item.
    pub key: ItemKey,
    /// What it is about.
    pub title: Option<String>,
    /// The place in its workplan.
    pub position: Option<i64>,
    /// Whose file it is in.
    pub repo: Option<String>,
    /// The rest, with the text below it, without secrets.
    pub facts: Option<(WorkplanFileFacts, String)>,
}
