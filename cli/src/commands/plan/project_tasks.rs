//! The tasks to go on with in the plans of this repository.

use trueup_core::model::PlanTask;
use trueup_core::store::{CommandStore, PlanOverview};

use super::plan_scope::PlanScope;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;

/// Most unfinished plans that are read.
const MAX_PLANS: usize = 20;

/// Lists the tasks to work on next: for each plan those in progress, then those that are ready.
pub(crate) fn list_next_tasks(
    context: &CommandContext,
    store: &mut dyn CommandStore,
    all_repos: bool,
) -> CommandResult<Vec<PlanTask>> {
    let scope = PlanScope::find(context, all_repos);
    let is_unfinished = |listed: &PlanOverview| {
        listed.summary.pending + listed.summary.in_progress > 0 && scope.includes(&listed.plan)
    };
    let plans = store.list_plans()?.into_iter().filter(is_unfinished).take(MAX_PLANS);
    let mut tasks = Vec::new();
    for listed in plans.collect::<Vec<_>>() {
        if let Some(state) = store.load_plan(&listed.plan.id)? {
            tasks.extend(state.next_tasks().cloned());
        }
    }
    Ok(tasks)
}
