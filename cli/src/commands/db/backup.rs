//! `trueup db backup`: copying the database into a new file.

use std::path::Path;

use serde_json::json;
use trueup_core::store::StoreError;
use trueup_core::text::path_to_text;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, DatabaseCase};
use crate::output::Output;

/// Names the directory where it is missing; the error of the system names no path.
fn describe_missing_folder(file: &Path, error: StoreError) -> CommandError {
    match file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        Some(folder) => {
            let message = format!("the directory {} does not exist", folder.display());
            CommandError::new(DatabaseCase::CopyUnwritable, message)
        }
        None => error.into(),
    }
}

pub(super) fn cmd_backup(context: &CommandContext, file: &Path) -> CommandResult {
    let path = context.sqlite_file()?;
    context.open_sqlite_for_reading()?.back_up(file).map_err(|error| match error {
        StoreError::Invalid { .. } if file.symlink_metadata().is_ok() => {
            CommandError::new(DatabaseCase::CopyExists, error.to_string())
        }
        StoreError::CopyUnwritable(_) => describe_missing_folder(file, error),
        other => other.into(),
    })?;
    let size = std::fs::metadata(file)?.len();
    let text = vec![format!("copied {} to {} ({size} bytes)", path.display(), file.display())];
    Ok(Output::new(text, json!({"file": path_to_text(file), "size_bytes": size})))
}
