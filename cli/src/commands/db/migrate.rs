//! `trueup db migrate`: creating the database, or upgrading its schema.

use std::path::Path;

use serde_json::{Value, json};
use trueup_core::store::SCHEMA_VERSION;
use trueup_core::store::StoreError;
use trueup_core::store::sql::PostgresFlavor;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::text::path_to_text;
use trueup_remote::{RemoteDatabase, migrate_schema};

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, DatabaseCase, is_permission_denied};
use crate::output::Output;
use crate::store_location::StoreLocation;

pub(super) fn cmd_migrate(context: &CommandContext) -> CommandResult {
    match context.store_location()? {
        StoreLocation::SqliteFile(path) => migrate_file(context, path),
        StoreLocation::Remote(database) => migrate_remote(context, &database),
    }
}

fn migrate_file(context: &CommandContext, path: &Path) -> CommandResult {
    let before = match SqliteStore::read_schema_status(path, context.deadline()) {
        Ok(schema) => Some(schema.version),
        Err(StoreError::Missing(_)) => None,
        Err(error) => return Err(error.into()),
    };
    open_and_check(context, path)?;
    let after = SqliteStore::read_schema_status(path, context.deadline())?.version;
    let text = describe(&path.display().to_string(), before, after);
    Ok(Output::new(vec![text], migration_view(Some(&path_to_text(path)), before, after)))
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

fn migrate_remote(context: &CommandContext, database: &RemoteDatabase) -> CommandResult {
    if !database.is_postgres() {
        let message = format!("{}: a schema cannot be changed over HTTPS", database.url);
        let case = if database.is_known_hub() {
            DatabaseCase::NeedsDatabaseOfHub
        } else {
            DatabaseCase::NeedsDirectConnection
        };
        return Err(CommandError::new(case, message));
    }
    let migrated = database
        .connect_directly(context.deadline())
        .map_err(StoreError::from)
        .and_then(|mut connection| migrate_schema(&mut connection, context.deadline()))
        .map_err(explain_failure)?;
    let name = database.url.to_string();
    let mut text = vec![describe(&name, migrated.before, migrated.after)];
    if migrated.flavor == PostgresFlavor::Supabase {
        text.push("public.trueup_exchange answers requests by HTTPS".to_owned());
    }
    if migrated.before.is_none() {
        text.push("let a user in with: GRANT trueup_client TO NAME".to_owned());
    }
    Ok(Output::new(text, migration_view(None, migrated.before, migrated.after)))
}

/// Turns a refused statement into advice about the user.
fn explain_failure(error: StoreError) -> CommandError {
    if is_permission_denied(&error) {
        return CommandError::new(DatabaseCase::MigrationNotPermitted, error.to_string());
    }
    error.into()
}

fn describe(name: &str, before: Option<i64>, after: i64) -> String {
    match before {
        None => format!("created {name} with schema {after}"),
        Some(before) if before == after => format!("{name} already has schema {after}"),
        Some(before) => format!("migrated {name} from schema {before} to {after}"),
    }
}

fn migration_view(path: Option<&str>, before: Option<i64>, after: i64) -> Value {
    json!({
        "path": path, "created": before.is_none(), "from": before, "to": after,
        "known": SCHEMA_VERSION,
    })
}
