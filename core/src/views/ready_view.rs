//! The views of what can be begun, and of what words were found in.

use serde::Serialize;

use super::ItemView;
use crate::model::{ItemKey, ReadyReason, Timestamp};
use crate::store::UnblockingItem;

/// An item with what waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlockerView {
    /// The item.
    #[serde(flatten)]
    pub item: ItemView,
    /// The items that wait for it directly.
    pub unblocks: Vec<ItemKey>,
    /// How many wait for it, directly or through others.
    pub unblocks_total: usize,
}

impl From<&UnblockingItem> for BlockerView {
    fn from(found: &UnblockingItem) -> Self {
        Self {
            item: ItemView::from(&found.item),
            unblocks: found.unblocking.direct.clone(),
            unblocks_total: found.unblocking.total,
        }
    }
}

/// An item that can be begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadyItemView {
    /// The item, and what waits for it.
    #[serde(flatten)]
    pub blocker: BlockerView,
    /// Why it can be begun: `free`, `dependencies_completed` or `begun`.
    pub why: &'static str,
}

impl From<&UnblockingItem> for ReadyItemView {
    fn from(found: &UnblockingItem) -> Self {
        Self { blocker: found.into(), why: ReadyReason::of(&found.item).as_str() }
    }
}

/// Something that has the words of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SearchHitView {
    /// What it is: `item`, `plan_task` or `event`.
    pub entity: &'static str,
    /// Its key; of an event that of what it is about.
    pub key: String,
    /// Where the words are: `key`, `title`, `description`, `evidence`, `phase`, `several` or
    /// `reason`; or the name of the field that an import brought, such as `labels`.
    pub r#where: String,
    /// The line with the words.
    pub excerpt: String,
    /// The status of an item or a task.
    pub status: Option<&'static str>,
    /// The repository of an item.
    pub repo: Option<String>,
    /// The number of an event.
    pub seq: Option<i64>,
    /// When an event happened, or when the rest last changed.
    pub at: Timestamp,
}
