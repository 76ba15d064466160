//! What a phase needs of its workflow's file before it starts.

use serde_json::{Value as Json, json};
use trueup_core::metadata::contract::{Found, Missing, missing};
use trueup_core::metadata::{Document, MetadataFile, State};
use trueup_core::model::phase::PhaseName;
use trueup_core::model::{AdwId, Phase};

use super::{file, shown_place, unreadable};
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};

/// A piece that a workflow lacks.
pub(super) struct Lacking {
    id: AdwId,
    piece: Missing,
}

/// Returns everything that a phase needs and a workflow's file does not give.
pub(super) fn lacking(
    phase: PhaseName,
    file: &MetadataFile,
    document: Option<&Document>,
) -> Vec<Lacking> {
    let state = document.map(State::of).unwrap_or_default();
    let pieces = missing(phase, &state, file.look(&state)).into_iter();
    pieces
        .map(|piece| Lacking {
            id: file.id().clone(),
            piece,
        })
        .collect()
}

/// Refuses a phase whose workflows lack something, all of it at once.
pub(super) fn refusal(phase: PhaseName, lacking: &[Lacking], mut data: Json) -> Failure {
    let line = |Lacking { id, piece }: &Lacking| format!("{id}: {piece}");
    let lines: Vec<String> = lacking.iter().map(line).collect();
    let row = |Lacking { id, piece }: &Lacking| json!({"id": id, "field": piece.field, "problem": piece.problem});
    data["missing"] = lacking.iter().map(row).collect();
    let phase = phase.as_str();
    let message = format!("{phase} cannot start: {}", lines.join("; "));
    Failure::new(ErrorCase::PhaseContract, message).data(data)
}

/// Refuses the start of a phase whose workflow lacks what the phase needs. A row without a
/// workflow has no file, and is not asked.
pub(crate) fn may_start(desk: &Desk, row: &Phase) -> Result<(), Failure> {
    let Some(workflow) = &row.adw_id else {
        return Ok(());
    };
    if missing(row.name, &State::default(), Found::default()).is_empty() {
        return Ok(());
    }
    let id: AdwId = workflow.parse().map_err(|error| {
        let message = format!("{} cannot start: {error}", row.id);
        Failure::new(ErrorCase::PhaseWorkflow, message)
    })?;
    let file = file(desk, &id);
    let document = file.read().map_err(|error| unreadable(&id, &error))?;
    let lacking = lacking(row.name, &file, document.as_ref());
    if lacking.is_empty() {
        return Ok(());
    }
    let mut failure = refusal(row.name, &lacking, json!({}));
    if document.is_none() {
        failure.message = format!("{} ({} is missing)", failure.message, shown_place(&id));
    }
    Err(failure)
}
