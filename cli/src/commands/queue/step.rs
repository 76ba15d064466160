//! Steps of phases: `trueup queue start`, `complete`, `fail`, `block`, `reopen` and `cancel`

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ItemCase, PhaseCase};
use crate::commands::meta::check_phase_can_start;
use crate::commands::value_text::render_json_value;
use crate::output::Output;
use serde_json::{Value, json};
use trueup_core::model::phase::{COOLDOWN_SECONDS, PhaseRefusal, PhaseStep};
use trueup_core::model::{EventKind, ItemStatus, Phase, QueueId, Session};
use trueup_core::store::{PhaseChanges, PhaseStepOutcome, PhaseStepRequest, Store};
use trueup_core::text::one_line;
use trueup_core::views::PhaseView;

use super::render::{MAX_MESSAGE_CHARS, render_phase_move};

/// Starts a phase. If its item is held by the session, it becomes the current phase of the session,
/// so the cache is trued up.
pub(super) fn cmd_start(context: &CommandContext, id: QueueId) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let session = context.begin_change_by_anyone(store)?;
    // A phase that is not ready is refused by the store with a better reason.
    if let Some(row) = store.load_phase(&id)?.filter(|row| row.status == ItemStatus::Ready) {
        check_phase_can_start(context, &row)?;
    }
    let step = PhaseStep::Start { orchestrator: context.read_env_orchestrator()? };
    let moved = take_step(context, store, id, step, session.as_ref())?;
    let mut warnings = Vec::new();
    if let Some(session) = &session {
        context.true_up_after_change(store, &session.id, &mut warnings)?;
    }
    Ok(Output { warnings, ..build_output(&moved) })
}

pub(super) fn cmd_step(context: &CommandContext, id: QueueId, step: PhaseStep) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let session = context.find_active_session(store)?;
    let moved = take_step(context, store, id, step, session.as_ref())?;
    Ok(build_output(&moved))
}

fn take_step(
    context: &CommandContext,
    store: &mut dyn Store,
    id: QueueId,
    step: PhaseStep,
    session: Option<&Session>,
) -> CommandResult<PhaseChanges> {
    check_replay_matches(context, store, &id, &step)?;
    let request = PhaseStepRequest {
        id,
        provenance: context.provenance(&context.resolve_actor(store)?, step_reason(&step)),
        step,
        mover: session.map(|session| session.id.clone()),
    };
    match store.apply_phase_step(&request)? {
        PhaseStepOutcome::Applied(moved) => Ok(*moved),
        PhaseStepOutcome::Refused(refusal) => {
            let phase = store.load_phase(&request.id)?;
            Err(build_refusal_error(&request.id, &refusal, phase.as_ref()))
        }
    }
}

/// Refuses an `--op-id` of another step. The store itself repeats the answer of this step.
fn check_replay_matches(
    context: &CommandContext,
    store: &mut dyn Store,
    id: &QueueId,
    step: &PhaseStep,
) -> CommandResult<()> {
    let (kind, target) = match step {
        PhaseStep::Reopen { .. } => (EventKind::Reopened, None),
        other => (EventKind::Status, Some(other.target().as_str())),
    };
    match context.find_replay(store, "phase", Some(id.as_str()), &[kind])? {
        Some(event) if target.is_some_and(|target| event.after["status"] != target) => {
            let earlier = render_json_value(&event.after["status"]);
            Err(CommandError::operation_id_used(format!(
                "this operation id changed {id} to {earlier}"
            )))
        }
        _ => Ok(()),
    }
}

/// Returns the reason that is recorded in the log.
fn step_reason(step: &PhaseStep) -> &str {
    match step {
        PhaseStep::Start { .. } => "queue start",
        PhaseStep::Complete { .. } => "queue complete",
        PhaseStep::Fail { error } => error,
        PhaseStep::Block { reason }
        | PhaseStep::Reopen { reason }
        | PhaseStep::Cancel { reason } => reason,
    }
}

fn build_output(moved: &PhaseChanges) -> Output {
    let all = std::iter::once(&moved.change).chain(&moved.affected);
    let text = all.map(render_phase_move).collect();
    let affected: Vec<_> = moved.affected.iter().map(|one| PhaseView::from(&one.phase)).collect();
    let data = json!({"row": PhaseView::from(&moved.change.phase), "affected": affected});
    Output::new(text, data)
}

pub(super) fn build_refusal_error(
    id: &QueueId,
    refusal: &PhaseRefusal,
    phase: Option<&Phase>,
) -> CommandError {
    let row_data = json!({"row": phase.map(PhaseView::from)});
    if let (PhaseRefusal::ItemFinished { status }, Some(row)) = (refusal, phase) {
        let item = (&row.item).into();
        let text = format!("{id} cannot start: {} is {status}", row.item);
        return CommandError::new(ItemCase::ItemFinished { item }, text).with_data(row_data);
    }
    let case = refusal_case(id, refusal, phase);
    match refusal {
        PhaseRefusal::NotFound
        | PhaseRefusal::ItemFinished { .. }
        // Only a removal is refused for these.
        | PhaseRefusal::Running { .. }
        | PhaseRefusal::DependedOn { .. } => {
            CommandError::new(case, format!("phase {id} does not exist"))
        }
        PhaseRefusal::NotHolder { holder } => CommandError::new(
            case,
            format!("the item of {id} is held by {holder}; only the holder can move its phases"),
        )
        .with_data(merge_objects(row_data, json!({"holder": holder}))),
        PhaseRefusal::StaleEpoch { holder } => CommandError::new(
            case,
            format!("the item of {id} was taken over by {holder} since this session started it"),
        )
        .with_data(merge_objects(row_data, json!({"holder": holder}))),
        PhaseRefusal::Illegal { from, to, legal, reopens, waits_for } => CommandError::new(
            case,
            describe_illegal_step(id, (*from, *to), legal, *reopens, waits_for),
        )
        .with_data(merge_objects(row_data, json!({"from": from, "to": to, "legal": legal}))),
        PhaseRefusal::Blocked { from, by, message } => CommandError::new(
            case,
            format!(
                "{id} would be blocked again immediately: {}",
                one_line(message, MAX_MESSAGE_CHARS)
            ),
        )
        .with_data(merge_objects(
            row_data,
            json!({"from": from, "to": ItemStatus::Queued, "legal": [], "blocked_by": by}),
        )),
        PhaseRefusal::RetryLimit(limit) => CommandError::new(
            case,
            format!(
                "{id} was started {} times since {}, the limit for {} min; try again after {}",
                limit.starts,
                limit.since,
                COOLDOWN_SECONDS / 60,
                limit.until
            ),
        )
        .with_data(merge_objects(
            row_data,
            json!({"starts": limit.starts, "since": limit.since, "until": limit.until}),
        )),
    }
}

/// Returns the error case of a refusal.
fn refusal_case(id: &QueueId, refusal: &PhaseRefusal, phase: Option<&Phase>) -> PhaseCase {
    let blocking_phase = phase.and_then(|row| row.blocked_by.as_ref());
    match (refusal, phase) {
        (
            PhaseRefusal::NotFound
            | PhaseRefusal::ItemFinished { .. }
            | PhaseRefusal::Running { .. }
            | PhaseRefusal::DependedOn { .. },
            _,
        )
        | (_, None) => PhaseCase::PhaseNotFound,
        (PhaseRefusal::NotHolder { .. }, _) => PhaseCase::PhaseHeld,
        (PhaseRefusal::StaleEpoch { .. }, _) => PhaseCase::PhaseTakenOver,
        (PhaseRefusal::Blocked { by, .. }, _) => PhaseCase::PhaseBlocked { by: by.into() },
        (PhaseRefusal::RetryLimit(_), Some(row)) => {
            PhaseCase::TooManyStarts { item: (&row.item).into() }
        }
        (PhaseRefusal::Illegal { legal, reopens, .. }, Some(row)) => match blocking_phase {
            Some(by) => PhaseCase::PhaseBlocked { by: by.into() },
            None if *reopens && legal.is_empty() => PhaseCase::PhaseOver { phase: id.into() },
            None => PhaseCase::IllegalStep { item: (&row.item).into() },
        },
    }
}

/// Describes why a step is illegal, and the legal ones.
fn describe_illegal_step(
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
    let next_statuses: Vec<&str> = legal.iter().map(|status| status.as_str()).collect();
    let allowed = match next_statuses.as_slice() {
        [] => String::new(),
        statuses => format!("; allowed: {}", statuses.join(", ")),
    };
    let reopen = if reopens { "; `trueup queue reopen` reopens it" } else { "" };
    if from == to {
        format!("{id} is already {from}{allowed}{reopen}")
    } else {
        format!("{id} is {from} and cannot become {to}{waits}{allowed}{reopen}")
    }
}

fn merge_objects(mut data: Value, more: Value) -> Value {
    if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
        data.extend(more);
    }
    data
}
