//! The work that a command considers: that of one repository, or all.

use trueup_core::model::{Plan, RepoScope};
use trueup_core::store::Store;

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::commands::plan::plan_scope::PlanScope;

/// The items and plans of one repository, or of all.
pub(crate) struct WorkScope {
    pub(crate) items: RepoScope,
    plans: PlanScope,
}

impl WorkScope {
    pub(crate) fn find(
        context: &CommandContext,
        store: &mut dyn Store,
        all_repos: bool,
    ) -> CommandResult<Self> {
        let session = context.find_viewer_session(store)?;
        let items = context.repo_scope(store, session.as_ref(), all_repos)?;
        Ok(Self { items, plans: PlanScope::find(context, all_repos) })
    }

    pub(crate) const fn is_all(&self) -> bool {
        matches!(self.items, RepoScope::All)
    }

    pub(crate) fn includes_plan(&self, plan: &Plan) -> bool {
        self.plans.includes(plan)
    }
}
