//! Questions about many items at once: what can be begun, where words occur, how many there are.

use serde::{Deserialize, Serialize};

use super::ItemFilter;
use crate::model::{Event, Item, PlanTask, RepoScope, Unblocking};
use crate::store::Result;

/// Most items that wait of which is read what they wait for.
pub const MAX_WAITING_ITEMS: u32 = 1000;

/// A search for what can be begun.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ReadyQuery {
    /// The repositories whose items are searched.
    pub scope: RepoScope,
    /// Most items in the answer.
    pub limit: u32,
    /// Most items that others wait for in the answer.
    pub blocker_limit: u32,
}

/// An item, and what waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnblockingItem {
    /// The item.
    pub item: Item,
    /// What waits for it.
    pub unblocking: Unblocking,
}

/// What can be begun, and what would let others begin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyItems {
    /// Items that nobody holds and nothing blocks, the most urgent first, then the oldest;
    /// siblings of one priority in the order of their positions.
    pub items: Vec<UnblockingItem>,
    /// Whether there are more.
    pub has_more: bool,
    /// The items that most others wait for, the most first.
    pub blockers: Vec<UnblockingItem>,
    /// Whether more than [`MAX_WAITING_ITEMS`] wait, so that the counts are of some of them only.
    pub is_partial: bool,
}

/// A search for words.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SearchQuery {
    /// The words, which must all be there; their case does not matter.
    pub words: Vec<String>,
    /// The repositories whose items are searched.
    pub scope: RepoScope,
    /// Most rows in the answer, of each kind.
    pub limit: u32,
}

/// Where words occur.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchHits {
    /// Items whose key, title and description have the words: those with all of them in the key
    /// first, then in the title; unfinished ones before finished ones, then the newest first.
    pub items: Vec<Item>,
    /// Tasks of plans whose id, title and phase have them.
    pub tasks: Vec<PlanTask>,
    /// Events whose reason has them, the newest first.
    pub events: Vec<Event>,
}

/// Questions about many items at once.
///
/// Every operation fails as [`StoreError`](crate::store::StoreError) says.
#[expect(clippy::missing_errors_doc, reason = "said once above")]
pub trait ItemQueryStore {
    /// Counts the items of a filter, and stops at a limit; 0 is none.
    fn count_items(&mut self, filter: &ItemFilter, limit: u32) -> Result<u64>;

    /// Lists the kinds of items, in order.
    fn list_item_kinds(&mut self) -> Result<Vec<String>>;

    /// Finds the name of a repository that has items, whatever its case.
    fn find_repo_of_items(&mut self, name: &str) -> Result<Option<String>>;

    /// Lists what can be begun: items that nobody holds, whose dependencies are completed, that
    /// have no unfinished children, and of which nothing above waits or is blocked.
    fn list_ready_items(&mut self, query: &ReadyQuery) -> Result<ReadyItems>;

    /// Finds words in items, tasks of plans and the reasons of the latest events.
    fn find_search_hits(&mut self, query: &SearchQuery) -> Result<SearchHits>;
}
