//! What changed in an item since it was imported.

use super::item_source::ItemSource;
use super::record::{RecordStatus, USUAL_KIND};
use super::written_priority::is_same_priority;
use crate::model::{Item, ItemKey};

/// The properties of an item that differ from what its record says. An outer `None` is a property
/// that is as it was.
#[derive(Debug, PartialEq)]
#[expect(clippy::option_option, reason = "unchanged, emptied and set are three things")]
pub(super) struct ItemChanges<'a> {
    pub(super) title: Option<&'a str>,
    pub(super) description: Option<Option<&'a str>>,
    pub(super) kind: Option<&'a str>,
    pub(super) priority: Option<Option<u8>>,
    pub(super) status: Option<RecordStatus>,
    pub(super) parent: Option<Option<&'a ItemKey>>,
    pub(super) added_dependencies: Vec<&'a ItemKey>,
    pub(super) removed_dependencies: Vec<ItemKey>,
}

impl<'a> ItemChanges<'a> {
    /// Compares an item with its record.
    pub(super) fn find(item: &'a Item, source: &ItemSource) -> Self {
        let record = source.reread();
        let title = item.title.as_deref().filter(|title| *title != record.title);
        let description = item.description.as_deref();
        let kind = record.kind.as_deref().unwrap_or(USUAL_KIND);
        let priority = item.priority.map(u8::from);
        let is_same_priority = is_same_priority(source.format, item.priority, record.priority);
        let status = RecordStatus::from(item.status);
        let written = status.as_written(source.format);
        let is_same_status = status == record.status || written == record.status;
        // The day comes without a change in the file.
        let is_awake = record.deferred_until.is_some() && status == RecordStatus::Waiting;
        let is_new = |key: &&ItemKey| !source.depends_on.contains(key);
        let is_gone = |key: &&ItemKey| !item.depends_on.contains(key);
        Self {
            title,
            description: (description != record.description.as_deref()).then_some(description),
            kind: Some(item.kind.as_str()).filter(|word| *word != kind),
            priority: (!is_same_priority).then_some(priority),
            status: (!is_same_status && !is_awake).then_some(status),
            parent: (item.parent != source.parent).then_some(item.parent.as_ref()),
            added_dependencies: item.depends_on.iter().filter(is_new).collect(),
            removed_dependencies: source.depends_on.iter().filter(is_gone).cloned().collect(),
        }
    }

    /// Tells whether the dependencies are others.
    pub(super) const fn has_new_dependencies(&self) -> bool {
        !self.added_dependencies.is_empty() || !self.removed_dependencies.is_empty()
    }

    /// Tells whether everything is as it was.
    pub(super) const fn is_empty(&self) -> bool {
        self.title.is_none()
            && self.description.is_none()
            && self.kind.is_none()
            && self.priority.is_none()
            && self.status.is_none()
            && self.parent.is_none()
            && !self.has_new_dependencies()
    }
}
