//! `trueup plan import`

use std::path::Path;

use serde_json::{Value, json};
use trueup_core::plan::Skipped;
use trueup_core::store::PlanStore as _;

use super::file;
use super::step::worker;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::json;
use crate::report::Answer;

/// Takes a plan in, in one transaction: whatever ends this process leaves nothing or all.
pub(super) fn run(desk: &Desk, path: &Path) -> Result<Answer, Failure> {
    let read = file::read(desk, path)?;
    let skipped: Vec<Value> = read.skipped.iter().map(shape).collect();
    if read.is_none {
        let text = format!("{}: no phase and no task found", path.display());
        return Err(Failure::refused("no_plan", text)
            .hint("a plan has headings `## Phase 1: Name` and, below them, lines `- [ ] 1.1 Title`")
            .data(json!({"plan": null, "imported": 0, "skipped": skipped})));
    }
    let mut store = desk.open_for_change()?;
    let worker = worker(desk, &mut store)?;
    // An import may change the plan, its tasks or both.
    if desk
        .carried_out(&mut store, "plan", None, &["added", "changed"])
        .is_err()
    {
        let kinds = ["added", "changed", "status"];
        desk.carried_out(&mut store, "plan_task", None, &kinds)?;
    }
    let provenance = desk.provenance(&worker.actor, "plan import");
    let imported = store.import_plan(&read.plan, &provenance)?;
    let (state, count) = (&imported.state, read.plan.tasks.len());
    let mut text = vec![format!(
        "imported {count} tasks of plan {}: {} new, {} changed",
        state.plan.id, imported.added, imported.changed
    )];
    text.extend(read.skipped.iter().map(|skipped| {
        format!(
            "skipped line {}: {}: {}",
            skipped.line, skipped.reason, skipped.text
        )
    }));
    let warnings = imported
        .not_in_file
        .iter()
        .map(|id| format!("task {id} is not in the file; it stays"));
    Ok(Answer {
        warnings: warnings.collect(),
        ..Answer::new(
            text,
            json!({
                "plan": json::plan(&state.plan, &state.summary()),
                "imported": count,
                "skipped": skipped,
            }),
        )
    })
}

fn shape(skipped: &Skipped) -> Value {
    json!({"line": skipped.line, "text": skipped.text, "reason": skipped.reason})
}
