//! `trueup db backup`

use std::path::Path;

use serde_json::json;
use trueup_core::text::path_to_text;

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;

pub(super) fn cmd_backup(context: &CommandContext, file: &Path) -> CommandResult {
    let path = context.sqlite_file()?;
    context.open_sqlite_for_reading()?.back_up(file)?;
    let size = std::fs::metadata(file)?.len();
    let text = vec![format!("copied {} to {} ({size} bytes)", path.display(), file.display())];
    Ok(Output::new(text, json!({"file": path_to_text(file), "size_bytes": size})))
}
