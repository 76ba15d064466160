//! Finding a plan by its id, its file or the environment.

use std::borrow::Cow;

use trueup_core::model::{PlanId, PlanState};
use trueup_core::store::Store;
use trueup_core::text::path_to_text;

use super::plan_file;
use super::selectors::PlanSelector;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, PlanCase};

/// Most plans named in a message.
const MAX_PLANS_NAMED: usize = 10;

/// Returns the name or path of the plan: the one given, or that of `$TRUEUP_PLAN`, whose path may
/// not be UTF-8.
pub(super) fn resolve_plan_name<'a>(
    context: &CommandContext,
    plan_name: Option<&'a str>,
) -> Option<Cow<'a, str>> {
    let of_environment = || {
        let path = context.environment.path("TRUEUP_PLAN")?;
        Some(Cow::Owned(path_to_text(&path)))
    };
    plan_name.map(Cow::Borrowed).or_else(of_environment)
}

/// Resolves the plan: the one named, that of the environment, or the only one.
pub(super) fn resolve_plan(
    context: &CommandContext,
    store: &mut dyn Store,
    plan_name: Option<&str>,
) -> CommandResult<PlanId> {
    if let Some(text) = resolve_plan_name(context, plan_name) {
        return find_plan_by_name(context, store, &text);
    }
    let mut plans = store.list_plan_ids()?;
    match plans.pop() {
        None => Err(CommandError::new(PlanCase::NoPlans, "there are no plans")),
        Some(only) if plans.is_empty() => Ok(only),
        Some(last) => {
            plans.push(last);
            let text = format!("there are {} plans: {}", plans.len(), render_plan_names(store)?);
            Err(CommandError::new(PlanCase::SeveralPlans, text))
        }
    }
}

/// Finds a plan by its id or its file.
pub(crate) fn find_plan_by_name(
    context: &CommandContext,
    store: &mut dyn Store,
    plan_name: &str,
) -> CommandResult<PlanId> {
    if let Some(id) = find_plan_by_id(store, plan_name)? {
        return Ok(id);
    }
    if let Some(id) = find_plan_by_file(context, store, plan_name)? {
        return Ok(id);
    }
    Err(not_found_error(store, plan_name)?)
}

/// Builds the error of an unknown plan, with the plans that exist.
fn not_found_error(store: &mut dyn Store, plan_name: &str) -> CommandResult<CommandError> {
    let known_names = render_plan_names(store)?;
    let case = if known_names.is_empty() {
        PlanCase::PlanOfNoneNotFound
    } else {
        let plans = known_names.as_str().into();
        PlanCase::PlanNotFound { plans }
    };
    Ok(CommandError::new(case, format!("plan {plan_name} does not exist")))
}

pub(super) fn find_plan_by_id(
    store: &mut dyn Store,
    plan_name: &str,
) -> CommandResult<Option<PlanId>> {
    let Ok(id) = plan_name.parse::<PlanId>() else {
        return Ok(None);
    };
    // Loading the plan itself would load all of its tasks.
    Ok(store.list_plan_ids()?.into_iter().find(|known| *known == id))
}

pub(super) fn find_plan_by_file(
    context: &CommandContext,
    store: &mut dyn Store,
    plan_name: &str,
) -> CommandResult<Option<PlanId>> {
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

/// Renders the ids of the plans.
fn render_plan_names(store: &mut dyn Store) -> CommandResult<String> {
    let plans = store.list_plan_ids()?;
    let mut names: Vec<&str> = plans.iter().map(PlanId::as_str).collect();
    let more = names.len().saturating_sub(MAX_PLANS_NAMED);
    names.truncate(MAX_PLANS_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Ok(format!("{}{more}", names.join(", ")))
}

/// Resolves the plan of a task, whose name may contain it.
pub(super) fn resolve_plan_of_task(
    context: &CommandContext,
    store: &mut dyn Store,
    own_plan: Option<&PlanId>,
    which: &PlanSelector,
) -> CommandResult<PlanId> {
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

/// Loads a plan whose id was resolved.
pub(super) fn load_plan_state(store: &mut dyn Store, id: &PlanId) -> CommandResult<PlanState> {
    match store.load_plan(id)? {
        Some(state) => Ok(state),
        None => Err(not_found_error(store, id.as_str())?),
    }
}
