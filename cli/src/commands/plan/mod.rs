//! `trueup plan`

mod import;
mod plan_file;
mod remove;
mod show;
mod step;
mod validate;
mod watch;

use std::borrow::Cow;

use trueup_core::model::{PlanId, PlanTaskStep};
use trueup_core::store::PlanStore as _;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::text::path_to_text;

pub(super) use show::render_failed_task;

use crate::args::{PlanCommand, PlanSelector};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase};
use crate::output::Output;

/// Most plans named in a hint.
const MAX_PLANS_NAMED: usize = 10;

pub(super) fn cmd_plan(
    context: &CommandContext,
    command: PlanCommand,
) -> Result<Output, CommandError> {
    match command {
        PlanCommand::Import { file } => import::cmd_import(context, &file),
        PlanCommand::Remove { plan } => remove::cmd_remove(context, &plan),
        PlanCommand::List => show::cmd_list(context),
        PlanCommand::Status { name, which } => {
            show::cmd_status(context, name.or(which.plan).as_deref())
        }
        PlanCommand::Next { count, which } => show::cmd_next(context, which.plan.as_deref(), count),
        PlanCommand::Start(task) => step::cmd_start(context, &task),
        PlanCommand::Complete(task) => step::cmd_step(context, &task, &PlanTaskStep::Complete),
        PlanCommand::Fail { task, error } => {
            let stuck = false;
            step::cmd_step(context, &task, &PlanTaskStep::Fail { error, stuck })
        }
        PlanCommand::Skip { task, reason } => {
            step::cmd_step(context, &task, &PlanTaskStep::Skip { reason })
        }
        PlanCommand::Retry(task) => step::cmd_step(context, &task, &PlanTaskStep::Retry),
        PlanCommand::Validate(arguments) => validate::cmd_validate(context, &arguments),
        PlanCommand::Export { name, which } => {
            show::cmd_export(context, name.or(which.plan).as_deref())
        }
        PlanCommand::Watch { name, which } => {
            watch::cmd_watch(context, name.or(which.plan).as_deref())
        }
    }
}

/// Returns the name or path of the plan that is meant, if one is: the one given, else the
/// environment's, whose path may be no UTF-8.
fn resolve_plan_name<'a>(
    context: &CommandContext,
    plan_name: Option<&'a str>,
) -> Option<Cow<'a, str>> {
    let of_environment = || {
        let path = context.environment.path("TRUEUP_PLAN")?;
        Some(Cow::Owned(path_to_text(&path)))
    };
    plan_name.map(Cow::Borrowed).or_else(of_environment)
}

/// Finds which plan is meant: the one named, the environment's, the only one.
fn resolve_plan(
    context: &CommandContext,
    store: &mut SqliteStore,
    plan_name: Option<&str>,
) -> Result<PlanId, CommandError> {
    if let Some(text) = resolve_plan_name(context, plan_name) {
        return find_plan_by_name(context, store, &text);
    }
    let mut plans = store.list_plan_ids()?;
    match plans.pop() {
        None => Err(CommandError::new(ErrorCase::NoPlans, "there are no plans")),
        Some(only) if plans.is_empty() => Ok(only),
        Some(last) => {
            plans.push(last);
            let text = format!(
                "there are {} plans: {}",
                plans.len(),
                render_plan_names(store)?
            );
            Err(CommandError::new(ErrorCase::SeveralPlans, text))
        }
    }
}

/// Finds a plan by its id or its file.
pub(super) fn find_plan_by_name(
    context: &CommandContext,
    store: &mut SqliteStore,
    plan_name: &str,
) -> Result<PlanId, CommandError> {
    if let Some(id) = find_plan_by_id(store, plan_name)? {
        return Ok(id);
    }
    if let Some(id) = find_plan_by_file(context, store, plan_name)? {
        return Ok(id);
    }
    Err(not_found_error(store, plan_name)?)
}

/// Says that there is no such plan, and which there are.
fn not_found_error(store: &mut SqliteStore, plan_name: &str) -> Result<CommandError, CommandError> {
    let known_names = render_plan_names(store)?;
    let case = if known_names.is_empty() {
        ErrorCase::PlanOfNoneNotFound
    } else {
        let plans = known_names.as_str().into();
        ErrorCase::PlanNotFound { plans }
    };
    Ok(CommandError::new(
        case,
        format!("plan {plan_name} does not exist"),
    ))
}

fn find_plan_by_id(
    store: &mut SqliteStore,
    plan_name: &str,
) -> Result<Option<PlanId>, CommandError> {
    let Ok(id) = plan_name.parse::<PlanId>() else {
        return Ok(None);
    };
    // Reading the plan itself would read all of its tasks.
    Ok(store
        .list_plan_ids()?
        .into_iter()
        .find(|known| *known == id))
}

fn find_plan_by_file(
    context: &CommandContext,
    store: &mut SqliteStore,
    plan_name: &str,
) -> Result<Option<PlanId>, CommandError> {
    for path in plan_file::candidate_paths(context, plan_name) {
        if let Some(id) = store.find_plan_by_path(&path)? {
            return Ok(Some(id));
        }
    }
    let other_plan = plan_file::find_plan_of_other_checkout(
        store,
        &plan_file::resolve_path(context, plan_name),
    )?;
    Ok(other_plan.map(|plan| plan.id))
}

/// Names the plans there are.
fn render_plan_names(store: &mut SqliteStore) -> Result<String, CommandError> {
    let plans = store.list_plan_ids()?;
    let mut names: Vec<&str> = plans.iter().map(PlanId::as_str).collect();
    let more = names.len().saturating_sub(MAX_PLANS_NAMED);
    names.truncate(MAX_PLANS_NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Ok(format!("{}{more}", names.join(", ")))
}

/// Finds the plan of a task, which may be named with it.
fn resolve_plan_of_task(
    context: &CommandContext,
    store: &mut SqliteStore,
    own_plan: Option<&PlanId>,
    which: &PlanSelector,
) -> Result<PlanId, CommandError> {
    let Some(own) = own_plan else {
        return resolve_plan(context, store, which.plan.as_deref());
    };
    let found = find_plan_by_name(context, store, own.as_str())?;
    match &which.plan {
        Some(other) if find_plan_by_name(context, store, other)? != found => {
            Err(CommandError::usage(
                "trueup plan --help",
                format!("the task belongs to {own}, but --plan is {other}"),
            ))
        }
        _ => Ok(found),
    }
}
