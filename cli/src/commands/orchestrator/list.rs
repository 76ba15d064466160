//! `trueup orchestrator list`: running orchestrators, then those that ended.

use serde_json::json;
use trueup_core::model::{Liveness, LivenessState, OrchestratorStatus};
use trueup_core::orchestrators::judge_liveness;
use trueup_core::views::OrchestratorView;

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;

/// Most ended orchestrators listed without `--all`.
const MAX_ENDED_LISTED: u32 = 100;

pub(super) fn cmd_list(context: &CommandContext, all: bool) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let mut rows = store.list_live_orchestrators()?;
    let ended = store.list_orchestrators(if all { 0 } else { MAX_ENDED_LISTED })?;
    rows.extend(ended.into_iter().filter(|row| !row.status.is_live()));
    let mut text = Vec::new();
    let mut objects = Vec::new();
    for mut row in rows {
        let Liveness { state: alive, evidence: witness, .. } = judge_liveness(&row, &context.run);
        // A dead run is shown as crashed, which the next change records.
        if row.status.is_live() && alive == LivenessState::Dead {
            row.status = OrchestratorStatus::Crashed;
        }
        text.push(format!(
            "{:<17} {:<24} {:<8} pid {} on {} since {} ({})",
            row.id.as_str(),
            row.plan.as_str(),
            row.status.as_str(),
            row.process.pid,
            row.host,
            row.started_at,
            row.reason.as_deref().unwrap_or(&witness)
        ));
        objects.push(OrchestratorView::from(&row));
    }
    Ok(Output::table(
        &format!("{:<17} {:<24} {:<8} PROCESS", "ORCHESTRATOR", "PLAN", "STATUS"),
        text,
        "no orchestrators; start one with `trueup orchestrator start PLAN -- CMD`",
        json!({"orchestrators": objects}),
    ))
}
