//! `trueup db status`: location, schema and health of the database.

use serde_json::json;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{CommandStore as _, HookStore as _};
use trueup_core::text::path_to_text;

use super::violation_text::{render_violation, summarize_violations};
use crate::command_context::CommandContext;
use crate::command_error::{CommandResult, REFUSED, UNABLE};
use crate::output::Output;
use crate::views;

/// Most violations shown: where one row breaks a rule, thousands may.
const MAX_VIOLATIONS_SHOWN: usize = 100;

pub(super) fn cmd_status(context: &CommandContext) -> CommandResult {
    let path = context.sqlite_file()?;
    let schema = SqliteStore::read_schema_status(path, context.deadline())?;
    let mut store = context.open_sqlite_for_reading()?;
    let damage = store.check_integrity()?;
    let lineage = store.load_lineage()?;
    // Rows of a damaged file are not checked.
    let violations = if damage.is_empty() { store.find_violations()? } else { Vec::new() };
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
    let mut warnings = damage.clone();
    warnings.extend(
        schema
            .applied
            .iter()
            .filter(|a| !a.is_unchanged)
            .map(|a| format!("migration {} differs from the one in this trueup", a.version)),
    );
    warnings.extend(violations.iter().take(MAX_VIOLATIONS_SHOWN).map(render_violation));
    let size = std::fs::metadata(path)?.len();
    let text = vec![
        format!("database {}", context.run.settings.database),
        format!("lineage  {lineage}"),
        format!("schema   {} (this trueup supports up to {})", schema.version, schema.newest_known),
        format!("size     {size} bytes"),
        format!("health   {}", if damage.is_empty() { "ok" } else { "damaged" }),
        format!("rows     {}", summarize_violations(&violations)),
    ];
    let data = json!({
        "url": context.run.settings.database.to_string(),
        "path": path_to_text(path),
        "lineage": lineage,
        "schema": {"version": schema.version, "known": schema.newest_known, "applied": migrations},
        "size_bytes": size,
        "healthy": damage.is_empty(),
        "compliance": violations.iter().take(MAX_VIOLATIONS_SHOWN).map(views::violation_view).collect::<Vec<_>>(),
    });
    let exit_code = match (damage.is_empty(), violations.is_empty()) {
        (false, _) => UNABLE,
        (true, false) => REFUSED,
        (true, true) => 0,
    };
    Ok(Output { warnings, exit_code, ..Output::new(text, data) })
}
