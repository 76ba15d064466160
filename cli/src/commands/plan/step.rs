//! Steps of tasks: `trueup plan start`, `complete`, `fail`, `skip` and `retry`

use serde_json::json;
use trueup_core::model::{
    MAX_RETRIES, OrchestratorId, PlanId, PlanTask, PlanTaskRefusal, PlanTaskStatus, PlanTaskStep,
    PlanWorker,
};
use trueup_core::plan::{TaskStepOutcome, apply_task_step};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{PlanStore as _, Provenance};

use super::{resolve_plan_of_task, show};
use crate::args::TaskSelector;
use crate::caller::PERSON_ACTOR;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase};
use crate::output::Output;
use crate::views;

/// Names who works: a registered session, or a person at a terminal.
pub(super) fn resolve_worker(
    context: &CommandContext,
    store: &mut SqliteStore,
) -> Result<PlanWorker, CommandError> {
    let orchestrator = read_env_orchestrator(context)?;
    let session = match &orchestrator {
        // What a run starts is the run's, not of a session that works here besides.
        Some(_) => context.find_explicit_session(store)?,
        None => context.find_active_session(store)?,
    };
    let session = session.map(|session| session.id);
    Ok(PlanWorker {
        actor: session
            .as_ref()
            .map_or_else(|| PERSON_ACTOR.to_owned(), ToString::to_string),
        session,
        orchestrator,
    })
}

/// Names the orchestrator that runs this command.
fn read_env_orchestrator(context: &CommandContext) -> Result<Option<OrchestratorId>, CommandError> {
    const NAME: &str = "TRUEUP_ORCHESTRATOR_ID";
    let id = context.environment.strict_text(NAME);
    let id = id.map_err(|problem| CommandError::invalid_variable(NAME, &problem))?;
    let id = id.map(str::parse).transpose();
    id.map_err(|error| CommandError::invalid_variable(NAME, &error))
}

/// Begins a task. What it depends on is no obstacle to who insists, but is said.
pub(super) fn cmd_start(
    context: &CommandContext,
    task: &TaskSelector,
) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let worker = resolve_worker(context, &mut store)?;
    let plan = resolve_plan_of_task(context, &mut store, task.task.plan.as_ref(), &task.which)?;
    let provenance = context.provenance(&worker.actor, "plan start");
    let step = PlanTaskStep::Start(worker);
    let (mut output, started_task) =
        take_task_step(context, &mut store, &plan, task, &step, &provenance)?;
    let state = show::load_plan_state(&mut store, &plan)?;
    let unknown = state.unknown_dependencies(&started_task).into_iter();
    output.warnings.extend(unknown.map(|other| {
        let id = &started_task.id;
        format!("{id} depends on {other}, which is not in the plan")
    }));
    let open_dependencies = state.open_dependencies(&started_task);
    output.warnings.extend(open_dependencies.map(|other| {
        format!(
            "{} depends on {}, which is {}",
            started_task.id, other.id, other.status
        )
    }));
    Ok(output)
}

/// Takes any other step.
pub(super) fn cmd_step(
    context: &CommandContext,
    task: &TaskSelector,
    step: &PlanTaskStep,
) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let worker = resolve_worker(context, &mut store)?;
    let plan = resolve_plan_of_task(context, &mut store, task.task.plan.as_ref(), &task.which)?;
    let provenance = context.provenance(&worker.actor, step.reason());
    let (output, _) = take_task_step(context, &mut store, &plan, task, step, &provenance)?;
    Ok(output)
}

fn take_task_step(
    context: &CommandContext,
    store: &mut SqliteStore,
    plan: &PlanId,
    task: &TaskSelector,
    step: &PlanTaskStep,
    provenance: &Provenance,
) -> Result<(Output, PlanTask), CommandError> {
    let id = &task.task.id;
    let key = format!("{plan}/{id}");
    let replayed = context.find_replay(store, "plan_task", Some(&key), &["status", "reopened"])?;
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
            return Err(CommandError::new(ErrorCase::TaskNotFound { plan }, text));
        }
    };
    let output = Output::new(
        vec![
            format!("{}: {text}", task.key()),
            show::render_task_line(&task),
        ],
        json!({"task": views::plan_task_view(&task)}),
    );
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
        PlanTaskRefusal::RetryLimit => format!(
            "task {key} has already been retried {} times",
            task.retry_count
        ),
        PlanTaskRefusal::Illegal => {
            format!("task {key} is {} and cannot become {to}", task.status)
        }
    };
    CommandError::new(refusal_case(refusal, task), text).with_data(json!({
        "task": views::plan_task_view(task),
        "holder": {
            "session_id": task.session,
            "orchestrator": task.orchestrator,
            "started_by": task.started_by,
            "started_at": task.started_at,
        },
    }))
}

/// Tells what leads on from a refusal: another try only while there is one left.
fn refusal_case(refusal: PlanTaskRefusal, task: &PlanTask) -> ErrorCase {
    let is_spent = task.retry_count >= MAX_RETRIES;
    let has_failed = task.status == PlanTaskStatus::Failed;
    let (plan, task) = ((&task.plan).into(), (&task.id).into());
    match refusal {
        PlanTaskRefusal::InProgressElsewhere if is_spent => {
            ErrorCase::TaskInProgressAtLast { plan }
        }
        PlanTaskRefusal::InProgressElsewhere => ErrorCase::TaskInProgress { task, plan },
        PlanTaskRefusal::RetryLimit => ErrorCase::RetriesSpent { task, plan },
        PlanTaskRefusal::Illegal if has_failed && is_spent => {
            ErrorCase::TaskFailedForGood { task, plan }
        }
        PlanTaskRefusal::Illegal if has_failed => ErrorCase::TaskFailed { task, plan },
        PlanTaskRefusal::Illegal => ErrorCase::IllegalTaskStep { plan },
    }
}
