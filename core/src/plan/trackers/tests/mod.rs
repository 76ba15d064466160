//! Tests of the readers and writers with the fixtures, and what holds for any file.

mod backlog_files;
mod days;
mod exports;
mod fixtures;
mod imports;
mod moves;
mod properties;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::*;
use crate::model::fixture::sample_item;
use crate::model::{Item, ItemKey, ItemStatus, NewItem};
use crate::store::{ItemImport, Provenance};

pub(super) type Items = BTreeMap<ItemKey, Item>;

pub(super) fn fixture(path: &str) -> Vec<u8> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/trackers/");
    std::fs::read(format!("{root}{path}")).unwrap()
}

pub(super) fn read_one(format: TrackerFormat, path: &str, bytes: &[u8]) -> TrackerFile {
    read_tracker(format, &[SourceFile { path, bytes }]).unwrap()
}

/// Returns an item as the database would have it.
fn stored_item(new: &NewItem) -> Item {
    let status = new.status.unwrap_or(ItemStatus::Queued);
    Item {
        key: new.key.clone(),
        title: new.title.clone(),
        kind: new.kind.clone().unwrap_or_else(|| "task".to_owned()),
        parent: new.parent.clone(),
        position: new.position,
        repo: new.repo.clone(),
        priority: new.priority,
        description: new.description.clone(),
        extra: new.extra.clone(),
        depends_on: new.depends_on.clone(),
        ..sample_item(status, None)
    }
}

/// Carries an import out.
pub(super) fn apply(items: &mut Items, import: &ItemImport) {
    for added in &import.added {
        let parent = added.item.parent.as_ref();
        assert!(parent.is_none_or(|parent| items.contains_key(parent)), "{:?}", added.item);
        assert!(items.insert(added.item.key.clone(), stored_item(&added.item)).is_none());
    }
    for changed in &import.changed {
        let item = items.get_mut(&changed.edit.item).unwrap();
        item.title = changed.edit.title.clone().or(item.title.take());
        item.kind = changed.edit.kind.clone().unwrap_or_else(|| item.kind.clone());
        item.priority = changed.edit.priority.or(item.priority);
        item.description = changed.edit.description.clone().or(item.description.take());
        for field in &changed.edit.unset {
            match field.as_str() {
                "priority" => item.priority = None,
                "description" => item.description = None,
                other => panic!("{other}"),
            }
        }
        item.extra = changed.edit.extra.clone().unwrap_or_else(|| item.extra.clone());
        item.status = changed.status.unwrap_or(item.status);
        item.depends_on.retain(|on| !changed.removed_dependencies.contains(on));
        item.depends_on.extend(changed.added_dependencies.iter().cloned());
        item.depends_on.sort();
    }
    for item in items.values() {
        assert!(item.depends_on.iter().all(|on| items.contains_key(on)), "{item:?}");
    }
}

pub(super) fn plan(items: &Items, file: TrackerFile) -> PlannedImport {
    plan_after_removal(items, &[], file)
}

/// Plans an import where items were removed before.
pub(super) fn plan_after_removal(
    items: &Items,
    removed: &[RemovedItem],
    file: TrackerFile,
) -> PlannedImport {
    let provenance = Provenance::new("user", "item import");
    let context = ImportContext {
        existing: items,
        removed,
        repo: Some("harbour"),
        file: Some("issues.jsonl"),
        present: &std::collections::BTreeSet::new(),
        now: crate::model::Timestamp::from_millis(1_800_000_000_000),
        provenance: &provenance,
    };
    plan_import(file, &context)
}

/// Imports a file into items.
pub(super) fn import(items: &mut Items, file: TrackerFile) -> PlannedImport {
    let planned = plan(items, file);
    apply(items, &planned.import);
    planned
}

pub(super) fn exported(items: &Items, format: TrackerFormat) -> ExportedItems {
    ExportedItems::new(items.values().cloned().collect(), format)
}

pub(super) fn export_beads(items: &Items) -> Vec<Map<String, Value>> {
    let exported = exported(items, TrackerFormat::Beads);
    exported.items.iter().map(|item| render_beads_issue(item, &exported)).collect()
}

pub(super) fn parse_lines(bytes: &[u8]) -> Vec<Map<String, Value>> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

pub(super) fn item<'a>(items: &'a Items, key: &str) -> &'a Item {
    &items[&key.parse::<ItemKey>().unwrap()]
}

pub(super) fn keys(keys: &[ItemKey]) -> Vec<&str> {
    keys.iter().map(ItemKey::as_str).collect()
}

pub(super) fn reasons(planned: &PlannedImport) -> Vec<String> {
    let of_line =
        |skipped: &SkippedRecord| format!("{}: {}", skipped.line.line, skipped.line.reason);
    planned.skipped.iter().map(of_line).collect()
}
