//! Finding a plan by its id, its file or the environment.

use std::borrow::Cow;

use trueup_core::model::{PlanId, PlanState};
use trueup_core::store::Store;
use trueup_core::text::{CommandLine, path_to_text, pluralize};

use super::plan_file;
use super::plan_scope::PlanScope;
use super::selectors::PlanSelector;
use crate::command_context::{CommandContext, find_by_prefix};
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

/// Resolves the plan: the one named, that of the environment, or the only one of the repository.
pub(super) fn resolve_plan(
    context: &CommandContext,
    store: &mut dyn Store,
    which: &PlanSelector,
) -> CommandResult<PlanId> {
    if let Some(text) = resolve_plan_name(context, which.plan.as_deref()) {
        return find_plan_by_name(context, store, &text);
    }
    let scope = PlanScope::find(context, which.all_repos);
    let (mut here, mut elsewhere) = (Vec::new(), 0);
    for listed in store.list_plans()? {
        if scope.includes(&listed.plan) {
            here.push(listed.plan.id);
        } else {
            elsewhere += 1;
        }
    }
    match here.as_slice() {
        [] => Err(CommandError::new(PlanCase::NoPlans, describe_no_plans(elsewhere))),
        [only] => Ok(only.clone()),
        several => {
            let names = join_plan_names(several);
            let text = format!("there are {} plans: {names}", several.len());
            Err(CommandError::new(PlanCase::SeveralPlans, text))
        }
    }
}

fn describe_no_plans(elsewhere: usize) -> String {
    if elsewhere == 0 {
        return "there are no plans".to_owned();
    }
    let plans = pluralize(elsewhere, "plan", "plans");
    format!("there are no plans here; --all-repos looks at {plans} of other repositories")
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
    if let Some(id) = find_plan_by_prefix(context, store, plan_name)? {
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

/// Finds the only plan of this repository that begins so.
fn find_plan_by_prefix(
    context: &CommandContext,
    store: &mut dyn Store,
    plan_name: &str,
) -> CommandResult<Option<PlanId>> {
    let scope = PlanScope::find(context, false);
    let plans = store.list_plans()?.into_iter().map(|listed| listed.plan);
    let plans: Vec<PlanId> =
        plans.filter(|plan| scope.includes(plan)).map(|plan| plan.id).collect();
    let list = CommandLine::new("trueup plan list");
    let begins_so = |prefix: &str, id: &str| !prefix.is_empty() && id.starts_with(prefix);
    let found = find_by_prefix(plan_name, plans.iter().map(PlanId::as_str), begins_so, list)?;
    Ok(found.and_then(|found| found.parse().ok()))
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
    Ok(join_plan_names(&store.list_plan_ids()?))
}

fn join_plan_names(plans: &[PlanId]) -> String {
    let mut names: Vec<&str> = plans.iter().map(PlanId::as_str).collect();
    let more = names.len().saturating_sub(MAX_PLANS_NAMED);
    names.truncate(MAX_PLANS_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// Resolves the plan of a task, whose name may contain it.
pub(super) fn resolve_plan_of_task(
    context: &CommandContext,
    store: &mut dyn Store,
    own_plan: Option<&PlanId>,
    which: &PlanSelector,
) -> CommandResult<PlanId> {
    let Some(own) = own_plan else {
        return resolve_plan(context, store, which);
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
