//! `trueup queue`

use serde_json::{Value, json};
use trueup_core::model::phase::{
    COOLDOWN_SECONDS, NewPhases, PhaseName, PhasePlanError, PhaseRefusal, PhaseStep, plan_phases,
};
use trueup_core::model::{ItemStatus, OrchestratorId, Phase, QueueId, Session};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{
    PhaseChange, PhaseChanges, PhaseFilter, PhaseStepOutcome, PhaseStepRequest, PhaseStore as _,
    Store as _,
};
use trueup_core::text::{one_line, pluralize};

use super::item::load_item;
use super::meta::check_phase_can_start;
use crate::args::{QueueAddArgs, QueueCommand};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase};
use crate::output::Output;
use crate::views;

/// Longest message in a list, in characters.
const MAX_MESSAGE_CHARS: usize = 100;

pub(super) fn cmd_queue(
    context: &CommandContext,
    command: QueueCommand,
) -> Result<Output, CommandError> {
    match command {
        QueueCommand::Add(arguments) => cmd_add(context, arguments),
        QueueCommand::List { item, status } => cmd_list(context, &PhaseFilter { item, status }),
        QueueCommand::Next => cmd_next(context),
        QueueCommand::Start { id } => cmd_start(context, id),
        QueueCommand::Complete { id, pr } => {
            cmd_step(context, id, PhaseStep::Complete { pr_number: pr })
        }
        QueueCommand::Fail { id, error } => cmd_step(context, id, PhaseStep::Fail { error }),
        QueueCommand::Block { id, reason } => cmd_step(context, id, PhaseStep::Block { reason }),
        QueueCommand::Reopen { id, reason } => cmd_step(context, id, PhaseStep::Reopen { reason }),
        QueueCommand::Cancel { id, reason } => cmd_step(context, id, PhaseStep::Cancel { reason }),
    }
}

fn cmd_add(context: &CommandContext, arguments: QueueAddArgs) -> Result<Output, CommandError> {
    let names = if arguments.phases.is_empty() {
        PhaseName::ALL.to_vec()
    } else {
        arguments.phases
    };
    let phases = plan_phases(&names, &arguments.depends)
        .map_err(|error| plan_error_to_command_error(&error))?;
    let item = arguments.item;
    let mut store = context.open_for_change()?;
    context.find_active_session(&mut store)?;
    let filter = PhaseFilter {
        item: Some(item.clone()),
        status: None,
    };
    let first = QueueId::for_phase(&item, 1);
    if context
        .find_replay(&mut store, "phase", Some(first.as_str()), &["added"])?
        .is_some()
    {
        return Ok(build_added_output(&store.list_phases(&filter)?));
    }
    if store.load_item(&item)?.is_none() {
        let case = ErrorCase::ItemToAddToNotFound {
            item: (&item).into(),
        };
        return Err(CommandError::new(
            case,
            format!("item {item} does not exist"),
        ));
    }
    let existing_phases = store.list_phases(&filter)?;
    if !existing_phases.is_empty() {
        let message = format!(
            "item {item} already has {}",
            pluralize(existing_phases.len(), "phase", "phases")
        );
        let case = ErrorCase::PhasesExist {
            item: (&item).into(),
        };
        return Err(CommandError::new(case, message)
            .with_data(json!({"rows": phase_views(&existing_phases)})));
    }
    let new_phases = NewPhases {
        item,
        phases,
        priority: arguments.priority,
        issue_number: arguments.issue,
        feature_id: arguments.parent_issue,
        adw_id: arguments.adw,
        data: arguments.data,
    };
    let provenance = context.provenance(&context.resolve_actor(&mut store)?, "queue add");
    Ok(build_added_output(
        &store.add_phases(&new_phases, &provenance)?,
    ))
}

fn build_added_output(phases: &[Phase]) -> Output {
    let text = phases
        .iter()
        .map(|row| format!("added {}", render_phase_line(row)));
    Output::new(text.collect(), json!({"rows": phase_views(phases)}))
}

fn plan_error_to_command_error(error: &PhasePlanError) -> CommandError {
    let message = format!("--depends: {error}");
    match error {
        PhasePlanError::Syntax(_) | PhasePlanError::DuplicateNumber(_) => {
            CommandError::usage("trueup queue add --help", message)
        }
        PhasePlanError::UnknownNumber(..) => {
            CommandError::new(ErrorCase::PhaseToDependOnNotFound, message)
        }
        PhasePlanError::Cycle(_) => CommandError::new(ErrorCase::PhaseCycle, message),
    }
}

fn cmd_list(context: &CommandContext, filter: &PhaseFilter) -> Result<Output, CommandError> {
    let mut store = context.open_for_reading()?;
    if let Some(item) = &filter.item {
        load_item(&mut store, item)?;
    }
    let phases = store.list_phases(filter)?;
    let mut text: Vec<String> = phases.iter().map(render_phase_line).collect();
    if text.is_empty() {
        text.push("no phases; add those of an item with `trueup queue add ITEM`".to_owned());
    }
    let output = Output::new(text, json!({"rows": phase_views(&phases)}));
    Ok(if phases.is_empty() {
        output
    } else {
        output.with_columns(&format!(
            "{:<24} {:<9} {:<10} {:>4}",
            "PHASE", "NAME", "STATUS", "PRIO"
        ))
    })
}

fn cmd_next(context: &CommandContext) -> Result<Output, CommandError> {
    let mut store = context.open_for_reading()?;
    let session = context.find_viewer_session(&mut store)?;
    let phase = store.find_next_phase(session.as_ref().map(|session| &session.id))?;
    let text = phase.as_ref().map_or_else(
        || "no ready phases; `trueup queue list` shows the waiting ones".to_owned(),
        render_phase_line,
    );
    let row = phase.as_ref().map(views::phase_view);
    Ok(Output::new(vec![text], json!({"row": row})))
}

/// Starts a phase; one of the item that the session holds is what the session is at from then
/// on, so its cache is kept in step.
fn cmd_start(context: &CommandContext, id: QueueId) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let session = match context.find_active_session(&mut store)? {
        Some(session) => Some(context.true_up_before_change(&mut store, session)?),
        None => None,
    };
    // Of a row that cannot start anyway, that is what is to be said.
    if let Some(row) = store
        .load_phase(&id)?
        .filter(|row| row.status == ItemStatus::Ready)
    {
        check_phase_can_start(context, &row)?;
    }
    let step = PhaseStep::Start {
        orchestrator: read_env_orchestrator(context)?,
    };
    let moved = take_step(context, &mut store, id, step, session.as_ref())?;
    let mut warnings = Vec::new();
    if let Some(session) = &session {
        context.true_up_after_change(&mut store, &session.id, &mut warnings)?;
    }
    Ok(Output {
        warnings,
        ..build_output(&moved)
    })
}

/// Reads which orchestrator runs this command.
fn read_env_orchestrator(context: &CommandContext) -> Result<Option<OrchestratorId>, CommandError> {
    const NAME: &str = "TRUEUP_ORCHESTRATOR_ID";
    let id = context.environment.strict_text(NAME);
    let id = id.map_err(|problem| CommandError::invalid_variable(NAME, &problem))?;
    let id = id.map(str::parse);
    id.transpose()
        .map_err(|error| CommandError::invalid_variable(NAME, &error))
}

fn cmd_step(
    context: &CommandContext,
    id: QueueId,
    step: PhaseStep,
) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let session = context.find_active_session(&mut store)?;
    let moved = take_step(context, &mut store, id, step, session.as_ref())?;
    Ok(build_output(&moved))
}

fn take_step(
    context: &CommandContext,
    store: &mut SqliteStore,
    id: QueueId,
    step: PhaseStep,
    session: Option<&Session>,
) -> Result<PhaseChanges, CommandError> {
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

/// Refuses an `--op-id` that was used for another step; the store answers one of this step.
fn check_replay_matches(
    context: &CommandContext,
    store: &mut SqliteStore,
    id: &QueueId,
    step: &PhaseStep,
) -> Result<(), CommandError> {
    let (kind, target) = match step {
        PhaseStep::Reopen { .. } => ("reopened", None),
        other => ("status", Some(other.target().as_str())),
    };
    match context.find_replay(store, "phase", Some(id.as_str()), &[kind])? {
        Some(event) if target.is_some_and(|target| event.after["status"] != target) => {
            let earlier = super::render_json_value(&event.after["status"]);
            Err(CommandError::operation_id_used(format!(
                "this operation id changed {id} to {earlier}"
            )))
        }
        _ => Ok(()),
    }
}

/// Says why, for the log.
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
    let affected: Vec<Value> = moved
        .affected
        .iter()
        .map(|one| views::phase_view(&one.phase))
        .collect();
    let data = json!({"row": views::phase_view(&moved.change.phase), "affected": affected});
    Output::new(text, data)
}

/// Says what changed, from what, to what.
pub(super) fn render_phase_move(phase_move: &PhaseChange) -> String {
    let Phase {
        id, name, status, ..
    } = &phase_move.phase;
    let reason = phase_move.phase.error_message.as_deref();
    let reason_text = reason.map_or(String::new(), |why| {
        format!(": {}", one_line(why, MAX_MESSAGE_CHARS))
    });
    format!(
        "{id} ({name}): {} -> {status}{reason_text}",
        phase_move.from
    )
}

fn render_phase_line(phase: &Phase) -> String {
    let dependencies: Vec<String> = phase.depends_on.iter().map(u32::to_string).collect();
    let waits = match (phase.status, dependencies.as_slice()) {
        (ItemStatus::Queued, [_, ..]) => format!("  after {}", dependencies.join(", ")),
        _ => String::new(),
    };
    let assignee = phase.assigned_to.as_ref();
    let assignee_text = assignee.map_or(String::new(), |session| format!("  by {session}"));
    let reason = phase.error_message.as_deref();
    let reason_text = reason.map_or(String::new(), |why| {
        format!("  {}", one_line(why, MAX_MESSAGE_CHARS))
    });
    format!(
        "{:<24} {:<9} {:<10} {:>4}{waits}{assignee_text}{reason_text}",
        phase.id.as_str(),
        phase.name,
        phase.status.as_str(),
        phase.priority
    )
}

fn phase_views(rows: &[Phase]) -> Vec<Value> {
    rows.iter().map(views::phase_view).collect()
}

fn build_refusal_error(
    id: &QueueId,
    refusal: &PhaseRefusal,
    phase: Option<&Phase>,
) -> CommandError {
    let row_data = json!({"row": phase.map(views::phase_view)});
    let case = refusal_case(id, refusal, phase);
    match refusal {
        PhaseRefusal::NotFound => CommandError::new(case, format!("phase {id} does not exist")),
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
        PhaseRefusal::Illegal {
            from,
            to,
            legal,
            reopens,
            waits_for,
        } => CommandError::new(
            case,
            describe_illegal_step(id, (*from, *to), legal, *reopens, waits_for),
        )
        .with_data(merge_objects(
            row_data,
            json!({"from": from, "to": to, "legal": legal}),
        )),
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

/// Tells what leads on from a refusal.
fn refusal_case(id: &QueueId, refusal: &PhaseRefusal, phase: Option<&Phase>) -> ErrorCase {
    let blocking_phase = phase.and_then(|row| row.blocked_by.as_ref());
    match (refusal, phase) {
        (PhaseRefusal::NotFound, _) | (_, None) => ErrorCase::PhaseNotFound,
        (PhaseRefusal::NotHolder { .. }, _) => ErrorCase::PhaseHeld,
        (PhaseRefusal::StaleEpoch { .. }, _) => ErrorCase::PhaseTakenOver,
        (PhaseRefusal::Blocked { by, .. }, _) => ErrorCase::PhaseBlocked { by: by.into() },
        (PhaseRefusal::RetryLimit(_), Some(row)) => ErrorCase::TooManyStarts {
            item: (&row.item).into(),
        },
        (PhaseRefusal::Illegal { legal, reopens, .. }, Some(row)) => match blocking_phase {
            Some(by) => ErrorCase::PhaseBlocked { by: by.into() },
            None if *reopens && legal.is_empty() => ErrorCase::PhaseOver { phase: id.into() },
            None => ErrorCase::IllegalStep {
                item: (&row.item).into(),
            },
        },
    }
}

/// Says why a step is illegal, and which are not.
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
    let back = reopens.then_some("reopened");
    let next_statuses: Vec<&str> = legal
        .iter()
        .map(|status| status.as_str())
        .chain(back)
        .collect();
    let ways = format!("; allowed: {}", next_statuses.join(", "));
    if from == to {
        format!("{id} is already {from}{ways}")
    } else {
        format!("{id} cannot go from {from} to {to}{waits}{ways}")
    }
}

fn merge_objects(mut data: Value, more: Value) -> Value {
    if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
        data.extend(more);
    }
    data
}
