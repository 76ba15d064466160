//! What the file of task-master that an export replaces gives to the new one.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::model::ItemKey;

/// What the file to replace says of new items, and what it has besides tasks.
#[derive(Debug, Default)]
pub struct GivenIds {
    /// The ids that an earlier export gave to items.
    pub(super) ids: BTreeMap<ItemKey, String>,
    /// All ids of the file: that of a task that goes from it is not given to another one.
    pub(super) taken: Vec<String>,
    /// Members of the file that are no list with tasks.
    pub(super) others: Map<String, Value>,
    /// What the lists have besides their tasks, by tag.
    pub(super) metadata: BTreeMap<String, Value>,
    /// The names of its members, and of those that these have, in their order.
    pub(super) members: Vec<(String, Vec<String>)>,
}
