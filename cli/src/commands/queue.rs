//! `trueup queue`

use serde_json::{Value, json};
use trueup_core::model::phase::{
    COOLDOWN_SECONDS, NewPhases, PhaseName, PhaseRefusal, PhaseStep, PlanError, plan,
};
use trueup_core::model::{ItemStatus, OrchestratorId, Phase, QueueId, Session};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{
    PhaseFilter, PhaseMove, PhaseMoved, QueueStore as _, StepRequest, Stepped, Store as _,
};
use trueup_core::text::{counted, one_line};

use super::item::known;
use super::meta::may_start;
use crate::args::{QueueAdd, QueueCommand};
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::json;
use crate::report::Answer;

/// Longest message in a list, in characters.
const LONGEST: usize = 100;

pub(super) fn run(desk: &Desk, command: QueueCommand) -> Result<Answer, Failure> {
    match command {
        QueueCommand::Add(arguments) => add(desk, arguments),
        QueueCommand::List { item, status } => list(desk, &PhaseFilter { item, status }),
        QueueCommand::Next => next(desk),
        QueueCommand::Start { id } => start(desk, id),
        QueueCommand::Complete { id, pr } => step(desk, id, PhaseStep::Complete { pr_number: pr }),
        QueueCommand::Fail { id, error } => step(desk, id, PhaseStep::Fail { error }),
        QueueCommand::Block { id, reason } => step(desk, id, PhaseStep::Block { reason }),
        QueueCommand::Reopen { id, reason } => step(desk, id, PhaseStep::Reopen { reason }),
        QueueCommand::Cancel { id, reason } => step(desk, id, PhaseStep::Cancel { reason }),
    }
}

fn add(desk: &Desk, arguments: QueueAdd) -> Result<Answer, Failure> {
    let names = if arguments.phases.is_empty() {
        PhaseName::ALL.to_vec()
    } else {
        arguments.phases
    };
    let phases = plan(&names, &arguments.depends).map_err(|error| unplanned(&error))?;
    let item = arguments.item;
    let mut store = desk.open_for_change()?;
    desk.mover(&mut store)?;
    let filter = PhaseFilter {
        item: Some(item.clone()),
        status: None,
    };
    let first = QueueId::of(&item, 1);
    if desk
        .carried_out(&mut store, "phase", Some(first.as_str()), &["added"])?
        .is_some()
    {
        return Ok(added(&store.phases(&filter)?));
    }
    if store.item(&item)?.is_none() {
        let case = ErrorCase::ItemToAddToNotFound {
            item: (&item).into(),
        };
        return Err(Failure::new(case, format!("there is no item {item}")));
    }
    let present = store.phases(&filter)?;
    if !present.is_empty() {
        let message = format!(
            "item {item} already has {}",
            counted(present.len(), "phase", "phases")
        );
        let case = ErrorCase::PhasesExist {
            item: (&item).into(),
        };
        return Err(Failure::new(case, message).data(json!({"rows": rows(&present)})));
    }
    let new = NewPhases {
        item,
        phases,
        priority: arguments.priority,
        issue_number: arguments.issue,
        feature_id: arguments.parent_issue,
        adw_id: arguments.adw,
        data: arguments.data,
    };
    let provenance = desk.provenance(&desk.actor(&mut store)?, "queue add");
    Ok(added(&store.add_phases(&new, &provenance)?))
}

fn added(phases: &[Phase]) -> Answer {
    let text = phases.iter().map(|row| format!("added {}", line(row)));
    Answer::new(text.collect(), json!({"rows": rows(phases)}))
}

fn unplanned(error: &PlanError) -> Failure {
    let message = format!("--depends: {error}");
    match error {
        PlanError::Syntax(_) | PlanError::Twice(_) => {
            Failure::usage("trueup queue add --help", message)
        }
        PlanError::Missing(..) => Failure::new(ErrorCase::PhaseToDependOnNotFound, message),
        PlanError::Circle(_) => Failure::new(ErrorCase::PhaseCycle, message),
    }
}

fn list(desk: &Desk, filter: &PhaseFilter) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    if let Some(item) = &filter.item {
        known(&mut store, item)?;
    }
    let found = store.phases(filter)?;
    let mut text: Vec<String> = found.iter().map(line).collect();
    if text.is_empty() {
        text.push("no phases; add those of an item with `trueup queue add ITEM`".to_owned());
    }
    let answer = Answer::new(text, json!({"rows": rows(&found)}));
    Ok(if found.is_empty() {
        answer
    } else {
        answer.columns(&format!(
            "{:<24} {:<9} {:<10} {:>4}",
            "PHASE", "NAME", "STATUS", "PRIO"
        ))
    })
}

fn next(desk: &Desk) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    let session = desk.reader(&mut store)?;
    let found = store.next_phase(session.as_ref().map(|session| &session.id))?;
    let text = found.as_ref().map_or_else(
        || "no ready phases; `trueup queue list` shows the waiting ones".to_owned(),
        line,
    );
    let row = found.as_ref().map(json::row);
    Ok(Answer::new(vec![text], json!({"row": row})))
}

/// Starts a phase; one of the item that the session holds is what the session is at from then
/// on, so its cache is kept in step.
fn start(desk: &Desk, id: QueueId) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let session = match desk.mover(&mut store)? {
        Some(session) => Some(desk.before_change(&mut store, session)?),
        None => None,
    };
    // Of a row that cannot start anyway, that is what is to be said.
    if let Some(row) = store
        .phase(&id)?
        .filter(|row| row.status == ItemStatus::Ready)
    {
        may_start(desk, &row)?;
    }
    let step = PhaseStep::Start {
        orchestrator: orchestrator(desk)?,
    };
    let moved = take(desk, &mut store, id, step, session.as_ref())?;
    let mut warnings = Vec::new();
    if let Some(session) = &session {
        desk.after_change(&mut store, &session.id, &mut warnings)?;
    }
    Ok(Answer {
        warnings,
        ..answer(&moved)
    })
}

/// Reads which orchestrator runs this command.
fn orchestrator(desk: &Desk) -> Result<Option<OrchestratorId>, Failure> {
    const NAME: &str = "TRUEUP_ORCHESTRATOR_ID";
    let id = desk.environment.demand_text(NAME);
    let id = id.map_err(|problem| Failure::variable(NAME, &problem))?;
    let id = id.map(str::parse);
    id.transpose()
        .map_err(|error| Failure::variable(NAME, &error))
}

fn step(desk: &Desk, id: QueueId, step: PhaseStep) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let session = desk.mover(&mut store)?;
    let moved = take(desk, &mut store, id, step, session.as_ref())?;
    Ok(answer(&moved))
}

fn take(
    desk: &Desk,
    store: &mut SqliteStore,
    id: QueueId,
    step: PhaseStep,
    session: Option<&Session>,
) -> Result<PhaseMoved, Failure> {
    repeats_itself_alone(desk, store, &id, &step)?;
    let request = StepRequest {
        id,
        provenance: desk.provenance(&desk.actor(store)?, reason(&step)),
        step,
        mover: session.map(|session| session.id.clone()),
    };
    match store.step_phase(&request)? {
        Stepped::Moved(moved) => Ok(*moved),
        Stepped::Refused(refusal) => {
            let row = store.phase(&request.id)?;
            Err(refused(&request.id, &refusal, row.as_ref()))
        }
    }
}

/// Refuses an `--op-id` that was used for another step; the store answers one of this step.
fn repeats_itself_alone(
    desk: &Desk,
    store: &mut SqliteStore,
    id: &QueueId,
    step: &PhaseStep,
) -> Result<(), Failure> {
    let (kind, target) = match step {
        PhaseStep::Reopen { .. } => ("reopened", None),
        other => ("status", Some(other.target().as_str())),
    };
    match desk.carried_out(store, "phase", Some(id.as_str()), &[kind])? {
        Some(event) if target.is_some_and(|target| event.after["status"] != target) => {
            let earlier = super::plain(&event.after["status"]);
            Err(Failure::op_id_used(format!(
                "this operation id changed {id} to {earlier}"
            )))
        }
        _ => Ok(()),
    }
}

/// Says why, for the log.
fn reason(step: &PhaseStep) -> &str {
    match step {
        PhaseStep::Start { .. } => "queue start",
        PhaseStep::Complete { .. } => "queue complete",
        PhaseStep::Fail { error } => error,
        PhaseStep::Block { reason }
        | PhaseStep::Reopen { reason }
        | PhaseStep::Cancel { reason } => reason,
    }
}

fn answer(moved: &PhaseMoved) -> Answer {
    let all = std::iter::once(&moved.row).chain(&moved.affected);
    let text = all.map(change).collect();
    let affected: Vec<Value> = moved
        .affected
        .iter()
        .map(|one| json::row(&one.phase))
        .collect();
    let data = json!({"row": json::row(&moved.row.phase), "affected": affected});
    Answer::new(text, data)
}

/// Says what changed, from what, to what.
pub(super) fn change(one: &PhaseMove) -> String {
    let Phase {
        id, name, status, ..
    } = &one.phase;
    let why = one.phase.error_message.as_deref();
    let why = why.map_or(String::new(), |why| format!(": {}", one_line(why, LONGEST)));
    format!("{id} ({name}): {} -> {status}{why}", one.from)
}

fn line(row: &Phase) -> String {
    let waits: Vec<String> = row.depends_on.iter().map(u32::to_string).collect();
    let waits = match (row.status, waits.as_slice()) {
        (ItemStatus::Queued, [_, ..]) => format!("  after {}", waits.join(", ")),
        _ => String::new(),
    };
    let who = row.assigned_to.as_ref();
    let who = who.map_or(String::new(), |session| format!("  by {session}"));
    let why = row.error_message.as_deref();
    let why = why.map_or(String::new(), |why| format!("  {}", one_line(why, LONGEST)));
    format!(
        "{:<24} {:<9} {:<10} {:>4}{waits}{who}{why}",
        row.id.as_str(),
        row.name,
        row.status.as_str(),
        row.priority
    )
}

fn rows(rows: &[Phase]) -> Vec<Value> {
    rows.iter().map(json::row).collect()
}

fn refused(id: &QueueId, refusal: &PhaseRefusal, row: Option<&Phase>) -> Failure {
    let known = json!({"row": row.map(json::row)});
    let case = case(id, refusal, row);
    match refusal {
        PhaseRefusal::NotFound => Failure::new(case, format!("there is no phase {id}")),
        PhaseRefusal::NotHolder { holder } => Failure::new(
            case,
            format!("the item of {id} is held by {holder}; only the holder can move its phases"),
        )
        .data(with(known, json!({"holder": holder}))),
        PhaseRefusal::StaleEpoch { holder } => Failure::new(
            case,
            format!("the item of {id} was taken over by {holder} since this session started it"),
        )
        .data(with(known, json!({"holder": holder}))),
        PhaseRefusal::Illegal {
            from,
            to,
            legal,
            reopens,
            waits_for,
        } => Failure::new(case, illegal(id, (*from, *to), legal, *reopens, waits_for))
            .data(with(known, json!({"from": from, "to": to, "legal": legal}))),
        PhaseRefusal::Blocked { from, by, message } => Failure::new(
            case,
            format!(
                "{id} would be blocked again immediately: {}",
                one_line(message, LONGEST)
            ),
        )
        .data(with(
            known,
            json!({"from": from, "to": ItemStatus::Queued, "legal": [], "blocked_by": by}),
        )),
        PhaseRefusal::RetryLimit(limit) => Failure::new(
            case,
            format!(
                "{id} was started {} times since {}, the limit for {} min; try again after {}",
                limit.starts,
                limit.since,
                COOLDOWN_SECONDS / 60,
                limit.until
            ),
        )
        .data(with(
            known,
            json!({"starts": limit.starts, "since": limit.since, "until": limit.until}),
        )),
    }
}

/// Tells what leads on from a refusal.
fn case(id: &QueueId, refusal: &PhaseRefusal, row: Option<&Phase>) -> ErrorCase {
    let blocker = row.and_then(|row| row.blocked_by.as_ref());
    match (refusal, row) {
        (PhaseRefusal::NotFound, _) | (_, None) => ErrorCase::PhaseNotFound,
        (PhaseRefusal::NotHolder { .. }, _) => ErrorCase::PhaseHeld,
        (PhaseRefusal::StaleEpoch { .. }, _) => ErrorCase::PhaseTakenOver,
        (PhaseRefusal::Blocked { by, .. }, _) => ErrorCase::PhaseBlocked { by: by.into() },
        (PhaseRefusal::RetryLimit(_), Some(row)) => ErrorCase::TooManyStarts {
            item: (&row.item).into(),
        },
        (PhaseRefusal::Illegal { legal, reopens, .. }, Some(row)) => match blocker {
            Some(by) => ErrorCase::PhaseBlocked { by: by.into() },
            None if *reopens && legal.is_empty() => ErrorCase::PhaseOver { phase: id.into() },
            None => ErrorCase::IllegalStep {
                item: (&row.item).into(),
            },
        },
    }
}

/// Says why a step is illegal, and which are not.
fn illegal(
    id: &QueueId,
    (from, to): (ItemStatus, ItemStatus),
    legal: &[ItemStatus],
    reopens: bool,
    waits_for: &[String],
) -> String {
    let waits = if waits_for.is_empty() || to != ItemStatus::Running {
        String::new()
    } else {
        format!("; it waits for {}", waits_for.join(" and "))
    };
    let back = reopens.then_some("reopened");
    let ways: Vec<&str> = legal
        .iter()
        .map(|status| status.as_str())
        .chain(back)
        .collect();
    let ways = format!("; allowed: {}", ways.join(", "));
    if from == to {
        format!("{id} is already {from}{ways}")
    } else {
        format!("{id} cannot go from {from} to {to}{waits}{ways}")
    }
}

fn with(mut data: Value, more: Value) -> Value {
    if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
        data.extend(more);
    }
    data
}
