//! Steps of tasks: `trueup plan start`, `complete`, `fail`, `skip` and `retry`

use serde_json::json;
use trueup_core::model::{
    OrchestratorId, PlanId, PlanTask, PlanTaskRefusal, PlanTaskStatus, PlanTaskStep, PlanWorker,
    RETRY_LIMIT,
};
use trueup_core::plan::{StepTaken, take_step};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{PlanStore as _, Provenance};

use super::{plan_of, show};
use crate::args::Task;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::json;
use crate::report::Answer;
use crate::speaker::PERSON;

/// Names who works: a registered session, or a person at a terminal.
pub(super) fn worker(desk: &Desk, store: &mut SqliteStore) -> Result<PlanWorker, Failure> {
    let orchestrator = orchestrator(desk)?;
    let session = match &orchestrator {
        // What a run starts is the run's, not of a session that works here besides.
        Some(_) => desk.explicit_session(store)?,
        None => desk.mover(store)?,
    };
    let session = session.map(|session| session.id);
    Ok(PlanWorker {
        actor: session
            .as_ref()
            .map_or_else(|| PERSON.to_owned(), ToString::to_string),
        session,
        orchestrator,
    })
}

/// Names the orchestrator that runs this command.
fn orchestrator(desk: &Desk) -> Result<Option<OrchestratorId>, Failure> {
    const NAME: &str = "TRUEUP_ORCHESTRATOR_ID";
    let id = desk.environment.demand_text(NAME);
    let id = id.map_err(|problem| Failure::variable(NAME, &problem))?;
    let id = id.map(str::parse).transpose();
    id.map_err(|error| Failure::variable(NAME, &error))
}

/// Begins a task. What it depends on is no obstacle to who insists, but is said.
pub(super) fn start(desk: &Desk, task: &Task) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let worker = worker(desk, &mut store)?;
    let plan = plan_of(desk, &mut store, task.task.plan.as_ref(), &task.which)?;
    let by = desk.provenance(&worker.actor, "plan start");
    let step = PlanTaskStep::Start(worker);
    let (mut answer, begun) = taken(desk, &mut store, &plan, task, &step, &by)?;
    let state = show::state(&mut store, &plan)?;
    let unknown = state.unknown_dependencies(&begun).into_iter();
    answer.warnings.extend(unknown.map(|other| {
        let id = &begun.id;
        format!("{id} depends on {other}, which is not in the plan")
    }));
    let open = state.waits_for(&begun);
    answer.warnings.extend(open.map(|other| {
        format!(
            "{} depends on {}, which is {}",
            begun.id, other.id, other.status
        )
    }));
    Ok(answer)
}

/// Takes any other step.
pub(super) fn take(desk: &Desk, task: &Task, step: &PlanTaskStep) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let worker = worker(desk, &mut store)?;
    let plan = plan_of(desk, &mut store, task.task.plan.as_ref(), &task.which)?;
    let by = desk.provenance(&worker.actor, step.reason());
    let (answer, _) = taken(desk, &mut store, &plan, task, step, &by)?;
    Ok(answer)
}

fn taken(
    desk: &Desk,
    store: &mut SqliteStore,
    plan: &PlanId,
    task: &Task,
    step: &PlanTaskStep,
    by: &Provenance,
) -> Result<(Answer, PlanTask), Failure> {
    let id = &task.task.id;
    let key = format!("{plan}/{id}");
    let before = desk.carried_out(store, "plan_task", Some(&key), &["status", "reopened"])?;
    let ended = match (before, store.plan_task(plan, id)?) {
        (Some(_), Some(task)) => StepTaken::Already(task),
        _ => take_step(store, plan, id, step, by)?,
    };
    let (text, task) = match ended {
        StepTaken::Changed { from, task } => {
            let text = format!("{from} -> {}", task.status);
            (text, task)
        }
        StepTaken::Already(task) => (format!("already {}, nothing changed", task.status), task),
        StepTaken::Refused { refusal, task } => return Err(refused(refusal, &task, step)),
        StepTaken::Unknown => {
            let text = format!("no task named {key}");
            let plan = plan.into();
            return Err(Failure::new(ErrorCase::TaskNotFound { plan }, text));
        }
    };
    let answer = Answer::new(
        vec![format!("{}: {text}", task.key()), show::line(&task)],
        json!({"task": json::plan_task(&task)}),
    );
    Ok((answer, task))
}

fn refused(refusal: PlanTaskRefusal, task: &PlanTask, step: &PlanTaskStep) -> Failure {
    let (key, to) = (task.key(), step.to());
    let text = match refusal {
        PlanTaskRefusal::InProgressElsewhere => {
            let since = task.started_at;
            let since = since.map_or(String::new(), |at| format!(" since {at}"));
            let who = task.started_by.as_deref().unwrap_or("somebody");
            let under = task.orchestrator.as_ref();
            let under = under.map_or(String::new(), |id| format!(" under orchestrator {id}"));
            format!("task {key} is in progress{since}, started by {who}{under}")
        }
        PlanTaskRefusal::RetryLimit => format!(
            "task {key} has already been retried {} times",
            task.retry_count
        ),
        PlanTaskRefusal::Illegal => {
            format!("task {key} is {} and cannot become {to}", task.status)
        }
    };
    Failure::new(case(refusal, task), text).data(json!({
        "task": json::plan_task(task),
        "holder": {
            "session_id": task.session,
            "orchestrator": task.orchestrator,
            "started_by": task.started_by,
            "started_at": task.started_at,
        },
    }))
}

/// Tells what leads on from a refusal: another try only while there is one left.
fn case(refusal: PlanTaskRefusal, task: &PlanTask) -> ErrorCase {
    let is_spent = task.retry_count >= RETRY_LIMIT;
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
