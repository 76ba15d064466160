//! Loading of items that must exist.

use trueup_core::model::{Item, ItemKey};
use trueup_core::store::Store;

use crate::command_error::{CommandError, CommandResult};

/// Loads an item that must exist.
pub(crate) fn load_item(store: &mut dyn Store, key: &ItemKey) -> CommandResult<Item> {
    store.load_item(key)?.ok_or_else(|| CommandError::item_not_found(key))
}
