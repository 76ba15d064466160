//! Arguments that select a plan or a task of one.

use std::str::FromStr;

use clap::Args;
use trueup_core::model::{PlanId, PlanTaskId};

use crate::path_argument::path_text;

// Selects a plan. This is no doc comment because it would become the help text of the commands.
#[derive(Debug, Args)]
pub(crate) struct PlanSelector {
    /// Plan, by id or file [default: $TRUEUP_PLAN, or the only plan of this repository]
    #[arg(long, value_name = "PLAN", value_parser = path_text())]
    pub(crate) plan: Option<String>,
    /// Take the only plan of all repositories, not just of this one
    #[arg(long)]
    pub(crate) all_repos: bool,
}

impl PlanSelector {
    /// Returns the selection of the plan that is named, if one is.
    pub(super) fn or_named(self, name: Option<String>) -> Self {
        Self { plan: name.or(self.plan), ..self }
    }
}

// Selects a task. This is no doc comment for the same reason.
#[derive(Debug, Args)]
pub(crate) struct TaskSelector {
    /// Task, such as 1.2 or fix-sync/1.2
    #[arg(value_name = "TASK")]
    pub(crate) task: TaskName,
    #[command(flatten)]
    pub(crate) which: PlanSelector,
}

/// The id of a task, with or without that of its plan.
#[derive(Debug, Clone)]
pub(crate) struct TaskName {
    pub(crate) plan: Option<PlanId>,
    pub(crate) id: PlanTaskId,
}

impl FromStr for TaskName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (plan, id) = match text.rsplit_once('/') {
            None => (None, text),
            Some((plan, id)) => {
                let plan = plan.parse().map_err(|error| format!("{error}"))?;
                (Some(plan), id)
            }
        };
        let id = id.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { plan, id })
    }
}
