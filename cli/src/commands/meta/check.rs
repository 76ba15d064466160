//! `trueup meta check`

use serde_json::json;
use trueup_core::metadata::listed;
use trueup_core::model::AdwId;
use trueup_core::reconcile::{Divergence, Severity};
use trueup_core::text::counted;

use super::{file, findings, flaw, not_found, schema, shown_place, start};
use crate::args::MetaCheck;
use crate::desk::Desk;
use crate::failure::{Failure, REFUSED};
use crate::report::Answer;

pub(super) fn run(desk: &Desk, arguments: MetaCheck) -> Result<Answer, Failure> {
    let (ids, warnings) = chosen(desk, arguments.ids)?;
    let mut divergences = Vec::new();
    let mut lacking = Vec::new();
    for id in &ids {
        let file = file(desk, id);
        match file.read() {
            Ok(None) => return Err(not_found(id)),
            Ok(Some(document)) => {
                divergences.extend(findings(&file, &document));
                divergences.extend(schema::violations(id, &shown_place(id), &document));
                if let Some(phase) = arguments.phase {
                    lacking.extend(start::lacking(phase, &file, Some(&document)));
                }
            }
            // The others are still looked at.
            Err(error) => divergences.push(flaw(id, &error)),
        }
    }
    desk.advise(&mut divergences);
    let data = json!({"checked": ids.len()});
    if let Some(phase) = arguments.phase
        && !lacking.is_empty()
    {
        let mut failure = start::refusal(phase, &lacking, data);
        failure.divergences = divergences;
        return Err(failure);
    }
    let mut text = lines(&divergences);
    text.push(format!(
        "{} checked, {}",
        ids.len(),
        counted(divergences.len(), "finding", "findings")
    ));
    Ok(Answer {
        exit: exit(&divergences, arguments.strict),
        divergences,
        warnings,
        ..Answer::new(text, data)
    })
}

/// Returns the workflows asked for, or all of the project.
pub(super) fn chosen(desk: &Desk, ids: Vec<AdwId>) -> Result<(Vec<AdwId>, Vec<String>), Failure> {
    if !ids.is_empty() {
        return Ok((ids, Vec::new()));
    }
    let listed = listed(&desk.site.project.dir).map_err(|error| Failure::from(&error))?;
    let strange = listed.strange.iter();
    let warnings = strange.map(|name| format!("agents/{name} is not a workflow id; skipped"));
    Ok((listed.ids, warnings.collect()))
}

/// Returns the lines of findings, each with what ends it.
pub(in crate::commands) fn lines(divergences: &[Divergence]) -> Vec<String> {
    let line = |d: &Divergence| {
        let finding = format!("{} {}", d.code.as_str(), d.message);
        [finding, format!("     -> {}", d.fix)]
    };
    divergences.iter().flat_map(line).collect()
}

/// Returns the exit code of findings; under `strict` warnings count too.
pub(in crate::commands) fn exit(divergences: &[Divergence], strict: bool) -> u8 {
    let least = if strict {
        Severity::Warning
    } else {
        Severity::Error
    };
    if divergences.iter().any(|d| d.severity >= least) {
        REFUSED
    } else {
        0
    }
}
