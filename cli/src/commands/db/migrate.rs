//! `trueup db migrate`: creating the database, or upgrading its schema.

use std::path::Path;

use serde_json::json;
use trueup_core::store::StoreError;
use trueup_core::store::sqlite::{SCHEMA_VERSION, SqliteStore};
use trueup_core::text::path_to_text;

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;

pub(super) fn cmd_migrate(context: &CommandContext) -> CommandResult {
    let path = context.sqlite_file()?;
    let before = match SqliteStore::read_schema_status(path, context.deadline()) {
        Ok(schema) => Some(schema.version),
        Err(StoreError::Missing(_)) => None,
        Err(error) => return Err(error.into()),
    };
    open_and_check(context, path)?;
    let after = SqliteStore::read_schema_status(path, context.deadline())?.version;
    let text = match before {
        None => format!("created {} with schema {after}", path.display()),
        Some(before) if before == after => {
            format!("{} already has schema {after}", path.display())
        }
        Some(before) => format!("migrated {} from schema {before} to {after}", path.display()),
    };
    let data = json!({
        "path": path_to_text(path), "created": before.is_none(), "from": before, "to": after,
        "known": SCHEMA_VERSION,
    });
    Ok(Output::new(vec![text], data))
}

/// Opens or creates the database, and fails if it is damaged.
fn open_and_check(context: &CommandContext, path: &Path) -> CommandResult<()> {
    let damage = SqliteStore::open_or_create(path, context.deadline())?.check_integrity()?;
    if damage.is_empty() {
        return Ok(());
    }
    let damage = format!("{}: {}", path.display(), damage.join("; "));
    Err(StoreError::corrupt(damage).into())
}
