//! `trueup db export`: writing all rows as JSON Lines, which any database imports.

use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;

use serde_json::{Map, Value, json};
use trueup_core::fs::NewFile;
use trueup_core::store::sql::transfer::{ExportSummary, TransferError, TransferResult};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::sync::now;
use trueup_core::text::path_to_text;

use super::progress_bar::TransferBar;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, DatabaseCase};
use crate::output::Output;
use crate::printer::{open_raw_output, shows_output};
use crate::store_location::StoreLocation;

/// The name of the standard streams.
pub(super) const STREAM: &str = "-";

pub(super) fn cmd_export(context: &CommandContext, file: Option<&Path>) -> CommandResult {
    let location = context.store_location()?;
    match file.filter(|file| *file != Path::new(STREAM)) {
        Some(file) => export_to_file(context, &location, file),
        None if context.json => {
            let message = "--json needs a FILE, since the export itself would go to stdout";
            Err(CommandError::usage("trueup db export --help", message))
        }
        None => {
            let mut out = BufWriter::new(open_raw_output());
            let bar = if shows_output() { TransferBar::hidden() } else { TransferBar::new() };
            match write_rows(context, &location, &mut out, bar) {
                // The reader has seen enough.
                Err(TransferError::Unwritable(error)) if error.kind() == ErrorKind::BrokenPipe => {
                    Ok(Output::default())
                }
                Err(error) => Err(error.into()),
                Ok(_) => Ok(Output::default()),
            }
        }
    }
}

fn export_to_file(
    context: &CommandContext,
    location: &StoreLocation<'_>,
    file: &Path,
) -> CommandResult {
    let mut draft = NewFile::create(file).map_err(|error| describe_unwritable(file, &error))?;
    let summary =
        write_rows(context, location, &mut BufWriter::new(&mut draft), TransferBar::new())?;
    draft.persist().map_err(|error| describe_unwritable(file, &error))?;
    let (rows, size) = (summary.rows(), std::fs::metadata(file)?.len());
    let text = vec![format!("exported {rows} rows to {} ({size} bytes)", file.display())];
    let mut data = summary_view(&summary);
    data.insert("file".to_owned(), json!(path_to_text(file)));
    data.insert("size_bytes".to_owned(), json!(size));
    Ok(Output::new(text, Value::Object(data)))
}

fn write_rows(
    context: &CommandContext,
    location: &StoreLocation<'_>,
    out: &mut dyn Write,
    mut bar: TransferBar,
) -> TransferResult<ExportSummary> {
    let on_progress = &mut |progress| bar.show(progress);
    let (exported_at, patience) = (now(), context.patience());
    match location {
        StoreLocation::SqliteFile(path) => {
            SqliteStore::open(path, context.deadline())?.export(out, exported_at, on_progress)
        }
        StoreLocation::Remote(database) => database.export(out, exported_at, patience, on_progress),
    }
}

fn describe_unwritable(file: &Path, error: &std::io::Error) -> CommandError {
    let shown = file.display();
    match error.kind() {
        ErrorKind::AlreadyExists => {
            let message = format!("{shown} exists; an export never replaces a file");
            CommandError::new(DatabaseCase::CopyExists, message)
        }
        kind => {
            let message = format!("the export cannot be written: {shown}: {kind}");
            CommandError::new(DatabaseCase::CopyUnwritable, message)
        }
    }
}

/// Shows what an export holds.
pub(super) fn summary_view(summary: &ExportSummary) -> Map<String, Value> {
    let rows: Map<String, Value> =
        summary.tables.iter().map(|table| (table.table.to_owned(), json!(table.rows))).collect();
    Map::from_iter([
        ("lineage".to_owned(), json!(summary.lineage)),
        ("schema".to_owned(), json!(summary.schema)),
        ("rows".to_owned(), Value::Object(rows)),
    ])
}
