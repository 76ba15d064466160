//! The fields of the metadata file that a phase requires before it starts.

use serde_json::{Value as Json, json};
use trueup_core::metadata::phase_contract::{
    MissingRequirement, PathsOnDisk, list_missing_requirements,
};
use trueup_core::metadata::{AdwState, JsonDocument, MetadataFile};
use trueup_core::model::phase::PhaseName;
use trueup_core::model::{AdwId, Phase};

use super::workflow_file::{display_path, metadata_file, to_command_error};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, MetadataCase};

/// A required field that a workflow lacks.
pub(super) struct MissingPart {
    id: AdwId,
    part: MissingRequirement,
}

/// Finds the fields that a phase requires and the file of a workflow lacks.
pub(super) fn find_missing_parts(
    phase: &PhaseName,
    file: &MetadataFile,
    document: Option<&JsonDocument>,
) -> Vec<MissingPart> {
    let state = document.map(AdwState::from_document).unwrap_or_default();
    let pieces = list_missing_requirements(phase, &state, file.check_paths(&state)).into_iter();
    pieces.map(|piece| MissingPart { id: file.id().clone(), part: piece }).collect()
}

/// Builds the error of a phase whose workflows lack fields, with all of them.
pub(super) fn build_contract_error(
    phase: &PhaseName,
    missing_parts: &[MissingPart],
    mut data: Json,
) -> CommandError {
    let render_part = |MissingPart { id, part: piece }: &MissingPart| format!("{id}: {piece}");
    let lines: Vec<String> = missing_parts.iter().map(render_part).collect();
    let part_view = |MissingPart { id, part: piece }: &MissingPart| json!({"id": id, "field": piece.field, "problem": piece.problem});
    data["missing"] = missing_parts.iter().map(part_view).collect();
    let phase = phase.as_str();
    let message = format!("{phase} cannot start: {}", lines.join("; "));
    CommandError::new(MetadataCase::PhaseContract, message).with_data(data)
}

/// Refuses to start a phase whose workflow lacks required fields. A phase without a workflow has no
/// file and is not checked.
pub(crate) fn check_phase_can_start(context: &CommandContext, phase: &Phase) -> CommandResult<()> {
    let Some(workflow) = &phase.adw_id else {
        return Ok(());
    };
    if list_missing_requirements(&phase.name, &AdwState::default(), PathsOnDisk::default())
        .is_empty()
    {
        return Ok(());
    }
    let id: AdwId = workflow.parse().map_err(|error| {
        let message = format!("{} cannot start: {error}", phase.id);
        CommandError::new(MetadataCase::PhaseWorkflow, message)
    })?;
    let file = metadata_file(context, &id);
    let document = file.read().map_err(|error| to_command_error(&id, &error))?;
    let missing_parts = find_missing_parts(&phase.name, &file, document.as_ref());
    if missing_parts.is_empty() {
        return Ok(());
    }
    let mut error = build_contract_error(&phase.name, &missing_parts, json!({}));
    if document.is_none() {
        error.message = format!("{} ({} is missing)", error.message, display_path(&id));
    }
    Err(error)
}
