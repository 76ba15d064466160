//! Decides what an import does to the items that are there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::client_tasks;
use super::export_item::ExportedItems;
use super::import_context::ImportContext;
use super::import_graph::drop_cycles;
use super::imported_item::{LeftOfBase, build_extra, build_new_item};
use super::item_changes::ItemChanges;
use super::item_source::{ItemSource, LINKS_FIELD, SOURCE_FIELD};
use super::keyed_record::{KeyedRecord, RecordPlace};
use super::record::{RecordStatus, SkippedRecord, TrackerFile, TrackerFormat, TrackerRecord};
use super::record_keys::{describe_dropped, give_keys, skipped_field};
use super::reimport::Reimport;
use super::removed_items::leave_removed;
use super::tracker_places::{ImportPlace, list_sources};
use super::written_record::base_of_written_item;
use crate::model::{Item, ItemKey};
use crate::store::{ImportedItem, ItemEditRequest, ItemImport, ReimportedItem};

/// What an import will do.
#[derive(Debug)]
pub struct PlannedImport {
    /// The change of the store.
    pub import: ItemImport,
    /// For each changed item what changes: its key, and `field: before -> after`.
    pub changes: Vec<(ItemKey, Vec<String>)>,
    /// The items that stay as they are.
    pub unchanged: Vec<ItemKey>,
    /// The items of which the file has an older copy, from which nothing is taken.
    pub outdated: Vec<ItemKey>,
    /// The items whose records were in the file before and are not any more. They stay.
    pub missing: Vec<ItemKey>,
    /// What was skipped, in the order of the files.
    pub skipped: Vec<SkippedRecord>,
}

/// Plans the import of a tracker's records.
pub fn plan_import(file: TrackerFile, context: &ImportContext<'_>) -> PlannedImport {
    let TrackerFile { format, mut records, mut skipped, .. } = file;
    if format == TrackerFormat::ClientTasks {
        client_tasks::qualify_ids(&mut records);
    }
    wake_deferred(&mut records, context);
    let sources = list_sources(format, context);
    let place = ImportPlace::find(&records, &sources, context);
    leave_removed(format, &mut records, context, &place, &mut skipped);
    let mut records = give_keys(format, records, (context, &place), &mut skipped);
    for dropped in drop_cycles(&mut records, context.existing) {
        skipped.push(describe_dropped(&dropped));
    }
    let mut planned = PlannedImport {
        import: ItemImport {
            added: Vec::new(),
            changed: Vec::new(),
            provenance: context.provenance.clone(),
        },
        changes: Vec::new(),
        unchanged: Vec::new(),
        outdated: Vec::new(),
        missing: Vec::new(),
        skipped,
    };
    let written = list_written_items(format, &records, context);
    planned.forget_missing(format, &records, (context, &place));
    for (order, keyed) in (0..).zip(records) {
        match context.existing.get(&keyed.key) {
            None => {
                planned.import.added.push(build_new_item(format, order, keyed, (context, &place)));
            }
            Some(item) => {
                planned.reimport(format, order, keyed, item, &written, (context, &place));
            }
        }
    }
    planned.import.added = parents_first(planned.import.added);
    planned.skipped.sort_by_key(|skipped| (skipped.file, skipped.line.line));
    planned
}

/// Makes work of what was deferred until a day that has come.
fn wake_deferred(records: &mut [TrackerRecord], context: &ImportContext<'_>) {
    let is_over = |record: &&mut TrackerRecord| {
        record.deferred_until.is_some_and(|until| until <= context.now)
    };
    for record in records.iter_mut().filter(is_over) {
        record.status = RecordStatus::Waiting;
        record.status_reason = None;
    }
}

/// Lists the items as an export of this tracker has them, if the file has one that an export wrote.
fn list_written_items(
    format: TrackerFormat,
    records: &[KeyedRecord],
    context: &ImportContext<'_>,
) -> ExportedItems {
    let is_new = |item: &Item| ItemSource::in_tracker(item, format).is_none();
    let has_new = records.iter().any(|keyed| context.existing.get(&keyed.key).is_some_and(is_new));
    let here = context.existing.values().filter(|item| item.repo.as_deref() == context.repo);
    let mut items = ExportedItems::new(here.filter(|_| has_new).cloned().collect(), format);
    for keyed in records.iter().filter(|_| has_new) {
        items.set_id(keyed.key.clone(), keyed.record.id.clone());
    }
    items
}

impl PlannedImport {
    /// Notes which items the file has no more, so that an export may write them into it again. They
    /// follow the others where the file was moved.
    fn forget_missing(
        &mut self,
        format: TrackerFormat,
        records: &[KeyedRecord],
        (context, place): (&ImportContext<'_>, &ImportPlace<'_>),
    ) {
        let Some(file) = place.own.filter(|_| format.is_written()) else { return };
        let known: BTreeSet<&ItemKey> = records.iter().map(|keyed| &keyed.key).collect();
        let here = context.existing.values().filter(|item| item.repo.as_deref() == context.repo);
        for item in here.filter(|item| !known.contains(&item.key)) {
            let Some(source) = ItemSource::in_tracker(item, format) else { continue };
            let is_of_file = source.file.as_deref() == Some(file);
            let was_moved = place.is_of_earlier_name(&source);
            let is_complete = format.is_one_file() && !place.is_copy;
            let is_missing = source.is_missing || is_complete && (is_of_file || was_moved);
            if !was_moved && is_missing == source.is_missing {
                continue;
            }
            if is_missing && !source.is_missing {
                self.missing.push(item.key.clone());
            }
            let mut extra = item.extra.clone();
            ItemSource { file: Some(file.to_owned()), is_missing, ..source }.store_in(&mut extra);
            self.import.changed.push(ReimportedItem::of_extra(
                item.key.clone(),
                extra,
                context.provenance.clone(),
            ));
        }
    }

    /// Takes nothing from a record that was read or written before the one that the item knows.
    fn leave_older_copy(
        &mut self,
        keyed: &KeyedRecord,
        item: &Item,
        known: &ItemSource,
        (context, place): (&ImportContext<'_>, &ImportPlace<'_>),
    ) {
        self.unchanged.push(item.key.clone());
        let is_same_file = known.file.as_deref() == context.file;
        let copy = ItemSource {
            record: keyed.record.original.clone(),
            depends_on: keyed.depends_on.clone(),
            ..known.clone()
        };
        if is_same_file || !ItemChanges::find(item, &copy).is_empty() {
            self.outdated.push(item.key.clone());
        }
        let file = place.own.map(str::to_owned).or_else(|| known.file.clone());
        let is_missing = known.is_missing && (place.is_copy || context.file.is_none());
        if file != known.file || is_missing != known.is_missing {
            let mut extra = item.extra.clone();
            ItemSource { file, is_missing, ..known.clone() }.store_in(&mut extra);
            self.import.changed.push(ReimportedItem::of_extra(
                item.key.clone(),
                extra,
                context.provenance.clone(),
            ));
        }
    }

    /// Plans the change of an item that was imported before. What the file changed since then is
    /// taken over; what was changed here stays.
    fn reimport(
        &mut self,
        format: TrackerFormat,
        order: u64,
        keyed: KeyedRecord,
        item: &Item,
        written: &ExportedItems,
        (context, place): (&ImportContext<'_>, &ImportPlace<'_>),
    ) {
        let mut keyed = keyed;
        let known = ItemSource::in_tracker(item, format);
        if let Some(known) = known.as_ref().filter(|known| {
            known.record != keyed.record.original && known.has_seen(&keyed.record.original)
        }) {
            return self.leave_older_copy(&keyed, item, known, (context, place));
        }
        let is_first = known.is_none();
        let file = place.own.filter(|_| format.is_written());
        let is_in_file = file.is_some() && !place.is_copy;
        let was_missing = known.as_ref().map_or(file.is_some(), |known| known.is_missing);
        keep_foreign_dependencies(&mut keyed, known.as_ref());
        let base = known.or_else(|| {
            base_of_written_item(format, &keyed.record, &keyed.depends_on, item, written)
        });
        let changed = Reimport { format, record: &keyed.record, item, base: base.as_ref() };
        let status = changed.decide_status();
        let at = RecordPlace::from(&keyed.record);
        if let Some(reason) = status.describe(&changed) {
            self.skipped.push(skipped_field(&at, reason));
        }
        let mut request = ReimportedItem {
            edit: ItemEditRequest::new(item.key.clone(), context.provenance.clone()),
            added_dependencies: Vec::new(),
            removed_dependencies: Vec::new(),
            status: status.taken_status(),
        };
        let mut lines = changed.edit_fields(&mut request.edit);
        let known = base.as_ref().map_or(&item.depends_on, |base| &base.depends_on);
        let is_new = |key: &&ItemKey| !known.contains(key) && !item.depends_on.contains(key);
        let is_first_meeting = changed.is_first_meeting();
        let is_gone = |key: &&ItemKey| {
            !is_first_meeting && !keyed.depends_on.contains(key) && known.contains(key)
        };
        request.added_dependencies = keyed.depends_on.iter().filter(is_new).cloned().collect();
        request.removed_dependencies = item.depends_on.iter().filter(is_gone).cloned().collect();
        lines.extend(request.added_dependencies.iter().map(|on| format!("depends on: +{on}")));
        lines.extend(request.removed_dependencies.iter().map(|on| format!("depends on: -{on}")));
        lines.extend(request.status.map(|to| format!("status: {} -> {to}", item.status)));
        // The item keeps the parent that it has.
        if let Some(parent) = keyed.parent.as_ref().filter(|_| is_first_meeting)
            && item.parent.as_ref() != Some(parent)
        {
            let key = &item.key;
            let reason = format!(
                "its parent {parent} is not taken over; `trueup item edit {key} --parent {parent}` \
                 sets it"
            );
            self.skipped.push(skipped_field(&at, reason));
        }
        let parent = base.as_ref().map_or(&item.parent, |base| &base.parent).clone();
        let left = LeftOfBase {
            base: base.as_ref(),
            status_taken: status.status_left(&changed),
            file,
            is_missing: was_missing && !is_in_file,
            is_new: !item.extra.contains_key(SOURCE_FIELD) && is_first,
        };
        let is_news = base.as_ref().is_none_or(|base| base.record != keyed.record.original)
            || left.status_taken != base.as_ref().and_then(|base| base.status_taken);
        let keyed = KeyedRecord { parent, ..keyed };
        let extra = build_extra(format, order, keyed, left, &item.extra);
        if extra != item.extra && has_new_record(&extra, item) {
            request.edit.extra = Some(extra);
            // An item that an export wrote only learns where it is.
            if lines.is_empty() && !is_first && is_news {
                lines.push("fields of the record".to_owned());
            }
        }
        if !lines.is_empty() || request.edit.extra.is_some() {
            self.import.changed.push(request);
        }
        if lines.is_empty() {
            self.unchanged.push(item.key.clone());
        } else {
            self.changes.push((item.key.clone(), lines));
        }
    }
}

/// Keeps dependencies on items that no import of this file knows: an export wrote them by key.
fn keep_foreign_dependencies(keyed: &mut KeyedRecord, known: Option<&ItemSource>) {
    let is_named =
        |on: &&ItemKey| keyed.record.depends_on.iter().any(|id| id.as_str() == on.as_str());
    let is_missing = |on: &&ItemKey| !keyed.depends_on.contains(on);
    let of_base = known.into_iter().flat_map(|known| &known.depends_on);
    let kept: Vec<ItemKey> = of_base.filter(is_missing).filter(is_named).cloned().collect();
    keyed.depends_on.extend(kept);
    keyed.depends_on.sort();
}

/// Tells whether the record changed, and not only its place in the file.
fn has_new_record(extra: &Map<String, Value>, item: &Item) -> bool {
    let without_order = |extra: &Map<String, Value>| {
        let mut extra = extra.clone();
        if let Some(Value::Object(source)) = extra.get_mut(SOURCE_FIELD) {
            source.shift_remove("order");
        }
        if let Some(Value::Object(links)) = extra.get_mut(LINKS_FIELD) {
            for link in links.values_mut().filter_map(Value::as_object_mut) {
                link.shift_remove("order");
            }
        }
        extra
    };
    without_order(extra) != without_order(&item.extra)
}

/// Orders new items so that each comes behind its parent.
fn parents_first(items: Vec<ImportedItem>) -> Vec<ImportedItem> {
    let places: BTreeMap<ItemKey, usize> =
        items.iter().enumerate().map(|(place, new)| (new.item.key.clone(), place)).collect();
    let parents: Vec<Option<usize>> = items
        .iter()
        .map(|new| new.item.parent.as_ref().and_then(|parent| places.get(parent)).copied())
        .collect();
    let mut rest: Vec<Option<ImportedItem>> = items.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(rest.len());
    for start in 0..rest.len() {
        let mut chain = Vec::new();
        let mut next = Some(start);
        while let Some(place) = next.filter(|place| rest.get(*place).is_some_and(Option::is_some)) {
            // Parents form no circle, but a loop here would never end.
            if chain.len() > parents.len() {
                break;
            }
            chain.push(place);
            next = parents.get(place).copied().flatten();
        }
        let taken = chain.into_iter().rev().filter_map(|place| rest.get_mut(place)?.take());
        ordered.extend(taken.collect::<Vec<_>>());
    }
    ordered
}
