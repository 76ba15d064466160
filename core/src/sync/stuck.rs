//! The sweep of what is in progress and gives no sign of life.

use super::doubt::Doubt;
use super::site::Site;
use crate::model::{FOR_EVER, PlanTask};
use crate::store::{PhaseMoved, Provenance, Result, Store};

/// Most phases one sweep fails, so that a start stays cheap however many there are.
const SWEEP_LIMIT: u32 = 64;

/// Returns a line for everything that was failed.
pub fn stuck_lines(tasks: &[PlanTask], phases: &[PhaseMoved]) -> Vec<String> {
    let line = |what: String, error: Option<&String>| match error {
        Some(error) => format!("{what}: {error}"),
        None => what,
    };
    let tasks = tasks
        .iter()
        .map(|task| line(format!("task {}", task.key()), task.error.as_ref()));
    let phases = phases.iter().map(|moved| {
        let phase = &moved.row.phase;
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
pub fn fail_stuck(store: &mut dyn Store, site: &Site, actor: &str) -> Result<Vec<PhaseMoved>> {
    let limit = site.settings.stuck_seconds;
    let mut failed = Vec::new();
    let doubted = Doubt::default().added_to(limit, store)?;
    for stuck in store.stuck_phases(doubted, SWEEP_LIMIT)? {
        let worker = match &stuck.phase.assigned_to {
            Some(session) => format!(" of session {session}"),
            None => String::new(),
        };
        let error = match stuck.silence_seconds() {
            FOR_EVER => format!(
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
pub fn fail_stuck_tasks(store: &mut dyn Store, site: &Site, actor: &str) -> Result<Vec<PlanTask>> {
    let provenance = Provenance::new(actor, "sweep");
    let limit = Doubt::default().added_to(site.settings.stuck_seconds, store)?;
    store.fail_stuck_plan_tasks(limit, &provenance)
}
