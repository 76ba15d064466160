//! Fails work that is in progress without a sign of life.

use super::clock_doubt::ClockDoubt;
use super::run_context::RunContext;
use crate::model::{FOREVER, PlanTask};
use crate::store::{PhaseChanges, Provenance, Result, StuckWorkStore};

/// Most phases that one sweep fails, so that a session start stays cheap.
const SWEEP_LIMIT: u32 = 64;

/// Describes each phase and task that was failed, one line each.
pub fn describe_stuck_work(tasks: &[PlanTask], phases: &[PhaseChanges]) -> Vec<String> {
    let line = |what: String, error: Option<&String>| match error {
        Some(error) => format!("{what}: {error}"),
        None => what,
    };
    let tasks = tasks.iter().map(|task| line(format!("task {}", task.key()), task.error.as_ref()));
    let phases = phases.iter().map(|moved| {
        let phase = &moved.change.phase;
        line(format!("phase {}", phase.id), phase.error_message.as_ref())
    });
    tasks.chain(phases).collect()
}

/// Fails phases that have run without a sign of life for longer than the settings allow. Phases
/// that depend on them become blocked.
///
/// # Errors
///
/// When the database cannot be read.
pub fn fail_stuck_phases(
    store: &mut dyn StuckWorkStore,
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
            FOREVER => {
                format!("last heartbeat{worker} is dated {}, in the future", stuck.last_sign)
            }
            seconds => format!("no heartbeat{worker} for {seconds} s, the limit is {limit} s"),
        };
        let provenance = Provenance::new(actor, &error);
        failed.extend(store.fail_stuck_phase(&stuck, &error, &provenance)?);
    }
    Ok(failed)
}

/// Fails plan tasks that have been in progress without a sign of life for longer than the settings
/// allow. A sign of life of the task, its session or its orchestrator counts.
///
/// # Errors
///
/// When the database cannot be read.
pub fn fail_stuck_tasks(
    store: &mut dyn StuckWorkStore,
    context: &RunContext,
    actor: &str,
) -> Result<Vec<PlanTask>> {
    let provenance = Provenance::new(actor, "sweep");
    let limit = ClockDoubt::default().extend_limit(context.settings.stuck_seconds, store)?;
    store.fail_stuck_plan_tasks(limit, &provenance)
}
