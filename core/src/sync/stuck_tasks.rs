//! The sweep of tasks of plans that nobody works on any more.

use super::site::Site;
use crate::model::PlanTask;
use crate::store::{Provenance, Result, Store};

/// Fails every task that has been in progress without a sign of life for longer than the
/// settings allow: of the task, of its session or of its orchestrator.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn fail_stuck_tasks(store: &mut dyn Store, site: &Site, actor: &str) -> Result<Vec<PlanTask>> {
    let provenance = Provenance::new(actor, "sweep");
    store.fail_stuck_plan_tasks(site.settings.stuck_seconds, &provenance)
}
