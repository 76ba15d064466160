//! Steps of tasks: `trueup plan start`, `complete`, `fail`, `skip`, `retry` and `reopen`

use crate::command_context::CommandContext;
use crate::command_context::PERSON_ACTOR;
use crate::command_error::{CommandError, CommandResult, PlanCase};
use crate::output::Output;
use serde_json::json;
use trueup_core::model::{
    EventKind, MAX_RETRIES, PlanId, PlanTask, PlanTaskRefusal, PlanTaskStatus, PlanTaskStep,
    PlanWorker,
};
use trueup_core::plan::{TaskStepOutcome, apply_task_step};
use trueup_core::store::{Provenance, Store};
use trueup_core::text::one_line;
use trueup_core::views::PlanTaskView;

use super::plan_lookup::{load_plan_state, resolve_plan_of_task};
use super::selectors::TaskSelector;
use super::task_lookup::find_task_id;

/// Resolves the worker: a session or a person, and the orchestrator of the environment.
/// Longest title shown, in characters.
const MAX_TITLE_CHARS: usize = 500;

pub(super) fn resolve_worker(
    context: &CommandContext,
    store: &mut dyn Store,
) -> CommandResult<PlanWorker> {
    let orchestrator = context.read_env_orchestrator()?;
    let session = match &orchestrator {
        // A task that an orchestrator starts does not belong to a session that is merely live here.
        Some(_) => context.find_explicit_session(store)?,
        None => context.find_active_session(store)?,
    };
    let session = session.map(|session| session.id);
    Ok(PlanWorker {
        actor: session.as_ref().map_or_else(|| PERSON_ACTOR.to_owned(), ToString::to_string),
        session,
        orchestrator,
    })
}

/// Starts a task. Open dependencies do not prevent it, but are warned of.
pub(super) fn cmd_start(context: &CommandContext, task: &TaskSelector) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let worker = resolve_worker(context, store)?;
    let plan = resolve_plan_of_task(context, store, task.task.plan.as_ref(), &task.which)?;
    let provenance = context.provenance(&worker.actor, "plan start");
    let step = PlanTaskStep::Start(worker);
    let (mut output, started_task) =
        take_task_step(context, store, &plan, task, &step, &provenance)?;
    let state = load_plan_state(store, &plan)?;
    let unknown = state.unknown_dependencies(&started_task).into_iter();
    output.warnings.extend(unknown.map(|other| {
        let id = &started_task.id;
        format!("{id} depends on {other}, which is not in the plan")
    }));
    let open_dependencies = state.open_dependencies(&started_task);
    output.warnings.extend(open_dependencies.map(|other| {
        format!("{} depends on {}, which is {}", started_task.id, other.id, other.status)
    }));
    Ok(output)
}

/// Takes any step except the start.
pub(super) fn cmd_step(
    context: &CommandContext,
    task: &TaskSelector,
    step: &PlanTaskStep,
) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let worker = resolve_worker(context, store)?;
    let plan = resolve_plan_of_task(context, store, task.task.plan.as_ref(), &task.which)?;
    let provenance = context.provenance(&worker.actor, step.reason());
    let (output, _) = take_task_step(context, store, &plan, task, step, &provenance)?;
    Ok(output)
}

fn take_task_step(
    context: &CommandContext,
    store: &mut dyn Store,
    plan: &PlanId,
    task: &TaskSelector,
    step: &PlanTaskStep,
    provenance: &Provenance,
) -> CommandResult<(Output, PlanTask)> {
    let id = &find_task_id(store, plan, &task.task.id)?;
    let key = format!("{plan}/{id}");
    let replayed = context.find_replay(
        store,
        "plan_task",
        Some(&key),
        &[EventKind::Status, EventKind::Reopened],
    )?;
    let step_outcome = match (replayed, store.load_plan_task(plan, id)?) {
        (Some(_), Some(task)) => TaskStepOutcome::Already(task),
        _ => apply_task_step(store, plan, id, step, provenance)?,
    };
    let (text, task) = match step_outcome {
        TaskStepOutcome::Changed { from, task } => {
            let text = format!("{from} -> {}", task.status);
            (text, task)
        }
        TaskStepOutcome::Already(task) => {
            (format!("already {}, nothing changed", task.status), task)
        }
        TaskStepOutcome::Refused { refusal, task } => {
            return Err(build_refusal_error(refusal, &task, step));
        }
        TaskStepOutcome::Unknown => {
            let text = format!("task {key} does not exist");
            let plan = plan.into();
            return Err(CommandError::new(PlanCase::TaskNotFound { plan }, text));
        }
    };
    let mut lines = vec![format!("{}: {text}", task.key())];
    lines.push(format!("  {}", one_line(&task.title, MAX_TITLE_CHARS)));
    let output = Output::new(lines, json!({"task": PlanTaskView::from(&task)}));
    Ok((output, task))
}

fn build_refusal_error(
    refusal: PlanTaskRefusal,
    task: &PlanTask,
    step: &PlanTaskStep,
) -> CommandError {
    let (key, to) = (task.key(), step.target());
    let text = match refusal {
        PlanTaskRefusal::InProgressElsewhere => {
            let started_at = task.started_at;
            let since_text = started_at.map_or(String::new(), |at| format!(" since {at}"));
            let starter = task.started_by.as_deref().unwrap_or("somebody");
            let orchestrator = task.orchestrator.as_ref();
            let orchestrator_text =
                orchestrator.map_or(String::new(), |id| format!(" under orchestrator {id}"));
            format!(
                "task {key} is in progress{since_text}, started by {starter}{orchestrator_text}"
            )
        }
        PlanTaskRefusal::RetryLimit => {
            format!("task {key} has already been retried {} times", task.retry_count)
        }
        PlanTaskRefusal::Illegal => {
            format!("task {key} is {} and cannot become {to}", task.status)
        }
    };
    CommandError::new(refusal_case(refusal, task), text).with_data(json!({
        "task": PlanTaskView::from(task),
        "holder": {
            "session_id": task.session,
            "orchestrator": task.orchestrator,
            "started_by": task.started_by,
            "started_at": task.started_at,
        },
    }))
}

/// Returns the error case of a refusal, which depends on whether retries are left.
fn refusal_case(refusal: PlanTaskRefusal, task: &PlanTask) -> PlanCase {
    let is_spent = task.retry_count >= MAX_RETRIES;
    let has_failed = task.status == PlanTaskStatus::Failed;
    let is_over = matches!(task.status, PlanTaskStatus::Completed | PlanTaskStatus::Skipped);
    let (plan, task) = ((&task.plan).into(), (&task.id).into());
    match refusal {
        PlanTaskRefusal::InProgressElsewhere if is_spent => PlanCase::TaskInProgressAtLast { plan },
        PlanTaskRefusal::InProgressElsewhere => PlanCase::TaskInProgress { task, plan },
        PlanTaskRefusal::RetryLimit => PlanCase::RetriesSpent { task, plan },
        PlanTaskRefusal::Illegal if has_failed && is_spent => {
            PlanCase::TaskFailedForGood { task, plan }
        }
        PlanTaskRefusal::Illegal if has_failed => PlanCase::TaskFailed { task, plan },
        PlanTaskRefusal::Illegal if is_over => PlanCase::TaskOver { task, plan },
        PlanTaskRefusal::Illegal => PlanCase::IllegalTaskStep { plan },
    }
}
