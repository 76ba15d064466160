//! `trueup db status`: location, schema and health of the database.

use std::path::Path;

use serde_json::{Value, json};
use trueup_core::store::{CommandStore as _, HookStore as _, SchemaStatus, Violation};
use trueup_core::text::path_to_text;
use trueup_core::views::ViolationView;
use trueup_remote::{RemoteDatabase, ServerFacts};

use super::server_text::describe_server;
use super::violation_text::{render_violation, summarize_violations};
use crate::command_context::CommandContext;
use crate::command_error::{CommandResult, REFUSED, UNABLE};
use crate::output::Output;
use crate::store_location::StoreLocation;
use crate::views;

/// Most violations shown: where one row breaks a rule, thousands may.
const MAX_VIOLATIONS_SHOWN: usize = 100;

/// What is shown of a database.
struct DatabaseStatus {
    lineage: String,
    schema: SchemaStatus,
    violations: Vec<Violation>,
    /// What is wrong with its pages.
    damage: Vec<String>,
    place: Place,
}

/// What is shown of where it is.
enum Place {
    File { path: String, size_bytes: u64 },
    Server(ServerFacts),
}

pub(super) fn cmd_status(context: &CommandContext) -> CommandResult {
    let status = match context.store_location()? {
        StoreLocation::SqliteFile(path) => load_file_status(context, path)?,
        StoreLocation::Remote(database) => load_remote_status(context, &database)?,
    };
    Ok(build_output(context, &status))
}

fn load_file_status(context: &CommandContext, path: &Path) -> CommandResult<DatabaseStatus> {
    let mut store = context.open_sqlite_for_reading()?;
    let damage = store.check_integrity()?;
    Ok(DatabaseStatus {
        lineage: store.load_lineage()?.to_string(),
        schema: store.load_schema_status()?,
        // Rows of a damaged file are not checked.
        violations: if damage.is_empty() { store.find_violations()? } else { Vec::new() },
        damage,
        place: Place::File { path: path_to_text(path), size_bytes: std::fs::metadata(path)?.len() },
    })
}

fn load_remote_status(
    context: &CommandContext,
    database: &RemoteDatabase,
) -> CommandResult<DatabaseStatus> {
    let mut store = context.open_for_reading()?;
    Ok(DatabaseStatus {
        lineage: store.load_lineage()?.to_string(),
        schema: store.load_schema_status()?,
        violations: store.find_violations()?,
        damage: Vec::new(),
        place: Place::Server(database.load_server_facts(context.deadline())?),
    })
}

fn build_output(context: &CommandContext, status: &DatabaseStatus) -> Output {
    let DatabaseStatus { lineage, schema, violations, damage, place } = status;
    let mut warnings = damage.clone();
    warnings.extend(
        schema
            .applied
            .iter()
            .filter(|a| !a.is_unchanged)
            .map(|a| format!("migration {} differs from the one in this trueup", a.version)),
    );
    warnings.extend(violations.iter().take(MAX_VIOLATIONS_SHOWN).map(render_violation));
    let place_line = match place {
        Place::File { size_bytes, .. } => format!("size     {size_bytes} bytes"),
        Place::Server(facts) => format!("server   {}", describe_server(facts)),
    };
    let text = vec![
        format!("database {}", context.run.settings.database),
        format!("lineage  {lineage}"),
        format!("schema   {} (this trueup supports up to {})", schema.version, schema.newest_known),
        place_line,
        format!("health   {}", if damage.is_empty() { "ok" } else { "damaged" }),
        format!("rows     {}", summarize_violations(violations)),
    ];
    let exit_code = match (damage.is_empty(), violations.is_empty()) {
        (false, _) => UNABLE,
        (true, false) => REFUSED,
        (true, true) => 0,
    };
    let data = status_view(context, status);
    Output { warnings, exit_code, ..Output::new(text, data) }
}

fn status_view(context: &CommandContext, status: &DatabaseStatus) -> Value {
    let DatabaseStatus { lineage, schema, violations, damage, place } = status;
    let migrations: Vec<_> = schema
        .applied
        .iter()
        .map(|a| {
            json!({
                "version": a.version, "name": a.name, "applied_at": a.applied_at,
                "unchanged": a.is_unchanged,
            })
        })
        .collect();
    let (path, size_bytes) = match place {
        Place::File { path, size_bytes } => (json!(path), json!(size_bytes)),
        Place::Server(_) => (Value::Null, Value::Null),
    };
    let mut view = json!({
        "url": context.run.settings.database.to_string(),
        "path": path,
        "lineage": lineage,
        "schema": {"version": schema.version, "known": schema.newest_known, "applied": migrations},
        "size_bytes": size_bytes,
        "healthy": damage.is_empty(),
        "compliance": violations.iter().take(MAX_VIOLATIONS_SHOWN).map(ViolationView::from).collect::<Vec<_>>(),
    });
    if let Place::Server(facts) = place {
        view["server"] = views::server_view(facts);
    }
    view
}
