//! Editing an item.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Provenance;
use crate::model::{ItemKey, ItemPriority};

/// New properties of an item; an absent one stays as it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ItemEditRequest {
    /// The item.
    pub item: ItemKey,
    /// Its title.
    pub title: Option<String>,
    /// Its kind.
    pub kind: Option<String>,
    /// The item it belongs to.
    pub parent: Option<ItemKey>,
    /// Its position among its siblings.
    pub position: Option<i64>,
    /// How urgent it is.
    #[serde(default)]
    pub priority: Option<ItemPriority>,
    /// What is to be done.
    #[serde(default)]
    pub description: Option<String>,
    /// What an import brought that has no place of its own.
    #[serde(default)]
    pub extra: Option<Map<String, Value>>,
    /// The properties that it has no more; a new value of one of them is ignored.
    #[serde(default)]
    pub unset: Vec<OptionalItemField>,
    /// Who edits.
    pub provenance: Provenance,
}

impl ItemEditRequest {
    /// Makes a request that changes nothing.
    pub const fn new(item: ItemKey, provenance: Provenance) -> Self {
        Self {
            item,
            title: None,
            kind: None,
            parent: None,
            position: None,
            priority: None,
            description: None,
            extra: None,
            unset: Vec::new(),
            provenance,
        }
    }
}

/// A property that an item may be without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptionalItemField {
    /// The title.
    Title,
    /// The parent item.
    Parent,
    /// The position among its siblings.
    Position,
    /// The priority.
    Priority,
    /// The description.
    Description,
}

impl OptionalItemField {
    /// Returns the key of the property in events and answers, which is also that of its column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Parent => "parent",
            Self::Position => "position",
            Self::Priority => "priority",
            Self::Description => "description",
        }
    }
}
