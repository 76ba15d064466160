//! `trueup meta check`: findings on the metadata files of workflows.

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult};
use crate::commands::findings::{count_findings, exit_code_for, render_divergences};
use crate::commands::phase_names::warn_of_typing_error;
use crate::output::Output;
use clap::Args;
use serde_json::json;
use trueup_core::metadata::list_metadata_files;
use trueup_core::model::AdwId;
use trueup_core::model::phase::PhaseName;

use super::workflow_file::{
    display_path, list_findings, metadata_file, not_found_error, unusable_file_finding,
};
use super::{phase_contract, schema};

#[derive(Debug, Args)]
pub(crate) struct MetaCheckArgs {
    /// Workflow ids [default: all workflows of the project]
    pub(crate) ids: Vec<AdwId>,
    /// Phase whose required fields are checked too
    #[arg(long, value_name = "P")]
    pub(crate) phase: Option<PhaseName>,
    /// Treat warnings as findings
    #[arg(long)]
    pub(crate) strict: bool,
}

pub(super) fn cmd_check(context: &CommandContext, arguments: MetaCheckArgs) -> CommandResult {
    let (ids, mut warnings) = select_workflows(context, arguments.ids)?;
    warnings.extend(arguments.phase.iter().filter_map(warn_of_typing_error));
    let mut divergences = Vec::new();
    let mut missing_parts = Vec::new();
    for id in &ids {
        let file = metadata_file(context, id);
        match file.read() {
            Ok(None) => return Err(not_found_error(id)),
            Ok(Some(document)) => {
                divergences.extend(list_findings(&file, &document));
                divergences.extend(schema::find_violations(id, &display_path(id), &document));
                if let Some(phase) = &arguments.phase {
                    missing_parts.extend(phase_contract::find_missing_parts(
                        phase,
                        &file,
                        Some(&document),
                    ));
                }
            }
            // The other files are still checked.
            Err(error) => divergences.push(unusable_file_finding(id, &error)),
        }
    }
    context.set_fix_directories(&mut divergences);
    let data = json!({"checked": ids.len()});
    if let Some(phase) = &arguments.phase
        && !missing_parts.is_empty()
    {
        let mut error = phase_contract::build_contract_error(phase, &missing_parts, data);
        error.divergences = divergences;
        return Err(error);
    }
    let mut text = render_divergences(&divergences);
    text.push(format!("{} checked, {}", ids.len(), count_findings(&divergences)));
    Ok(Output {
        exit_code: exit_code_for(&divergences, arguments.strict),
        divergences,
        warnings,
        ..Output::new(text, data)
    })
}

/// Returns the workflows that were named, or all of the project, with warnings.
pub(super) fn select_workflows(
    context: &CommandContext,
    ids: Vec<AdwId>,
) -> CommandResult<(Vec<AdwId>, Vec<String>)> {
    if !ids.is_empty() {
        return Ok((ids, Vec::new()));
    }
    let listed = list_metadata_files(&context.run.project.dir)
        .map_err(|error| CommandError::from(&error))?;
    let strange = listed.invalid_names.iter();
    let warnings = strange.map(|name| format!("agents/{name} is not a workflow id; skipped"));
    Ok((listed.ids, warnings.collect()))
}
