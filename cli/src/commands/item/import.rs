//! `trueup item import`: items from the files of another tracker.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use trueup_core::model::{EventKind, Item, ItemKey};
use trueup_core::plan::trackers::{
    ImportContext, PlannedImport, SkippedRecord, TrackerFormat, find_parts_left, list_files,
    parse_exported_plans, plan_import, read_tracker,
};
use trueup_core::repos::{assign_repo_name, find_repo_name};
use trueup_core::store::{ImportedItem, ItemFilter, Store};
use trueup_core::sync::now;
use trueup_core::text::{one_line, path_to_text, pluralize, quote_for_shell};

use super::import_source::{ImportSource, is_stream, read_source};
use super::removed_items::list_removed_items;
use super::tracker_lock::lock_trackers;
use super::tracker_place::list_present_places;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ImportCase};
use crate::output::Output;

/// Most lines about items of one kind; the JSON has all of them.
const MAX_LINES: usize = 40;

/// Most items that one line names.
const MAX_NAMES: usize = 20;

/// Longest title shown, in characters.
const MAX_TITLE_CHARS: usize = 60;

/// The format of files to import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    /// `.beads/issues.jsonl`, or what `bd export` prints
    Beads,
    /// `.taskmaster/tasks/tasks.json`
    TaskMaster,
    /// A file or the folder of Backlog.md
    Backlog,
    /// A folder with a task list of Claude Code
    ClientTasks,
    /// What `trueup export` writes
    JsonLines,
}

impl From<ImportFormat> for TrackerFormat {
    fn from(format: ImportFormat) -> Self {
        match format {
            ImportFormat::Beads => Self::Beads,
            ImportFormat::TaskMaster => Self::TaskMaster,
            ImportFormat::Backlog => Self::Backlog,
            ImportFormat::ClientTasks => Self::ClientTasks,
            ImportFormat::JsonLines => Self::JsonLines,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ItemImportArgs {
    /// File or folder of the tracker, or - for stdin
    pub(crate) file: PathBuf,
    /// Format [default: recognised from the content]
    #[arg(long, value_name = "F")]
    pub(crate) format: Option<ImportFormat>,
    /// Show what would be imported, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

pub(super) fn cmd_import(context: &CommandContext, arguments: &ItemImportArgs) -> CommandResult {
    let lock = || lock_trackers(context, &arguments.file);
    let (is_change, is_stream) = (!arguments.dry_run, is_stream(&arguments.file));
    let _before_reading = (is_change && !is_stream).then(lock).transpose()?;
    let source = read_source(context, &arguments.file, arguments.format.map(Into::into))?;
    // Nobody waits for a stream that may take its time.
    let _behind_stream = (is_change && is_stream).then(lock).transpose()?;
    let file = read_tracker(source.format, &source.as_files())
        .map_err(|error| CommandError::new(ImportCase::ImportUnreadable, error.to_string()))?;
    if file.records.is_empty() {
        let message = format!("{}: no records found; nothing was imported", source.name);
        let skipped = skipped_views(&source, &file.skipped);
        return Err(CommandError::new(ImportCase::NothingToImport, message)
            .with_details(render_skipped(&source, &file.skipped))
            .with_data(json!({"skipped": skipped})));
    }
    let store = &mut *if arguments.dry_run {
        context.open_for_reading()?
    } else {
        context.open_for_change()?
    };
    let kinds = [EventKind::Added, EventKind::Changed, EventKind::Dependencies, EventKind::Status];
    if context.find_replay(store, "item", None, &kinds)?.is_some() {
        let text = format!("this operation imported {} already", source.name);
        return Ok(Output::new(vec![text], import_view(&source, arguments.dry_run, None)));
    }
    let actor = context.resolve_actor(store)?;
    let naming = context.run.naming_context();
    let repo = if arguments.dry_run {
        find_repo_name(store, naming)?
    } else {
        assign_repo_name(store, naming)?
    };
    let existing = list_existing_items(store)?;
    let removed = list_removed_items(store, source.format, |of| of == repo.as_deref())?;
    let provenance = context.provenance(&actor, "item import");
    let here = existing.values().filter(|item| item.repo.as_deref() == repo.as_deref());
    let present = list_present_places(&source.path, list_files(here, source.format));
    let planned = plan_import(
        file,
        &ImportContext {
            existing: &existing,
            removed: &removed,
            repo: repo.as_deref(),
            file: source.name_place().as_deref(),
            present: &present,
            now: now(),
            provenance: &provenance,
        },
    );
    if !arguments.dry_run {
        write_import(store, &planned)?;
    }
    let mut text = render_import(&source, arguments.dry_run, &planned);
    text.extend(render_plans_left(&source));
    let data = import_view(&source, arguments.dry_run, Some(&planned));
    let mut warnings = describe_missing(&source, &planned);
    warnings.extend(describe_outdated(&source, &planned.outdated));
    for (left, is_history) in describe_parts_left(&source) {
        if is_history { text.push(left) } else { warnings.push(left) }
    }
    Ok(Output::new(text, data).with_warnings(warnings))
}

fn write_import(store: &mut dyn Store, planned: &PlannedImport) -> CommandResult<()> {
    if !planned.import.added.is_empty() || !planned.import.changed.is_empty() {
        store.import_items(&planned.import)?;
    }
    Ok(())
}

fn list_existing_items(store: &mut dyn Store) -> CommandResult<BTreeMap<ItemKey, Item>> {
    let items = store.list_items(&ItemFilter::default())?;
    Ok(items.into_iter().map(|item| (item.key.clone(), item)).collect())
}

fn render_import(source: &ImportSource, is_dry_run: bool, planned: &PlannedImport) -> Vec<String> {
    let (added, changed) = (&planned.import.added, &planned.changes);
    let total = added.len() + changed.len() + planned.unchanged.len();
    let mut text = vec![format!(
        "{} {} from {} ({}): {} new, {} changed, {} as before, {} skipped",
        if is_dry_run { "would import" } else { "imported" },
        pluralize(total, "item", "items"),
        source.name,
        source.format,
        added.len(),
        changed.len(),
        planned.unchanged.len(),
        planned.skipped.iter().filter(|skipped| !skipped.line.is_imported).count(),
    )];
    push_lines(&mut text, added.iter().map(render_added));
    push_lines(
        &mut text,
        changed.iter().map(|(key, lines)| {
            format!("changed {key}: {}", one_line(&lines.join("; "), 4 * MAX_TITLE_CHARS))
        }),
    );
    push_lines(&mut text, render_skipped(source, &planned.skipped).into_iter());
    text
}

/// Names the items that the file has no more.
fn describe_missing(source: &ImportSource, planned: &PlannedImport) -> Vec<String> {
    let describe = |key: &ItemKey| {
        format!(
            "{key} is not in {} any more; it stays here, and the next export writes it again; \
             `trueup item remove {key}` removes it",
            source.name
        )
    };
    planned.missing.iter().map(describe).collect()
}

/// Says of which items the file has an older copy, and what brings it up to date.
fn describe_outdated(source: &ImportSource, outdated: &[ItemKey]) -> Option<String> {
    let first = outdated.iter().take(MAX_NAMES).map(ItemKey::as_str);
    let mut names = first.collect::<Vec<_>>().join(", ");
    let more = outdated.len().saturating_sub(MAX_NAMES);
    if more > 0 {
        let _ = write!(names, " and {more} more");
    }
    let file = quote_for_shell(&source.name);
    let more = source.name_place().map(|_| {
        format!("; `trueup export {file} --format {}` brings it up to date", source.format)
    });
    let more = more.unwrap_or_default();
    (!outdated.is_empty()).then(|| {
        format!("{} has an older copy of {names}, from which nothing is taken{more}", source.name)
    })
}

/// Says that an export has plans as well, which another command reads.
fn render_plans_left(source: &ImportSource) -> Option<String> {
    let files = source.as_files();
    let exports = files.iter().filter(|_| source.format == TrackerFormat::JsonLines);
    let count = exports.map(|file| parse_exported_plans(file.bytes).len()).sum();
    let (plans, reads) =
        (pluralize(count, "plan", "plans"), if count == 1 { "it" } else { "them" });
    let name = quote_for_shell(&source.name);
    (count > 0).then(|| format!("{plans} in the file: `trueup plan import {name}` imports {reads}"))
}

/// Says what of an export is not taken, each time with whether that is nothing but events.
fn describe_parts_left(source: &ImportSource) -> Vec<(String, bool)> {
    let files = source.as_files().into_iter();
    let exports = files.filter(|_| source.format == TrackerFormat::JsonLines);
    let left = exports.filter_map(|file| Some((file.path, find_parts_left(file.bytes)?)));
    let described = left.map(|(path, left)| {
        let parts = left.parts.join(", ");
        let text = format!(
            "not taken from {path}: {parts}; what concerns an item itself is kept in its \
             extra.source.record"
        );
        (text, left.is_history)
    });
    described.collect()
}

fn render_added(added: &ImportedItem) -> String {
    let title = added.item.title.as_deref().unwrap_or_default();
    format!("new {}  {}", added.item.key, one_line(title, MAX_TITLE_CHARS)).trim_end().to_owned()
}

/// Adds lines, and how many more there are.
fn push_lines(text: &mut Vec<String>, lines: impl ExactSizeIterator<Item = String>) {
    let more = lines.len().saturating_sub(MAX_LINES);
    text.extend(lines.take(MAX_LINES));
    if more > 0 {
        text.push(format!("… and {more} more"));
    }
}

/// Names file and line of what was skipped, and of records that were imported without a part.
fn render_skipped(source: &ImportSource, skipped: &[SkippedRecord]) -> Vec<String> {
    let lines = skipped.iter().map(|skipped| {
        let line = &skipped.line;
        let what = if line.is_imported { "note" } else { "skipped" };
        let path = source.path_of(skipped.file);
        let text = one_line(&line.text, MAX_TITLE_CHARS);
        format!("{what} {path}:{}: {}: {text}", line.line, line.reason)
    });
    lines.collect()
}

fn skipped_views(source: &ImportSource, skipped: &[SkippedRecord]) -> Vec<Value> {
    let views = skipped.iter().map(|skipped| {
        let line = &skipped.line;
        json!({
            "file": source.path_of(skipped.file), "line": line.line, "text": line.text,
            "reason": line.reason, "imported": line.is_imported,
        })
    });
    views.collect()
}

/// Builds the data; without a plan the import was made before.
fn import_view(source: &ImportSource, is_dry_run: bool, planned: Option<&PlannedImport>) -> Value {
    let added = planned.into_iter().flat_map(|planned| &planned.import.added);
    let changed = planned.into_iter().flat_map(|planned| &planned.changes);
    let changed = changed.map(|(key, lines)| json!({"item": key, "changes": lines}));
    json!({
        "file": path_to_text(&source.path),
        "format": source.format.as_str(),
        "dry_run": is_dry_run,
        "added": added.map(|added| &added.item.key).collect::<Vec<_>>(),
        "changed": changed.collect::<Vec<_>>(),
        "unchanged": planned.map_or(0, |planned| planned.unchanged.len()),
        "skipped": planned.map_or_else(Vec::new, |it| skipped_views(source, &it.skipped)),
    })
}
