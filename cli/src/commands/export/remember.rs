//! What an export wrote is remembered by the items, so that it is nobody else's change.

use std::path::Path;

use trueup_core::plan::trackers::{
    ExportedItems, SourceFile, TrackerFormat, read_tracker, remember_export,
};
use trueup_core::store::{Provenance, Store};

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ImportCase};
use crate::commands::item::tracker_place::name_tracker_place;

/// The reason of the events of an export.
const EXPORT_REASON: &str = "export";

/// Lets the items remember the records of files that are about to be written.
pub(super) fn remember_files(
    context: &CommandContext,
    store: &mut dyn Store,
    (format, files): (TrackerFormat, &[SourceFile<'_>]),
    items: &ExportedItems,
    path: &Path,
) -> CommandResult<()> {
    let written = read_tracker(format, files)
        .map_err(|error| CommandError::new(ImportCase::ExportUnwritable, error.to_string()))?;
    let provenance = Provenance::new(&context.resolve_actor(store)?, EXPORT_REASON);
    let place = name_tracker_place(path, format);
    let memory = remember_export(written, items, &place, &provenance);
    if !memory.changed.is_empty() {
        context.open_for_change()?.import_items(&memory)?;
    }
    Ok(())
}
