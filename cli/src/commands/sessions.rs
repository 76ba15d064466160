//! `trueup sessions`: listing and showing sessions, and sweeping dead ones.

use std::time::Duration;

use clap::Subcommand;
use serde_json::json;
use trueup_core::model::{PlanTask, SessionId};
use trueup_core::retention;
use trueup_core::store::{ReleasedClaim, SessionFilter};
use trueup_core::sync::{fail_stuck_phases, fail_stuck_tasks, sweep_dead_sessions};

use super::plan::render_failed_task;
use super::queue::render::render_phase_move;
use super::session_output::{build_session_output, list_sessions};
use crate::command_context::CommandContext;
use crate::command_context::find_session_by_prefix;
use crate::command_error::CommandResult;
use crate::output::Output;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum SessionsCommand {
    /// List sessions, most recent heartbeat first
    ///
    /// Example: trueup sessions list --all
    #[command(verbatim_doc_comment)]
    List {
        /// List all, not just the latest 100
        #[arg(long)]
        all: bool,
    },
    /// Show a session
    ///
    /// Example: trueup sessions show 0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d
    #[command(verbatim_doc_comment)]
    Show {
        /// Session id
        id: SessionId,
    },
    /// Free the items of sessions that have died, and fail stuck phases
    ///
    /// Example: trueup sessions sweep
    #[command(verbatim_doc_comment)]
    Sweep,
}

/// Time limit of the daily pruning that a sweep starts.
const PRUNE_BUDGET: Duration = Duration::from_secs(2);

/// Most sessions listed without `--all`, latest sign of life first.
const MAX_SESSIONS_LISTED: u32 = 100;

pub(super) fn cmd_sessions(context: &CommandContext, command: &SessionsCommand) -> CommandResult {
    match command {
        SessionsCommand::List { all } => {
            let filter = SessionFilter {
                limit: if *all { 0 } else { MAX_SESSIONS_LISTED },
                ..SessionFilter::default()
            };
            list_sessions(context, &mut *context.open_for_reading()?, &filter)
        }
        SessionsCommand::Show { id } => {
            let store = &mut *context.open_for_reading()?;
            let session = find_session_by_prefix(store, id)?;
            build_session_output(context, store, &session)
        }
        SessionsCommand::Sweep => {
            let store = &mut *context.open_for_change()?;
            let actor = context.resolve_actor(store)?;
            let now = store.database_time()?;
            let released = sweep_dead_sessions(store, &context.run, &actor, now)?;
            let mut warnings = Vec::new();
            if let Err(error) = retention::prune_if_due(store, &actor, &context.run, PRUNE_BUDGET) {
                warnings.push(format!("old records were not pruned: {error}"));
            }
            let mut text: Vec<String> = released.iter().map(render_lost_session).collect();
            let stuck = fail_stuck_phases(store, &context.run, &actor)?;
            text.extend(stuck.iter().map(|moved| render_phase_move(&moved.change)));
            let tasks = fail_stuck_tasks(store, &context.run, &actor)?;
            text.extend(tasks.iter().map(render_failed_task));
            if text.is_empty() {
                text.push("no dead sessions".to_owned());
            }
            let released: Vec<_> = released
                .iter()
                .map(|r| json!({"session_id": r.session, "item": r.item, "reason": r.reason}))
                .collect();
            let phases = stuck.iter().map(|moved| moved.change.phase.id.to_string());
            let failed: Vec<_> = phases.chain(tasks.iter().map(PlanTask::key)).collect();
            Ok(Output::new(text, json!({"released": released, "failed": failed}))
                .with_warnings(warnings))
        }
    }
}

/// Renders a session that a sweep marked as lost.
pub(super) fn render_lost_session(released: &ReleasedClaim) -> String {
    let item = released.item.as_ref().map_or("nothing", |item| item.as_str());
    format!("session {} died ({}); freed: {item}", released.session, released.reason)
}
