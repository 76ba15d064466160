//! The import of items from another tracker, in one transaction.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ItemEditRequest, Provenance};
use crate::model::{ItemKey, ItemStatus, NewItem};
use crate::text::redact::RedactedText;

/// Items to add and to change, all of them or none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ItemImport {
    /// The items to add, each behind its parent. They may depend on each other in any order.
    pub added: Vec<ImportedItem>,
    /// The items to change.
    pub changed: Vec<ReimportedItem>,
    /// Who imports.
    pub provenance: Provenance,
}

/// An item to add.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportedItem {
    /// The item. A status other than that of its dependencies is kept.
    pub item: NewItem,
    /// What its event says, such as why it was closed; that of the import when absent.
    pub reason: Option<RedactedText>,
}

/// An item that was imported before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReimportedItem {
    /// Its new properties.
    pub edit: ItemEditRequest,
    /// Dependencies that it has now.
    pub added_dependencies: Vec<ItemKey>,
    /// Dependencies that it has no more.
    pub removed_dependencies: Vec<ItemKey>,
    /// The status that it moved to. It never moves back, and not while a session holds it.
    pub status: Option<ItemStatus>,
}

impl ReimportedItem {
    /// The change of an item's extra fields alone.
    pub fn of_extra(item: ItemKey, extra: Map<String, Value>, provenance: Provenance) -> Self {
        let mut edit = ItemEditRequest::new(item, provenance);
        edit.extra = Some(extra);
        Self {
            edit,
            added_dependencies: Vec::new(),
            removed_dependencies: Vec::new(),
            status: None,
        }
    }
}

/// How many items an import wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedItems {
    /// New items.
    pub added: u64,
    /// Items that were there.
    pub changed: u64,
}
