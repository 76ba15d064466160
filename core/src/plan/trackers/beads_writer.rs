//! Writes items as issues of beads.

use serde_json::{Map, Value, json};

use super::beads::{BLOCKING_KINDS, parse_dependency};
use super::export_item::{ExportedItem, ExportedItems};
use super::item_changes::ItemChanges;
use super::item_source::ItemSource;
use super::record::RecordStatus;
use crate::model::{Item, ItemKey, ORCHESTRATOR_KIND};

/// Returns the issue of an item. One that came from beads has its fields as they were, but for
/// those that changed.
pub fn render_beads_issue(exported: &ExportedItem, items: &ExportedItems) -> Map<String, Value> {
    match &exported.source {
        Some(source) => update_issue(exported, source, items),
        None => new_issue(&exported.item, items),
    }
}

pub(super) fn new_issue(item: &Item, items: &ExportedItems) -> Map<String, Value> {
    let mut issue = Map::new();
    let id = items.id_of(&item.key);
    issue.insert("id".to_owned(), json!(id));
    issue.insert("title".to_owned(), json!(item.title.as_deref().unwrap_or(item.key.as_str())));
    if let Some(description) = &item.description {
        issue.insert("description".to_owned(), json!(description));
    }
    issue.insert("priority".to_owned(), json!(item.effective_priority()));
    issue.insert("issue_type".to_owned(), json!(issue_type(&item.kind)));
    issue.insert("created_at".to_owned(), json!(item.created_at));
    issue.insert("updated_at".to_owned(), json!(item.updated_at));
    set_status(&mut issue, item, RecordStatus::from(item.status));
    let blocks = item.depends_on.iter().map(|on| (on, "blocks"));
    let parent = item.parent.iter().map(|parent| (parent, "parent-child"));
    let dependencies: Vec<Value> =
        blocks.chain(parent).map(|(on, kind)| dependency(item, on, kind, items)).collect();
    if !dependencies.is_empty() {
        issue.insert("dependencies".to_owned(), Value::Array(dependencies));
    }
    issue
}

fn issue_type(kind: &str) -> &str {
    if kind == ORCHESTRATOR_KIND { "epic" } else { kind }
}

fn update_issue(
    exported: &ExportedItem,
    source: &ItemSource,
    items: &ExportedItems,
) -> Map<String, Value> {
    let item = &exported.item;
    let mut issue = exported.fields_of_file().cloned().unwrap_or_default();
    let changes = ItemChanges::find(item, source);
    if changes.is_empty() {
        return issue;
    }
    if let Some(title) = changes.title {
        issue.insert("title".to_owned(), json!(title));
    }
    if let Some(description) = changes.description {
        issue.insert("description".to_owned(), json!(description.unwrap_or_default()));
    }
    if let Some(kind) = changes.kind {
        issue.insert("issue_type".to_owned(), json!(issue_type(kind)));
    }
    if changes.priority.is_some() {
        issue.insert("priority".to_owned(), json!(item.effective_priority()));
    }
    if let Some(status) = changes.status {
        set_status(&mut issue, item, status);
    }
    update_dependencies(&mut issue, item, &changes, items);
    issue.insert("updated_at".to_owned(), json!(item.updated_at));
    issue
}

fn set_status(issue: &mut Map<String, Value>, item: &Item, status: RecordStatus) {
    let word = match status {
        RecordStatus::Waiting => "open",
        RecordStatus::Active => "in_progress",
        RecordStatus::Blocked => "blocked",
        RecordStatus::Done | RecordStatus::Failed | RecordStatus::Cancelled => "closed",
    };
    issue.insert("status".to_owned(), json!(word));
    for field in ["closed_at", "close_reason", "deleted_at", "deleted_by", "delete_reason"] {
        issue.shift_remove(field);
    }
    if word != "closed" {
        return;
    }
    let at = item.completed_at.unwrap_or(item.updated_at);
    issue.insert("closed_at".to_owned(), json!(at));
    let reason = match status {
        // beads has no status for these.
        RecordStatus::Failed => Some(join_reason("failed", item.error_message.as_deref())),
        RecordStatus::Cancelled => Some(join_reason("cancelled", item.error_message.as_deref())),
        _ => item.evidence.clone(),
    };
    if let Some(reason) = reason {
        issue.insert("close_reason".to_owned(), json!(reason));
    }
}

fn join_reason(word: &str, reason: Option<&str>) -> String {
    reason.map_or_else(|| word.to_owned(), |reason| format!("{word}: {reason}"))
}

fn dependency(item: &Item, on: &ItemKey, kind: &str, items: &ExportedItems) -> Value {
    json!({
        "issue_id": items.id_of(&item.key), "depends_on_id": items.id_of(on), "type": kind,
        "created_at": item.updated_at,
    })
}

fn update_dependencies(
    issue: &mut Map<String, Value>,
    item: &Item,
    changes: &ItemChanges<'_>,
    items: &ExportedItems,
) {
    if changes.parent.is_none()
        && changes.added_dependencies.is_empty()
        && changes.removed_dependencies.is_empty()
    {
        return;
    }
    let mut list = match issue.shift_remove("dependencies") {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    let removed: Vec<String> =
        changes.removed_dependencies.iter().map(|key| items.id_of(key)).collect();
    list.retain(|entry| match parse_dependency(entry) {
        Some(known) if known.kind == "parent-child" => changes.parent.is_none(),
        Some(known) => !BLOCKING_KINDS.contains(&known.kind) || !removed.contains(&known.on),
        None => true,
    });
    let is_listed = |on: &ItemKey| {
        let id = items.id_of(on);
        let mut blocking = list
            .iter()
            .filter_map(parse_dependency)
            .filter(|known| BLOCKING_KINDS.contains(&known.kind));
        blocking.any(|known| known.on == id)
    };
    let added: Vec<&ItemKey> =
        changes.added_dependencies.iter().copied().filter(|on| !is_listed(on)).collect();
    let added = added.into_iter().map(|on| (on, "blocks"));
    let parent = changes.parent.flatten().map(|parent| (parent, "parent-child"));
    list.extend(added.chain(parent).map(|(on, kind)| dependency(item, on, kind, items)));
    if issue.contains_key("dependency_count") {
        issue.insert("dependency_count".to_owned(), json!(list.len()));
    }
    if !list.is_empty() {
        issue.insert("dependencies".to_owned(), Value::Array(list));
    }
}
