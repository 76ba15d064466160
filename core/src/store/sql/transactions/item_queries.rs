//! Questions about many items at once.

use super::super::engine::Engine;
use super::super::{SqlStore, items, ready, search};
use crate::store::{
    ItemFilter, ItemQueryStore, ReadyItems, ReadyQuery, Result, SearchHits, SearchQuery,
};

impl<E: Engine> ItemQueryStore for SqlStore<E> {
    fn count_items(&mut self, filter: &ItemFilter, limit: u32) -> Result<u64> {
        self.engine.read(|tx| items::count_items(tx, filter, limit))
    }

    fn list_item_kinds(&mut self) -> Result<Vec<String>> {
        self.engine.read(|tx| items::list_item_kinds(tx))
    }

    fn find_repo_of_items(&mut self, name: &str) -> Result<Option<String>> {
        self.engine.read(|tx| items::find_repo_of_items(tx, name))
    }

    fn list_ready_items(&mut self, query: &ReadyQuery) -> Result<ReadyItems> {
        self.engine.snapshot(|tx| ready::list_ready_items(tx, query))
    }

    fn find_search_hits(&mut self, query: &SearchQuery) -> Result<SearchHits> {
        self.engine.snapshot(|tx| search::find_search_hits(tx, query))
    }
}
