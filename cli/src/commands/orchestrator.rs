//! `trueup orchestrator`

use std::os::unix::process::parent_id;

use serde_json::{Value, json};
use trueup_core::liveness::{self, Alive, Vitality};
use trueup_core::model::{Orchestrator, OrchestratorId, OrchestratorStatus, PlanId, RunEnd};
use trueup_core::orchestrators::{Begun, begin, interrupted, new_id, vitality};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{NewRun, OrchestratorStore as _, PlanStore as _, StoreError};

use super::plan::by_name;
use crate::args::OrchestratorCommand;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::json;
use crate::report::Answer;
use crate::supervise::{become_command, guard, terminate};

/// Orchestrators listed unless all are asked for, beside those at work.
const RECENT: u32 = 100;

pub(super) fn run(desk: &Desk, command: OrchestratorCommand) -> Result<Answer, Failure> {
    match command {
        OrchestratorCommand::Start { plan, command } => {
            super::orchestrator_start::run(desk, &plan, &command)
        }
        OrchestratorCommand::Register { plan } => register(desk, &plan),
        OrchestratorCommand::Heartbeat { id } => heartbeat(desk, &id),
        OrchestratorCommand::Stop { id, reason } => stop(desk, &id, reason.as_deref()),
        OrchestratorCommand::List { all } => list(desk, all),
        OrchestratorCommand::Guard {
            parent,
            lock,
            command,
        } => Err(guard(parent, &lock, &command)),
        OrchestratorCommand::Exec { parent, command } => Err(become_command(parent, &command)),
    }
}

/// Returns the run that this command began before, under its `--op-id`.
pub(super) fn begun_before(
    desk: &Desk,
    store: &mut SqliteStore,
    plan: &PlanId,
) -> Result<Option<Orchestrator>, Failure> {
    let Some(event) = desk.carried_out(store, "orchestrator", None, &["started"])? else {
        return Ok(None);
    };
    let id = event.key.parse().ok();
    let row = id.map_or(Ok(None), |id| store.orchestrator(&id))?;
    match row {
        Some(row) if row.plan != *plan => {
            let message = format!("this operation started {} of plan {}", row.id, row.plan);
            Err(Failure::op_id_used(message))
        }
        row => Ok(row),
    }
}

/// Begins a run of a plan by a process of this machine.
pub(super) fn begun(
    desk: &Desk,
    store: &mut SqliteStore,
    plan: PlanId,
    pid: u32,
    supervised: bool,
) -> Result<Orchestrator, Failure> {
    let run = NewRun {
        id: new_id(),
        plan,
        session: desk.mover(store)?.map(|session| session.id),
        host: desk.site.host.clone(),
        process: liveness::identify(pid),
        supervised,
        provenance: desk.provenance(&desk.actor(store)?, ""),
    };
    match begin(store, &run, &desk.site)? {
        Begun::Started(orchestrator) => Ok(orchestrator),
        Begun::Refused { holder, vitality } => Err(refused(&holder, &vitality)),
    }
}

/// Refuses a plan that somebody runs.
pub(super) fn refused(holder: &Orchestrator, vitality: &Vitality) -> Failure {
    let Orchestrator { id, plan, host, .. } = holder;
    let message = format!(
        "plan {plan} is run by {id} (pid {} on {host}) since {}, {} ({})",
        holder.process.pid,
        holder.started_at,
        vitality.alive.as_str(),
        vitality.witness
    );
    Failure::new(ErrorCase::PlanRunning { run: id.into() }, message)
        .data(json!({"holder": json::orchestrator(holder)}))
}

fn register(desk: &Desk, plan: &str) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let plan = by_name(desk, &mut store, plan)?;
    let row = match begun_before(desk, &mut store, &plan)? {
        Some(row) => row,
        None => begun(desk, &mut store, plan, parent_id(), false)?,
    };
    let text = format!(
        "{} now runs plan {} (pid {} on {}, epoch {})",
        row.id, row.plan, row.process.pid, row.host, row.epoch
    );
    Ok(answer(text, &row))
}

fn answer(text: String, row: &Orchestrator) -> Answer {
    Answer::new(vec![text], json!({"orchestrator": json::orchestrator(row)}))
}

fn unknown(id: &OrchestratorId) -> Failure {
    let message = format!("there is no orchestrator {id}");
    Failure::new(ErrorCase::OrchestratorNotFound, message)
}

fn existing(store: &mut SqliteStore, id: &OrchestratorId) -> Result<Orchestrator, Failure> {
    store.orchestrator(id)?.ok_or_else(|| unknown(id))
}

/// Tells whether the plan of a run that is over can be begun again.
fn ended(store: &mut SqliteStore, row: &Orchestrator) -> Result<ErrorCase, Failure> {
    let is_there = store.plan_ids()?.contains(&row.plan);
    let is_run = store
        .live_orchestrators()?
        .iter()
        .any(|run| run.plan == row.plan);
    Ok(if is_there && !is_run {
        let plan = (&row.plan).into();
        ErrorCase::OrchestratorEnded { plan }
    } else {
        ErrorCase::OrchestratorReplaced
    })
}

/// Says when and why a run ended.
fn over(row: &Orchestrator) -> String {
    let at = row
        .stopped_at
        .map_or_else(String::new, |at| format!(" at {at}"));
    let why = row
        .reason
        .as_ref()
        .map_or_else(String::new, |why| format!(": {why}"));
    format!("orchestrator {} {}{at}{why}", row.id, row.status)
}

fn heartbeat(desk: &Desk, id: &OrchestratorId) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let before = existing(&mut store, id)?;
    match store.beat_orchestrator(id) {
        Ok(row) => Ok(answer(
            format!(
                "{id} is already {}; it was {}",
                row.status,
                before.silence_in_words()
            ),
            &row,
        )),
        Err(StoreError::Conflict(_)) => {
            let row = existing(&mut store, id)?;
            Err(Failure::new(ended(&mut store, &row)?, over(&row))
                .data(json!({"orchestrator": json::orchestrator(&row)})))
        }
        Err(error) => Err(error.into()),
    }
}

fn stop(desk: &Desk, id: &OrchestratorId, reason: Option<&str>) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let before = existing(&mut store, id)?;
    let kinds = ["stopping", "stopped"];
    desk.carried_out(&mut store, "orchestrator", Some(id.as_str()), &kinds)?;
    let provenance = desk.provenance(&desk.actor(&mut store)?, reason.unwrap_or("asked to stop"));
    let stopped = if before.supervised {
        // It ends its command first, and then its run itself.
        let told = store.tell_orchestrator_to_stop(id, &provenance);
        told.map(|row| (row, Vec::new()))
    } else {
        let ended = store.stop_orchestrator(id, RunEnd::default(), &provenance);
        ended.map(|ended| (ended.orchestrator.clone(), ended.interrupted()))
    };
    let (row, names) = match stopped {
        Ok(stopped) => stopped,
        // Whoever stops wants it stopped, and it is.
        Err(StoreError::Conflict(_)) => {
            let row = existing(&mut store, id)?;
            let mut answer = answer(format!("already {}", over(&row)), &row);
            answer.data["interrupted"] = json!([]);
            return Ok(answer);
        }
        Err(error) => return Err(error.into()),
    };
    if row.supervised {
        terminate(&row.process, &row.host, &desk.site.host);
    }
    let text = format!(
        "{id} of plan {}: {} -> {}",
        row.plan, before.status, row.status
    );
    let mut answer = answer(text, &row);
    answer.text.extend(interrupted(&names));
    answer.data["interrupted"] = json!(names);
    Ok(answer)
}

fn list(desk: &Desk, all: bool) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    let mut rows = store.live_orchestrators()?;
    let ended = store.orchestrators(if all { 0 } else { RECENT })?;
    rows.extend(ended.into_iter().filter(|row| !row.status.is_live()));
    let mut text = Vec::new();
    let mut objects: Vec<Value> = Vec::new();
    for mut row in rows {
        let Vitality { alive, witness, .. } = vitality(&row, &desk.site);
        // One that died is told as what the next change makes of it.
        if row.status.is_live() && alive == Alive::Dead {
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
        objects.push(json::orchestrator(&row));
    }
    if text.is_empty() {
        text.push(
            "no orchestrators; start one with `trueup orchestrator start PLAN -- CMD`".to_owned(),
        );
    }
    let answer = Answer::new(text, json!({"orchestrators": objects}));
    Ok(if objects.is_empty() {
        answer
    } else {
        answer.columns(&format!(
            "{:<17} {:<24} {:<8} PROCESS",
            "ORCHESTRATOR", "PLAN", "STATUS"
        ))
    })
}
