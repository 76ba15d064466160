//! `trueup sessions`

use std::time::Duration;

use serde_json::json;
use trueup_core::model::PlanTask;
use trueup_core::retention;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{ReleasedClaim, SessionFilter, Store as _};
use trueup_core::sync::{fail_stuck_phases, fail_stuck_tasks, sweep_dead_sessions};

use super::or_none;
use crate::args::SessionsCommand;
use crate::caller::find_session_by_prefix;
use crate::command_context::CommandContext;
use crate::command_error::CommandError;
use crate::output::Output;
use crate::views;

/// How long a sweep prunes at most what is old, once a day.
const PRUNE_BUDGET: Duration = Duration::from_secs(2);

/// Sessions listed unless all are asked for, the latest sign of life first.
const MAX_SESSIONS_LISTED: u32 = 100;

pub(super) fn cmd_sessions(
    context: &CommandContext,
    command: &SessionsCommand,
) -> Result<Output, CommandError> {
    match command {
        SessionsCommand::List { all } => {
            let filter = SessionFilter {
                limit: if *all { 0 } else { MAX_SESSIONS_LISTED },
                ..SessionFilter::default()
            };
            list_sessions(context, &mut context.open_for_reading()?, &filter)
        }
        SessionsCommand::Show { id } => {
            let mut store = context.open_for_reading()?;
            let session = find_session_by_prefix(&mut store, id)?;
            super::status::build_session_output(context, &mut store, &session)
        }
        SessionsCommand::Sweep => {
            let mut store = context.open_for_change()?;
            let actor = context.resolve_actor(&mut store)?;
            let released = sweep_dead_sessions(&mut store, &context.run, &actor)?;
            let mut warnings = Vec::new();
            if let Err(error) =
                retention::prune_if_due(&mut store, &actor, &context.run, PRUNE_BUDGET)
            {
                warnings.push(format!("old records were not pruned: {error}"));
            }
            let mut text: Vec<String> = released.iter().map(render_lost_session).collect();
            let stuck = fail_stuck_phases(&mut store, &context.run, &actor)?;
            text.extend(
                stuck
                    .iter()
                    .map(|moved| super::queue::render_phase_move(&moved.change)),
            );
            let tasks = fail_stuck_tasks(&mut store, &context.run, &actor)?;
            text.extend(tasks.iter().map(super::plan::render_failed_task));
            if text.is_empty() {
                text.push("no dead sessions".to_owned());
            }
            let released: Vec<_> = released
                .iter()
                .map(|r| json!({"session_id": r.session, "item": r.item, "reason": r.reason}))
                .collect();
            let phases = stuck.iter().map(|moved| moved.change.phase.id.to_string());
            let failed: Vec<_> = phases.chain(tasks.iter().map(PlanTask::key)).collect();
            Ok(Output {
                warnings,
                ..Output::new(text, json!({"released": released, "failed": failed}))
            })
        }
    }
}

/// Says what became of a session that died.
pub(super) fn render_lost_session(released: &ReleasedClaim) -> String {
    let item = released
        .item
        .as_ref()
        .map_or("nothing", |item| item.as_str());
    format!(
        "session {} died ({}); freed: {item}",
        released.session, released.reason
    )
}

/// Lists sessions.
pub(super) fn list_sessions(
    context: &CommandContext,
    store: &mut SqliteStore,
    filter: &SessionFilter,
) -> Result<Output, CommandError> {
    let sessions = store.list_sessions(filter)?;
    let mut text = Vec::new();
    let mut rows = Vec::new();
    for session in &sessions {
        let vitality = views::assess_liveness(session, &context.run);
        text.push(format!(
            "{:<36} {:<7} {:<8} {:<20} {} on {}",
            session.id.as_str(),
            session.status.as_str(),
            vitality.state.as_str(),
            session.item.as_ref().map_or("none", |item| item.as_str()),
            or_none(session.worktree.as_deref()),
            or_none(session.host.as_deref()),
        ));
        rows.push(views::session_view(session, &vitality));
    }
    let header = format!(
        "{:<36} {:<7} {:<8} {:<20} WHERE",
        "SESSION", "STATUS", "ALIVE", "ITEM"
    );
    if text.is_empty() {
        let none = "no sessions; one is registered when Claude Code starts with the plugin";
        return Ok(Output::new(
            vec![none.to_owned()],
            json!({"sessions": rows}),
        ));
    }
    Ok(Output::new(text, json!({"sessions": rows})).with_columns(&header))
}
