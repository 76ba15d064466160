//! Reads the files of issue trackers: task-master, Backlog.md, beads, the client's task lists, and
//! trueup's own export.
//!
//! Invariants:
//! - Reading is pure and never panics; no record is lost without a line that says why.
//! - A record keeps its original fields, from which the tracker's file can be written again.

mod backlog;
mod backlog_sections;
mod backlog_writer;
mod beads;
mod beads_writer;
mod client_tasks;
mod elements;
mod export_item;
mod fields;
mod file_items;
mod front_matter;
mod given_ids;
mod import_context;
mod import_graph;
mod import_plan;
mod imported_item;
mod item_changes;
mod item_keys;
mod item_source;
mod json_lines;
mod keyed_record;
mod plan_tasks;
mod record;
mod record_keys;
mod redaction;
mod reimport;
mod remembered;
mod removed_items;
mod task_master;
mod task_master_writer;
mod task_numbers;
mod task_references;
#[cfg(test)]
mod tests;
mod tracker_changes;
mod tracker_places;
mod written_priority;
mod written_record;

pub use backlog_writer::{BacklogFile, render_backlog_file};
pub use beads_writer::render_beads_issue;
pub use export_item::{ExportedItem, ExportedItems};
pub use file_items::{FileItems, MixedFiles, choose_items_of_file, list_files};
pub use given_ids::GivenIds;
pub use import_context::{ImportContext, RemovedItem};
pub use import_plan::{PlannedImport, plan_import};
pub use item_source::{ItemSource, SOURCE_FIELD};
pub use json_lines::{
    EXPORT_VERSION, PartsLeft, REPO_PATH_FIELD, find_parts_left, parse_exported_plans,
};
pub use record::{
    RecordStatus, SkippedRecord, SourceFile, TrackerError, TrackerFile, TrackerFormat,
    TrackerRecord,
};
pub use remembered::remember_export;
pub use task_master_writer::render_task_master;
pub use tracker_changes::{
    TrackerChange, find_given_ids, find_removed_files, find_tracker_changes,
};

/// Reads the files of a tracker. Its records are redacted.
///
/// # Errors
///
/// When the files as a whole are not of this format. A single broken record is skipped.
pub fn read_tracker(
    format: TrackerFormat,
    files: &[SourceFile<'_>],
) -> Result<TrackerFile, TrackerError> {
    let file = match format {
        TrackerFormat::Beads => beads::read(files)?,
        TrackerFormat::TaskMaster => task_master::read(files)?,
        TrackerFormat::Backlog => backlog::read(files),
        TrackerFormat::ClientTasks => client_tasks::read(files),
        TrackerFormat::JsonLines => json_lines::read(files),
    };
    Ok(redaction::redact_file(file))
}
