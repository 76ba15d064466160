//! Exports to other trackers.

use std::collections::BTreeMap;
use std::path::Path;

use trueup_core::model::ItemKey;
use trueup_core::plan::trackers::{
    ExportedItems, FileItems, GivenIds, TrackerFormat, choose_items_of_file, find_given_ids,
    list_files, render_beads_issue, render_task_master,
};
use trueup_core::store::{ItemFilter, Store};

use super::counts::ExportCounts;
use super::export_error::ExportResult;
use super::replaced::{KnownLine, ReplacedFile};
use crate::command_error::{CommandError, CommandResult, ImportCase};
use crate::commands::item::removed_items::list_removed_items;
use crate::commands::item::tracker_place::{list_present_places, name_tracker_place};
use crate::commands::work_scope::WorkScope;

/// A file of a tracker, as an export writes it.
pub(super) struct TrackerExport {
    pub(super) bytes: Vec<u8>,
    pub(super) items: ExportedItems,
    pub(super) counts: ExportCounts,
    pub(super) warnings: Vec<String>,
}

/// Most items that one line names.
const MAX_NAMES: usize = 20;

/// The items of a file, and warnings about those that are in none.
pub(super) struct LoadedItems {
    pub(super) items: ExportedItems,
    pub(super) warnings: Vec<String>,
}

/// Loads the items that an export writes into a file, or those of the whole tracker for stdout.
pub(super) fn load_items(
    store: &mut dyn Store,
    scope: &WorkScope,
    format: TrackerFormat,
    path: Option<&Path>,
) -> CommandResult<LoadedItems> {
    let filter = ItemFilter { scope: scope.items.clone(), ..ItemFilter::default() };
    let all = store.list_items(&filter)?;
    let path = path.filter(|_| !scope.is_all());
    let place = path.map(|path| name_tracker_place(path, format));
    let present = path.map(|path| list_present_places(path, list_files(&all, format)));
    let present = present.unwrap_or_default();
    let FileItems { items, left_out } =
        choose_items_of_file(all, format, place.as_deref(), &present)
            .map_err(|error| CommandError::new(ImportCase::ExportMixed, error.to_string()))?;
    let mut items = ExportedItems::new(items, format);
    let is_here = |repo: Option<&str>| scope.is_all() || repo == scope.items.repo_name();
    let removed = list_removed_items(store, format, is_here)?.into_iter();
    let is_of_other = |file: &str| place.as_deref() != Some(file) && present.contains(file);
    let removed = removed
        .map(|removed| removed.source)
        .filter(|source| !source.file.as_deref().is_some_and(is_of_other));
    items.add_removed(removed);
    Ok(LoadedItems { items, warnings: warn_of_left_out(&left_out).into_iter().collect() })
}

/// Names the items that were not written, since nothing says to which file they belong.
fn warn_of_left_out(left_out: &[ItemKey]) -> Option<String> {
    let first = left_out.first()?;
    let names: Vec<&str> = left_out.iter().take(MAX_NAMES).map(ItemKey::as_str).collect();
    let more = match left_out.len() - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "{}{more}: not written, since this repository has several files of the tracker; \
         `trueup item edit {first} --parent KEY` puts it into the file of its parent",
        names.join(", ")
    ))
}

pub(super) fn count_items(items: &ExportedItems, kind: &'static str) -> ExportCounts {
    let mut counts = ExportCounts::default();
    counts.add(kind, items.items.len().try_into().unwrap_or(u64::MAX));
    counts
}

/// Renders the items as the one file of a tracker.
pub(super) fn render_tracker(
    store: &mut dyn Store,
    scope: &WorkScope,
    format: TrackerFormat,
    (path, replaced): (Option<&Path>, Option<&ReplacedFile<'_>>),
) -> ExportResult<TrackerExport> {
    let LoadedItems { mut items, warnings } = load_items(store, scope, format, path)?;
    let file = replaced.map(|replaced| replaced.check(format, &mut items)).transpose()?;
    if format != TrackerFormat::TaskMaster {
        let bytes = match (&file, replaced) {
            (Some(file), Some(replaced)) => {
                let lines = replaced.list_lines(file);
                let issues = render_beads(&items, &lines, replaced.line_end())?;
                [replaced.byte_order_mark(), &issues].concat()
            }
            _ => render_beads(&items, &BTreeMap::new(), b"\n")?,
        };
        return Ok(TrackerExport { counts: count_items(&items, "issue"), bytes, items, warnings });
    }
    let given = match (file, replaced) {
        (Some(file), Some(replaced)) => find_given_ids(&file, replaced.parse_object()),
        _ => GivenIds::default(),
    };
    let file = render_task_master(&mut items, &given);
    let bytes = match replaced {
        Some(replaced) => replaced.render_like(&file)?,
        None => format!("{file:#}\n").into_bytes(),
    };
    Ok(TrackerExport { counts: count_items(&items, "task"), bytes, items, warnings })
}

/// Renders one issue a line. A line that says the same is kept as it is written; another one ends
/// as those of the file do.
fn render_beads(
    items: &ExportedItems,
    known: &BTreeMap<&str, KnownLine<'_>>,
    line_end: &[u8],
) -> ExportResult<Vec<u8>> {
    let mut bytes = Vec::new();
    for exported in &items.items {
        let issue = render_beads_issue(exported, items);
        let id = items.id_of(&exported.item.key);
        match known.get(id.as_str()).filter(|known| *known.fields == issue) {
            Some(known) => bytes.extend_from_slice(known.line),
            None => serde_json::to_writer(&mut bytes, &issue)?,
        }
        if !bytes.ends_with(b"\n") {
            bytes.extend_from_slice(line_end);
        }
    }
    Ok(bytes)
}
