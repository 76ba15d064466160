//! `trueup plan import`: importing a file, and reporting lines that were skipped.

use std::path::Path;

use serde_json::{Value, json};
use trueup_core::diagnostic::Divergence;
use trueup_core::model::EventKind;
use trueup_core::plan::{PlanFormat, SkippedLine};
use trueup_core::store::{ImportedPlan, Store};
use trueup_core::text::{path_from_text, pluralize};
use trueup_core::views::PlanView;

use super::plan_file::{self, PlanRead};
use super::step::resolve_worker;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, PlanCase, REFUSED};
use crate::output::Output;

/// The reason of the events of an import.
const IMPORT_REASON: &str = "plan import";

/// Imports the plans of a file, each in one transaction, so that an interrupted import changes
/// nothing or whole plans. Only an export has more than one.
pub(super) fn cmd_import(
    context: &CommandContext,
    path: &Path,
    format: Option<PlanFormat>,
) -> CommandResult {
    let mut plans = plan_file::read_plans(context, path, format)?;
    refuse_without_tasks(path, &plans)?;
    let store = &mut *context.open_for_change()?;
    if format.is_none() && plans.len() == 1 {
        let read = plans
            .into_iter()
            .map(|plan| plan_file::read_plan_as_before(context, store, path, plan));
        plans = read.collect::<CommandResult<_>>()?;
        refuse_without_tasks(path, &plans)?;
    }
    let worker = resolve_worker(context, store)?;
    check_operation_unused(context, store)?;
    let mut provenance = context.provenance(&worker.actor, IMPORT_REASON);
    let mut imports = Vec::with_capacity(plans.len());
    for mut plan_read in plans {
        let plan_path = plan_read.plan.path.clone();
        if store.find_plan_by_path(&plan_path)?.is_none()
            && let Some(known_plan) =
                plan_file::find_plan_of_other_checkout(store, &path_from_text(&plan_path))?
        {
            plan_read.plan.path = known_plan.path;
        }
        let imported = store.import_plan(&plan_read.plan, &provenance)?;
        imports.push(PlanImport { plan_read, imported });
        provenance = provenance.with_new_operation();
    }
    Ok(build_output(imports))
}

/// A plan of a file, and what came of it.
struct PlanImport {
    plan_read: PlanRead,
    imported: ImportedPlan,
}

impl PlanImport {
    fn count(&self) -> usize {
        self.plan_read.plan.tasks.len()
    }

    fn render(&self) -> Vec<String> {
        let Self { plan_read, imported } = self;
        let mut text = vec![format!(
            "imported {} of plan {:?} ({}): {} new, {} changed",
            pluralize(self.count(), "task", "tasks"),
            imported.plan_state.plan.id.as_str(),
            plan_read.format,
            imported.added,
            imported.changed
        )];
        text.extend(plan_read.skipped.iter().map(|skipped| {
            let SkippedLine { line, reason, text, is_error, .. } = skipped;
            let what = match (is_error, skipped.is_imported) {
                (true, _) => "error in line",
                (false, true) => "line",
                (false, false) => "skipped line",
            };
            format!("{what} {line}: {reason}: {text}")
        }));
        text
    }

    fn warnings(&self) -> impl Iterator<Item = String> {
        let tasks = self.imported.tasks_not_in_file.iter();
        tasks.map(|id| format!("task {id} is not in the file; kept"))
    }

    fn plan_view(&self) -> PlanView {
        let state = &self.imported.plan_state;
        PlanView::new(&state.plan, &state.summary())
    }
}

/// Builds the output: the first plan, the numbers of all, and all plans.
fn build_output(imports: Vec<PlanImport>) -> Output {
    let text = imports.iter().flat_map(PlanImport::render).collect();
    let warnings = imports.iter().flat_map(PlanImport::warnings).collect();
    let count = |of: fn(&ImportedPlan) -> u64| -> u64 {
        imports.iter().map(|import| of(&import.imported)).sum()
    };
    let data = json!({
        "plan": imports.first().map(PlanImport::plan_view),
        "plans": imports.iter().map(PlanImport::plan_view).collect::<Vec<_>>(),
        "format": imports.first().map(|import| import.plan_read.format.as_str()),
        "imported": imports.iter().map(PlanImport::count).sum::<usize>(),
        "new": count(|imported| imported.added),
        "changed": count(|imported| imported.changed),
        "skipped": imports
            .iter()
            .flat_map(|import| skipped_line_views(&import.plan_read))
            .collect::<Vec<_>>(),
    });
    let divergences: Vec<Divergence> =
        imports.into_iter().flat_map(|import| import.plan_read.errors).collect();
    let exit_code = if divergences.is_empty() { 0 } else { REFUSED };
    Output { divergences, warnings, exit_code, ..Output::new(text, data) }
}

/// Refuses a file without a task.
fn refuse_without_tasks(path: &Path, plans: &[PlanRead]) -> CommandResult<()> {
    if plans.iter().any(|plan_read| !plan_read.plan.tasks.is_empty()) {
        return Ok(());
    }
    // Only an export may have no plan; any other file is one.
    let what = match plans {
        [] => "an export without plans, whose items `trueup item import` brings",
        _ => "no tasks found",
    };
    let text = format!("{}: {what}; nothing was imported", path.display());
    Err(CommandError::new(PlanCase::NoTasks, text).with_data(json!({
        "plan": null,
        "plans": [],
        "format": plans.first().map(|plan_read| plan_read.format.as_str()),
        "imported": 0,
        "new": 0,
        "changed": 0,
        "skipped": plans.iter().flat_map(skipped_line_views).collect::<Vec<_>>(),
    })))
}

/// Refuses an operation id of another change. An import may have changed the plan, its tasks or
/// both.
fn check_operation_unused(context: &CommandContext, store: &mut dyn Store) -> CommandResult<()> {
    let kinds = [EventKind::Added, EventKind::Changed, EventKind::Status];
    let of_plan = context.find_replay(store, "plan", None, &kinds);
    let event = match of_plan {
        Ok(event) => event,
        Err(_) => context.find_replay(store, "plan_task", None, &kinds)?,
    };
    match event {
        Some(event) if event.reason.as_deref() != Some(IMPORT_REASON) => {
            let text = format!("this operation changed {} {}", event.entity, event.key);
            Err(CommandError::operation_id_used(text))
        }
        _ => Ok(()),
    }
}

fn skipped_line_views(plan_read: &PlanRead) -> Vec<Value> {
    plan_read.skipped.iter().map(skipped_line_view).collect()
}

fn skipped_line_view(skipped: &SkippedLine) -> Value {
    json!({"line": skipped.line, "text": skipped.text, "reason": skipped.reason})
}
