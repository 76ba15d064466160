//! `trueup db import`: filling a new database from an export.

use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::{Value, json};
use trueup_core::deadline::Deadline;
use trueup_core::fs::open_for_reading;
use trueup_core::store::sql::transfer::{
    ExportReader, ImportOutcome, TransferError, TransferResult,
};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::text::path_to_text;

use super::export::{STREAM, summary_view};
use super::progress_bar::TransferBar;
use crate::command_context::CommandContext;
use crate::command_error::{
    CommandError, CommandResult, DatabaseCase, TransferCase, is_permission_denied,
};
use crate::output::Output;
use crate::store_location::StoreLocation;

pub(super) fn cmd_import(context: &CommandContext, file: &Path) -> CommandResult {
    let location = context.store_location()?;
    if let StoreLocation::Remote(database) = &location
        && !database.is_postgres()
    {
        let message = format!("{}: an import needs a direct connection", database.url);
        if database.is_known_hub() {
            return Err(CommandError::new(DatabaseCase::NeedsDatabaseOfHub, message));
        }
        return Err(CommandError::new(TransferCase::ImportNeedsDirectConnection, message));
    }
    let mut bar = TransferBar::new();
    let outcome = if file == Path::new(STREAM) {
        import_rows(context, &location, std::io::stdin().lock(), &mut bar)
    } else {
        import_file(context, &location, file, &mut bar)
    };
    drop(bar);
    let ImportOutcome { summary, was_there } = outcome.map_err(|error| explain(file, error))?;
    let (rows, lineage) = (summary.rows(), summary.lineage.short());
    let text = if was_there {
        format!("all {rows} rows were there already, lineage {lineage}")
    } else {
        format!("imported {rows} rows and read them back, lineage {lineage}")
    };
    let mut data = summary_view(&summary);
    data.insert("file".to_owned(), json!(path_to_text(file)));
    data.insert("was_there".to_owned(), json!(was_there));
    Ok(Output::new(vec![text], Value::Object(data)))
}

/// Checks all of a file before anything is written.
fn import_file(
    context: &CommandContext,
    location: &StoreLocation<'_>,
    file: &Path,
    bar: &mut TransferBar,
) -> TransferResult<ImportOutcome> {
    let open = || match open_for_reading(file, true) {
        Ok((opened, _)) => Ok(BufReader::new(opened)),
        Err(error) => Err(TransferError::Unreadable(error)),
    };
    ExportReader::new(open()?)?.check(&mut |progress| bar.show(progress))?;
    import_rows(context, location, open()?, bar)
}

fn import_rows(
    context: &CommandContext,
    location: &StoreLocation<'_>,
    input: impl BufRead,
    bar: &mut TransferBar,
) -> TransferResult<ImportOutcome> {
    let export = ExportReader::new(input)?;
    let on_progress = &mut |progress| bar.show(progress);
    match location {
        StoreLocation::SqliteFile(path) => {
            let deadline = Deadline::after(context.patience());
            SqliteStore::open_or_create(path, deadline)?.import(export, on_progress)
        }
        StoreLocation::Remote(database) => database.import(export, context.patience(), on_progress),
    }
}

/// Names the file, and gives advice about the user of the URL.
fn explain(file: &Path, error: TransferError) -> CommandError {
    let message = match &error {
        TransferError::Damaged { .. } | TransferError::Unreadable(_) => {
            format!("{}: {error}", file.display())
        }
        _ => error.to_string(),
    };
    match error {
        TransferError::Store(error) if is_permission_denied(&error) => {
            CommandError::new(TransferCase::ImportNotPermitted, message)
        }
        error => CommandError { message, ..error.into() },
    }
}
