//! The sweep of what is in progress and gives no sign of life.

use super::clock_doubt::ClockDoubt;
use super::run_context::RunContext;
use crate::model::{FOREVER, PlanTask};
use crate::store::{PhaseChanges, Provenance, Result, Store};

/// Most phases one sweep fails, so that a start stays cheap however many there are.
const SWEEP_LIMIT: u32 = 64;

/// Returns a line for everything that was failed.
pub fn describe_stuck_work(tasks: &[PlanTask], phases: &[PhaseChanges]) -> Vec<String> {
    let line = |what: String, error: Option<&String>| match error {
        Some(error) => format!("{what}: {error}"),
        None => what,
    };
    let tasks = tasks
        .iter()
        .map(|task| line(format!("task {}", task.key()), task.error.as_ref()));
    let phases = phases.iter().map(|moved| {
        let phase = &moved.change.phase;
        line(format!("phase {}", phase.id), phase.error_message.as_ref())
    });
    tasks.chain(phases).collect()
}

/// Fails every phase that has been running without a sign of life for longer than the settings
/// allow; what waits for it is blocked and told why.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn fail_stuck_phases(
    store: &mut dyn Store,
    context: &RunContext,
    actor: &str,
) -> Result<Vec<PhaseChanges>> {
    let limit = context.settings.stuck_seconds;
    let mut failed = Vec::new();
    let extended_limit = ClockDoubt::default().extend_limit(limit, store)?;
    for stuck in store.list_stuck_phases(extended_limit, SWEEP_LIMIT)? {
        let worker = match &stuck.phase.assigned_to {
            Some(session) => format!(" of session {session}"),
            None => String::new(),
        };
        let error = match stuck.silence_seconds() {
            FOREVER => format!(
                "last heartbeat{worker} is dated {}, in the future",
                stuck.last_sign
            ),
            seconds => format!("no heartbeat{worker} for {seconds} s, the limit is {limit} s"),
        };
        let provenance = Provenance::new(actor, &error);
        failed.extend(store.fail_stuck_phase(&stuck, &error, &provenance)?);
    }
    Ok(failed)
}

/// Fails every task of a plan that has been in progress without a sign of life for longer than
/// the settings allow: of the task, of its session or of its orchestrator.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn fail_stuck_tasks(
    store: &mut dyn Store,
    context: &RunContext,
    actor: &str,
) -> Result<Vec<PlanTask>> {
    let provenance = Provenance::new(actor, "sweep");
    let limit = ClockDoubt::default().extend_limit(context.settings.stuck_seconds, store)?;
    store.fail_stuck_plan_tasks(limit, &provenance)
}
