//! `trueup meta check`

use serde_json::json;
use trueup_core::metadata::list_metadata_files;
use trueup_core::model::AdwId;
use trueup_core::reconcile::{Divergence, Severity};
use trueup_core::text::pluralize;

use super::{
    display_path, list_findings, metadata_file, not_found_error, phase_contract, schema,
    unusable_file_finding,
};
use crate::args::MetaCheckArgs;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, REFUSED};
use crate::output::Output;

pub(super) fn cmd_check(
    context: &CommandContext,
    arguments: MetaCheckArgs,
) -> Result<Output, CommandError> {
    let (ids, warnings) = select_workflows(context, arguments.ids)?;
    let mut divergences = Vec::new();
    let mut missing_parts = Vec::new();
    for id in &ids {
        let file = metadata_file(context, id);
        match file.read() {
            Ok(None) => return Err(not_found_error(id)),
            Ok(Some(document)) => {
                divergences.extend(list_findings(&file, &document));
                divergences.extend(schema::find_violations(id, &display_path(id), &document));
                if let Some(phase) = arguments.phase {
                    missing_parts.extend(phase_contract::find_missing_parts(
                        phase,
                        &file,
                        Some(&document),
                    ));
                }
            }
            // The others are still looked at.
            Err(error) => divergences.push(unusable_file_finding(id, &error)),
        }
    }
    context.set_fix_directories(&mut divergences);
    let data = json!({"checked": ids.len()});
    if let Some(phase) = arguments.phase
        && !missing_parts.is_empty()
    {
        let mut error = phase_contract::build_contract_error(phase, &missing_parts, data);
        error.divergences = divergences;
        return Err(error);
    }
    let mut text = render_divergences(&divergences);
    text.push(format!(
        "{} checked, {}",
        ids.len(),
        pluralize(divergences.len(), "finding", "findings")
    ));
    Ok(Output {
        exit_code: exit_code_for(&divergences, arguments.strict),
        divergences,
        warnings,
        ..Output::new(text, data)
    })
}

/// Returns the workflows asked for, or all of the project.
pub(super) fn select_workflows(
    context: &CommandContext,
    ids: Vec<AdwId>,
) -> Result<(Vec<AdwId>, Vec<String>), CommandError> {
    if !ids.is_empty() {
        return Ok((ids, Vec::new()));
    }
    let listed = list_metadata_files(&context.run.project.dir)
        .map_err(|error| CommandError::from(&error))?;
    let strange = listed.invalid_names.iter();
    let warnings = strange.map(|name| format!("agents/{name} is not a workflow id; skipped"));
    Ok((listed.ids, warnings.collect()))
}

/// Returns the lines of findings, each with what ends it.
pub(in crate::commands) fn render_divergences(divergences: &[Divergence]) -> Vec<String> {
    let line = |d: &Divergence| {
        let finding = format!("{} {}", d.code.as_str(), d.message);
        [finding, format!("     -> {}", d.fix)]
    };
    divergences.iter().flat_map(line).collect()
}

/// Returns the exit code of findings; under `strict` warnings count too.
pub(in crate::commands) fn exit_code_for(divergences: &[Divergence], strict: bool) -> u8 {
    let min_severity = if strict {
        Severity::Warning
    } else {
        Severity::Error
    };
    if divergences.iter().any(|d| d.severity >= min_severity) {
        REFUSED
    } else {
        0
    }
}
