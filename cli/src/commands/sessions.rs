//! `trueup sessions`

use std::time::Duration;

use serde_json::json;
use trueup_core::model::PlanTask;
use trueup_core::retention;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Released, SessionFilter, Store as _};
use trueup_core::sync::{fail_stuck, fail_stuck_tasks, sweep};

use super::or_none;
use crate::args::SessionsCommand;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::json;
use crate::report::Answer;
use crate::speaker::find_session;

/// How long a sweep prunes at most what is old, once a day.
const PRUNING: Duration = Duration::from_secs(2);

/// Sessions listed unless all are asked for, the latest sign of life first.
const RECENT: u32 = 100;

pub(super) fn run(desk: &Desk, command: &SessionsCommand) -> Result<Answer, Failure> {
    match command {
        SessionsCommand::List { all } => {
            let filter = SessionFilter {
                limit: if *all { 0 } else { RECENT },
                ..SessionFilter::default()
            };
            list(desk, &mut desk.open()?, &filter)
        }
        SessionsCommand::Show { id } => {
            let mut store = desk.open()?;
            let session = find_session(&mut store, id)?;
            super::status::of(desk, &mut store, &session)
        }
        SessionsCommand::Sweep => {
            let mut store = desk.open_for_change()?;
            let actor = desk.actor(&mut store)?;
            let released = sweep(&mut store, &desk.site, &actor)?;
            let mut warnings = Vec::new();
            if let Err(error) = retention::gently(&mut store, &actor, &desk.site, PRUNING) {
                warnings.push(format!("old records were not pruned: {error}"));
            }
            let mut text: Vec<String> = released.iter().map(parked).collect();
            let stuck = fail_stuck(&mut store, &desk.site, &actor)?;
            text.extend(stuck.iter().map(|moved| super::queue::change(&moved.row)));
            let tasks = fail_stuck_tasks(&mut store, &desk.site, &actor)?;
            text.extend(tasks.iter().map(super::plan::failure));
            if text.is_empty() {
                text.push("no dead sessions".to_owned());
            }
            let released: Vec<_> = released
                .iter()
                .map(|r| json!({"session_id": r.session, "item": r.item, "reason": r.reason}))
                .collect();
            let phases = stuck.iter().map(|moved| moved.row.phase.id.to_string());
            let failed: Vec<_> = phases.chain(tasks.iter().map(PlanTask::key)).collect();
            Ok(Answer {
                warnings,
                ..Answer::new(text, json!({"released": released, "failed": failed}))
            })
        }
    }
}

/// Says what became of a session that died.
pub(super) fn parked(released: &Released) -> String {
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
pub(super) fn list(
    desk: &Desk,
    store: &mut SqliteStore,
    filter: &SessionFilter,
) -> Result<Answer, Failure> {
    let sessions = store.sessions(filter)?;
    let mut text = Vec::new();
    let mut rows = Vec::new();
    for session in &sessions {
        let vitality = json::vitality(session, &desk.site);
        text.push(format!(
            "{:<36} {:<7} {:<8} {:<20} {} on {}",
            session.id.as_str(),
            session.status.as_str(),
            vitality.alive.as_str(),
            session.item.as_ref().map_or("none", |item| item.as_str()),
            or_none(session.worktree.as_deref()),
            or_none(session.host.as_deref()),
        ));
        rows.push(json::session(session, &vitality));
    }
    let header = format!(
        "{:<36} {:<7} {:<8} {:<20} WHERE",
        "SESSION", "STATUS", "ALIVE", "ITEM"
    );
    if text.is_empty() {
        let none = "no sessions; one is registered when Claude Code starts with the plugin";
        return Ok(Answer::new(
            vec![none.to_owned()],
            json!({"sessions": rows}),
        ));
    }
    Ok(Answer::new(text, json!({"sessions": rows})).columns(&header))
}
