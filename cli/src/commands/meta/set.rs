//! `trueup meta set`: changing fields that the file owns.

use serde_json::{Map, Value as Json, json};
use trueup_core::metadata::{JsonDocument, JsonLiteral, find_database_field};
use trueup_core::model::AdwId;
use trueup_core::store::{MetadataAction, MetadataChange};
use trueup_core::text::{one_line, path_to_text};

use super::schema;
use super::workflow_file::{
    change_locked, display_path, list_findings, metadata_file, render_messages,
};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, DatabaseCase, MetadataCase};
use crate::commands::state_change::render_changes;
use crate::output::Output;

/// Longest name of a field, in bytes.
const MAX_NAME_BYTES: usize = 200;

pub(super) fn cmd_set(context: &CommandContext, id: &AdwId, pairs: &[String]) -> CommandResult {
    let assignments =
        pairs.iter().map(|pair| parse_assignment(id, pair)).collect::<Result<Vec<_>, _>>()?;
    let file = metadata_file(context, id);
    let (document, changed) = change_locked(context, &file, |old| {
        let created = old.is_none();
        let before = old.unwrap_or_else(|| JsonDocument::new(id));
        let mut after = before.clone();
        for (key, literal) in &assignments {
            after.set_field(key, literal);
        }
        let mut changed = diff_assignments(&before, &after, &assignments);
        if created && let Some(value) = after.get("adw_id") {
            changed.insert("adw_id".to_owned(), json!({"from": null, "to": value}));
        }
        Ok((Some(after.clone()), (after, changed)))
    })?;
    let log_warning = record_set(context, id, &changed);
    let mut divergences = list_findings(&file, &document);
    divergences.extend(schema::find_violations(id, &display_path(id), &document));
    context.set_fix_directories(&mut divergences);
    let data = json!({
        "id": id, "path": path_to_text(file.path()), "state": document.to_map(), "changed": changed,
    });
    let mut warnings = render_messages(&divergences);
    warnings.extend(log_warning);
    Ok(Output { divergences, warnings, ..Output::new(render_changes(&changed), data) })
}

/// Records a change in the event log. The file is authoritative and needs no database, so a failure
/// is only returned as a warning, unless there is no database.
fn record_set(context: &CommandContext, id: &AdwId, changed: &Map<String, Json>) -> Option<String> {
    if changed.is_empty() {
        return None;
    }
    let values_of = |side: &str| {
        let sides = changed.iter();
        sides.map(|(key, change)| (key.clone(), change[side].clone())).collect()
    };
    let change = MetadataChange {
        action: MetadataAction::Set,
        id: id.clone(),
        path: display_path(id),
        project: context.run.project.name(),
        before: values_of("from"),
        after: values_of("to"),
        writer: None,
    };
    let recorded = context.open_for_change().and_then(|mut store| {
        let provenance = context.provenance(&context.resolve_actor(&mut *store)?, "meta set");
        store.record_metadata_change(&change, &provenance)?;
        Ok(())
    });
    match recorded {
        Err(error) if !error.is(&DatabaseCase::DatabaseMissing) => {
            Some(format!("not recorded in the log: {}", error.message))
        }
        _ => None,
    }
}

/// Parses `FIELD=VALUE`.
fn parse_assignment(id: &AdwId, pair: &str) -> CommandResult<(String, JsonLiteral)> {
    let Some((key, value)) = pair.split_once('=').filter(|(key, _)| is_field_name(key)) else {
        let message = format!("{:?} is not FIELD=VALUE", one_line(pair, 80));
        return Err(CommandError::usage("trueup meta set --help", message));
    };
    check_not_owned(key)?;
    let literal = match key {
        "issue_number" | "adw_id" => JsonLiteral::from_string_or_text(value),
        _ => JsonLiteral::from_json_or_text(value),
    };
    if key == "adw_id" && literal != JsonLiteral::from_plain_text(id.as_str()) {
        let message = format!("adw_id of {} must be {id}, like its directory", display_path(id));
        return Err(CommandError::new(MetadataCase::IdMismatch, message));
    }
    Ok((key.to_owned(), literal))
}

fn is_field_name(key: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&key.len()) && !key.chars().any(char::is_control)
}

/// Returns the assigned fields that changed, with old and new values.
fn diff_assignments(
    before: &JsonDocument,
    after: &JsonDocument,
    assignments: &[(String, JsonLiteral)],
) -> Map<String, Json> {
    let differs =
        assignments.iter().filter(|(key, _)| before.raw_value(key) != after.raw_value(key));
    differs
        .map(|(key, _)| {
            let change = json!({"from": before.get(key), "to": after.get(key)});
            (key.clone(), change)
        })
        .collect()
}

fn check_not_owned(field: &str) -> CommandResult<()> {
    let Some(owned) = find_database_field(field) else {
        return Ok(());
    };
    let message = format!("{field} is owned by the database; change it with `{}`", owned.command);
    Err(CommandError::new(MetadataCase::FieldOfDatabase, message))
}
