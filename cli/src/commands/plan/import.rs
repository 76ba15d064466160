//! `trueup plan import`

use std::path::Path;

use serde_json::{Value, json};
use trueup_core::files::path_from_text;
use trueup_core::plan::Skipped;
use trueup_core::store::PlanStore as _;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::text::counted;

use super::file;
use super::step::worker;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure, REFUSED};
use crate::json;
use crate::report::Answer;

/// The reason that the events of an import give.
const REASON: &str = "plan import";

/// Takes a plan in, in one transaction: whatever ends this process leaves nothing or all.
pub(super) fn run(desk: &Desk, path: &Path) -> Result<Answer, Failure> {
    let mut read = file::read(desk, path)?;
    let skipped: Vec<Value> = read.skipped.iter().map(shape).collect();
    if read.plan.tasks.is_empty() {
        let text = format!("{}: no tasks found; nothing was imported", path.display());
        return Err(Failure::new(ErrorCase::NoTasks, text)
            .data(json!({"plan": null, "imported": 0, "skipped": skipped})));
    }
    let mut store = desk.open_for_change()?;
    let worker = worker(desk, &mut store)?;
    refuse_used_operation(desk, &mut store)?;
    let own = read.plan.path.clone();
    if store.plan_at(&own)?.is_none()
        && let Some(known) = file::known_elsewhere(&mut store, &path_from_text(&own))?
    {
        read.plan.path = known.path;
    }
    let provenance = desk.provenance(&worker.actor, REASON);
    let imported = store.import_plan(&read.plan, &provenance)?;
    let (state, count) = (&imported.state, read.plan.tasks.len());
    let mut text = vec![format!(
        "imported {} of plan {}: {} new, {} changed",
        counted(count, "task", "tasks"),
        state.plan.id,
        imported.added,
        imported.changed
    )];
    text.extend(read.skipped.iter().map(|skipped| {
        let Skipped {
            line,
            reason,
            text,
            is_error,
        } = skipped;
        let what = if *is_error { "error in" } else { "skipped" };
        format!("{what} line {line}: {reason}: {text}")
    }));
    let exit = if read.errors.is_empty() { 0 } else { REFUSED };
    let warnings = imported
        .not_in_file
        .iter()
        .map(|id| format!("task {id} is not in the file; kept"));
    Ok(Answer {
        warnings: warnings.collect(),
        divergences: read.errors,
        exit,
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

/// Refuses an operation id that something else was done under. An import may have changed the
/// plan, its tasks or both.
fn refuse_used_operation(desk: &Desk, store: &mut SqliteStore) -> Result<(), Failure> {
    let kinds = ["added", "changed", "status"];
    let of_plan = desk.carried_out(store, "plan", None, &kinds);
    let event = match of_plan {
        Ok(event) => event,
        Err(_) => desk.carried_out(store, "plan_task", None, &kinds)?,
    };
    match event {
        Some(event) if event.reason.as_deref() != Some(REASON) => {
            let text = format!("this operation changed {} {}", event.entity, event.key);
            Err(Failure::op_id_used(text))
        }
        _ => Ok(()),
    }
}

fn shape(skipped: &Skipped) -> Value {
    json!({"line": skipped.line, "text": skipped.text, "reason": skipped.reason})
}
