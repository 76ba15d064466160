//! Items, their dependencies, and which item comes next.

use super::super::engine::Engine;
use super::super::{SqlStore, dependencies, item_moves, items, next};
use crate::model::{DependencyEdge, Item, ItemKey, ItemStatus, NewItem, NextItem};
use crate::store::{
    ChildCounts, ClaimNextRequest, ClaimedNext, DependencyChange, GrantedMove, ImportedItems,
    ItemEditRequest, ItemFilter, ItemImport, ItemStore, ItemUse, LastHolder, MovedItem,
    NextItemQuery, Provenance, Result,
};

impl<E: Engine> ItemStore for SqlStore<E> {
    fn add_item(&mut self, item: &NewItem, provenance: &Provenance) -> Result<Item> {
        self.engine.write(|tx| items::add_item(tx, item, provenance))
    }

    fn list_items(&mut self, filter: &ItemFilter) -> Result<Vec<Item>> {
        self.engine.read(|tx| items::list_items(tx, filter))
    }

    fn move_item(&mut self, request: &GrantedMove) -> Result<MovedItem> {
        self.engine.write(|tx| item_moves::move_item(tx, request))
    }

    fn change_dependencies(&mut self, request: &DependencyChange) -> Result<Item> {
        self.engine.write(|tx| dependencies::change_dependencies(tx, request))
    }

    fn import_items(&mut self, import: &ItemImport) -> Result<ImportedItems> {
        self.engine.write(|tx| items::import_items(tx, import))
    }

    fn edit_item(&mut self, request: &ItemEditRequest) -> Result<Item> {
        self.engine.write(|tx| items::edit_item(tx, request))
    }

    fn find_item_use(&mut self, key: &ItemKey) -> Result<Option<ItemUse>> {
        self.engine.read(|tx| items::find_item_use(tx, key))
    }

    fn remove_item(&mut self, key: &ItemKey, provenance: &Provenance) -> Result<()> {
        self.engine.write(|tx| items::remove_item(tx, key, provenance))
    }

    fn change_dependencies_of_each(
        &mut self,
        requests: &[DependencyChange],
    ) -> Result<Vec<Result<Item>>> {
        self.engine.write(|tx| dependencies::change_dependencies_of_each(tx, requests))
    }

    fn list_waiting_items(&mut self, key: &ItemKey) -> Result<Vec<DependencyEdge>> {
        self.engine.read(|tx| dependencies::list_waiting_items(tx, key))
    }

    fn list_open_dependencies(&mut self, key: &ItemKey) -> Result<Vec<(ItemKey, ItemStatus)>> {
        self.engine.read(|tx| dependencies::list_open_dependencies(tx, key, 0))
    }

    fn count_children(&mut self, key: &ItemKey) -> Result<ChildCounts> {
        self.engine.read(|tx| next::count_children(tx, key))
    }

    fn find_next_item(&mut self, query: &NextItemQuery) -> Result<NextItem> {
        self.engine.snapshot(|tx| next::query_next_item(tx, query))
    }

    fn claim_next_item(&mut self, request: &ClaimNextRequest) -> Result<ClaimedNext> {
        self.engine.write(|tx| next::claim_next_item(tx, request))
    }

    fn find_last_holder(&mut self, key: &ItemKey) -> Result<Option<LastHolder>> {
        self.engine.read(|tx| next::find_last_holder(tx, key))
    }
}
