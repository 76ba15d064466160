//! The items that were removed, as the events of their removal know them.

use serde_json::Value;
use trueup_core::model::{EventFilter, EventKind};
use trueup_core::plan::trackers::{ItemSource, RemovedItem, TrackerFormat};
use trueup_core::store::Store;

use crate::command_error::CommandResult;

/// Lists what is known of removed items that were in a tracker, of the repositories that are
/// looked at.
pub(crate) fn list_removed_items(
    store: &mut dyn Store,
    format: TrackerFormat,
    is_here: impl Fn(Option<&str>) -> bool,
) -> CommandResult<Vec<RemovedItem>> {
    let filter = EventFilter {
        entity: Some("item".to_owned()),
        kind: Some(EventKind::Removed.as_str().to_owned()),
        ..EventFilter::default()
    };
    let events = store.list_events(&filter)?;
    let removed = events.iter().filter_map(|event| {
        let repo = event.before.get("repo").and_then(Value::as_str);
        let extra = event.before.get("extra")?.as_object()?;
        let source = ItemSource::in_extra(extra, format).filter(|_| is_here(repo))?;
        Some(RemovedItem { key: event.key.parse().ok()?, at: event.at, source })
    });
    Ok(removed.collect())
}
