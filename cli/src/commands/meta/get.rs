//! `trueup meta get`: the fields of a metadata file, or one of them.

use serde_json::json;
use trueup_core::metadata::find_database_field;
use trueup_core::model::AdwId;
use trueup_core::text::{one_line, path_to_text};

use super::workflow_file::{
    display_path, list_findings, metadata_file, not_found_error, render_messages, to_command_error,
};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, MetadataCase};
use crate::output::Output;
use crate::page::Line;

pub(super) fn cmd_get(context: &CommandContext, id: &AdwId, field: Option<&str>) -> CommandResult {
    let file = metadata_file(context, id);
    let read = file.read().map_err(|error| to_command_error(id, &error))?;
    let document = read.ok_or_else(|| not_found_error(id))?;
    let mut divergences = list_findings(&file, &document);
    context.set_fix_directories(&mut divergences);
    let mut state = document.to_map();
    let text: Vec<Line> = match field {
        None => {
            let file = document.render();
            String::from_utf8_lossy(&file).trim().lines().map(Line::verbatim).collect()
        }
        Some(field) => {
            state.retain(|key, _| key == field);
            let Some(value) = state.get(field) else {
                // A field of the database must not be set in the file, so no hint suggests it.
                if find_database_field(field).is_some() {
                    let message = format!("{field} is owned by the database");
                    return Err(CommandError::new(MetadataCase::FieldOfDatabase, message));
                }
                let message = format!("{} has no field {}", display_path(id), one_line(field, 80));
                let case = MetadataCase::FieldNotFound { id: id.into() };
                return Err(CommandError::new(case, message));
            };
            vec![Line::verbatim(value.as_str().map_or_else(
                || document.raw_value(field).unwrap_or_default().to_owned(),
                str::to_owned,
            ))]
        }
    };
    let data = json!({"id": id, "path": path_to_text(file.path()), "state": state});
    Ok(Output { warnings: render_messages(&divergences), divergences, ..Output::page(text, data) })
}
