//! `trueup export`: giving everything back, as JSON Lines or as another tracker's files.

mod backlog;
mod counts;
mod events;
mod export_error;
mod format;
mod json_lines;
mod line_writer;
mod remember;
mod replaced;
mod target;
mod tracker;

use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use trueup_core::plan::trackers::{SourceFile, TrackerFormat};
use trueup_core::store::Store;
use trueup_core::text::{path_to_text, pluralize};

use self::counts::ExportCounts;
use self::export_error::{ExportError, ExportResult};
use self::format::ExportFormat;
use self::replaced::ReplacedFile;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult};
use crate::commands::item::tracker_lock::lock_trackers;
use crate::commands::item::tracker_place::name_tracker_place;
use crate::commands::work_scope::WorkScope;
use crate::output::Output;
use crate::printer::open_raw_output;

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// New file, or an export of the same format to replace [default: stdout]
    pub(crate) file: Option<PathBuf>,
    /// Format
    #[arg(long, value_name = "F", default_value = "json-lines")]
    pub(crate) format: ExportFormat,
    /// Export all repositories
    #[arg(long)]
    pub(crate) all_repos: bool,
}

pub(super) fn cmd_export(context: &CommandContext, arguments: &ExportArgs) -> CommandResult {
    let file = arguments.file.as_deref().filter(|file| *file != Path::new("-"));
    let path = file.map(|file| context.cwd().join(file));
    let is_of_tracker =
        arguments.format.tracker().is_some() || arguments.format == ExportFormat::Backlog;
    let replaced = path.as_deref().filter(|_| is_of_tracker);
    let _lock = replaced.map(|path| lock_trackers(context, path)).transpose()?;
    let store = &mut *context.open_for_reading()?;
    let scope = WorkScope::find(context, store, arguments.all_repos)?;
    if arguments.format == ExportFormat::Backlog {
        let Some(folder) = file else {
            let message = "--format backlog needs a folder, since it writes one file an item";
            return Err(CommandError::usage("trueup export --help", message));
        };
        let (counts, warnings) = backlog::write_backlog(context, store, &scope, folder)?;
        let output = build_output(arguments.format, &context.cwd().join(folder), &counts);
        return Ok(output.with_warnings(warnings));
    }
    let Some(path) = path else {
        if context.json {
            let message = "--json needs a FILE, since the export itself would go to stdout";
            return Err(CommandError::usage("trueup export --help", message));
        }
        return write_to_stdout(store, &scope, arguments.format);
    };
    let replaced = target::read_replaced(&path, arguments.format)?.map(|bytes| {
        let tracker = arguments.format.tracker();
        let place = tracker.map(|format| name_tracker_place(&path, format));
        ReplacedFile { name: file.unwrap_or(&path), place: place.unwrap_or_default(), bytes }
    });
    let mut draft = target::create_draft(&path)?;
    let counts = match arguments.format.tracker() {
        None => write_lines(store, &scope, &mut draft).map(|counts| (counts, Vec::new())),
        Some(format) => {
            write_tracker(context, store, (&scope, format, replaced.as_ref()), &path, &mut draft)
        }
    };
    let (counts, warnings) = counts.map_err(|error| error.at(&path))?;
    draft.persist().map_err(|error| target::unwritable_error(&path, &error))?;
    Ok(build_output(arguments.format, &path, &counts).with_warnings(warnings))
}

fn write_lines(
    store: &mut dyn Store,
    scope: &WorkScope,
    out: &mut dyn Write,
) -> ExportResult<ExportCounts> {
    let mut out = BufWriter::new(out);
    let counts = json_lines::write_lines(store, scope, &mut out)?;
    out.flush()?;
    Ok(counts)
}

/// Writes the file of a tracker. The items know of it before it takes its place: at worst they
/// know a file that nobody wrote.
fn write_tracker(
    context: &CommandContext,
    store: &mut dyn Store,
    (scope, format, replaced): (&WorkScope, TrackerFormat, Option<&ReplacedFile<'_>>),
    path: &Path,
    out: &mut dyn Write,
) -> ExportResult<(ExportCounts, Vec<String>)> {
    let export = tracker::render_tracker(store, scope, format, (Some(path), replaced))?;
    out.write_all(&export.bytes)?;
    let name = path_to_text(path);
    let files = [SourceFile { path: &name, bytes: &export.bytes }];
    remember::remember_files(context, store, (format, &files), &export.items, path)?;
    Ok((export.counts, export.warnings))
}

fn write_to_stdout(
    store: &mut dyn Store,
    scope: &WorkScope,
    format: ExportFormat,
) -> CommandResult {
    let mut out = open_raw_output();
    let written = match format.tracker() {
        None => write_lines(store, scope, &mut out).map(|_| ()),
        Some(format) => tracker::render_tracker(store, scope, format, (None, None))
            .and_then(|export| Ok(out.write_all(&export.bytes)?)),
    };
    match written.and_then(|()| Ok(out.flush()?)) {
        // The reader has seen enough.
        Err(ExportError::Unwritable(error)) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => return Err(error.at(Path::new("stdout"))),
        Ok(()) => {}
    }
    Ok(Output::default())
}

fn build_output(format: ExportFormat, path: &Path, counts: &ExportCounts) -> Output {
    let parts = counts.counts.iter().map(|(kind, count)| {
        let count = usize::try_from(*count).unwrap_or(usize::MAX);
        pluralize(count, &kind.replace('_', " "), &format!("{}s", kind.replace('_', " ")))
    });
    let parts = parts.collect::<Vec<_>>().join(", ");
    let parts = if parts.is_empty() { "nothing".to_owned() } else { parts };
    let counted: serde_json::Map<String, serde_json::Value> =
        counts.counts.iter().map(|(kind, count)| ((*kind).to_owned(), json!(count))).collect();
    Output::new(
        vec![format!("exported {parts} to {} ({})", path.display(), format.as_str())],
        json!({
            "file": path_to_text(path), "format": format.as_str(), "counts": counted,
        }),
    )
}
