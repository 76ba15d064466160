//! `trueup orchestrator list`: running orchestrators, then those that ended.

use serde_json::json;
use trueup_core::model::{Liveness, LivenessState, OrchestratorStatus};
use trueup_core::orchestrators::judge_liveness;
use trueup_core::views::OrchestratorView;

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;
use crate::page::{Cell, Column, Table, Tone};

/// Most ended orchestrators listed without `--all`.
const MAX_ENDED_LISTED: u32 = 100;

pub(super) fn cmd_list(context: &CommandContext, all: bool) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let mut rows = store.list_live_orchestrators()?;
    let ended = store.list_orchestrators(if all { 0 } else { MAX_ENDED_LISTED })?;
    rows.extend(ended.into_iter().filter(|row| !row.status.is_live()));
    let columns = [
        Column::id("ORCHESTRATOR"),
        Column::text("PLAN"),
        Column::word("STATUS"),
        Column::number("PID"),
        Column::word("HOST"),
        Column::word("STARTED"),
        Column::text("EVIDENCE"),
    ];
    let mut table = Table::new(columns, []);
    let mut objects = Vec::new();
    for mut row in rows {
        let Liveness { state: alive, evidence: witness, .. } = judge_liveness(&row, &context.run);
        // A dead run is shown as crashed, which the next change records.
        if row.status.is_live() && alive == LivenessState::Dead {
            row.status = OrchestratorStatus::Crashed;
        }
        let tone = match row.status {
            OrchestratorStatus::Crashed => Tone::Error,
            status if status.is_live() => Tone::Good,
            _ => Tone::Faint,
        };
        table.push([
            row.id.as_str().into(),
            row.plan.as_str().into(),
            Cell::toned(tone, row.status.as_str()),
            row.process.pid.to_string().into(),
            row.host.as_str().into(),
            Cell::faint(context.times.render(row.started_at)),
            Cell::faint(row.reason.as_deref().unwrap_or(&witness)),
        ]);
        objects.push(OrchestratorView::from(&row));
    }
    Ok(Output::table(
        table,
        "no orchestrators; start one with `trueup orchestrator start PLAN -- CMD`",
        json!({"orchestrators": objects}),
    ))
}
