//! `trueup plan`

mod file;
mod import;
mod remove;
mod show;
mod step;
mod validate;
mod watch;

use std::borrow::Cow;

use trueup_core::files::path_to_text;
use trueup_core::model::{PlanId, PlanTaskStep};
use trueup_core::store::PlanStore as _;
use trueup_core::store::sqlite::SqliteStore;

pub(super) use show::failure;

use crate::args::{PlanCommand, Which};
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::report::Answer;

/// Most plans named in a hint.
const NAMED: usize = 10;

pub(super) fn run(desk: &Desk, command: PlanCommand) -> Result<Answer, Failure> {
    match command {
        PlanCommand::Import { file } => import::run(desk, &file),
        PlanCommand::Remove { plan } => remove::run(desk, &plan),
        PlanCommand::List => show::list(desk),
        PlanCommand::Status { name, which } => show::status(desk, name.or(which.plan).as_deref()),
        PlanCommand::Next { count, which } => show::next(desk, which.plan.as_deref(), count),
        PlanCommand::Start(task) => step::start(desk, &task),
        PlanCommand::Complete(task) => step::take(desk, &task, &PlanTaskStep::Complete),
        PlanCommand::Fail { task, error } => {
            let stuck = false;
            step::take(desk, &task, &PlanTaskStep::Fail { error, stuck })
        }
        PlanCommand::Skip { task, reason } => {
            step::take(desk, &task, &PlanTaskStep::Skip { reason })
        }
        PlanCommand::Retry(task) => step::take(desk, &task, &PlanTaskStep::Retry),
        PlanCommand::Validate(arguments) => validate::run(desk, &arguments),
        PlanCommand::Export { name, which } => show::export(desk, name.or(which.plan).as_deref()),
        PlanCommand::Watch { name, which } => watch::run(desk, name.or(which.plan).as_deref()),
    }
}

/// Returns the name or path of the plan that is meant, if one is: the one given, else the
/// environment's, whose path may be no UTF-8.
fn named_plan<'a>(desk: &Desk, named: Option<&'a str>) -> Option<Cow<'a, str>> {
    let of_environment = || {
        let path = desk.environment.path("TRUEUP_PLAN")?;
        Some(Cow::Owned(path_to_text(&path)))
    };
    named.map(Cow::Borrowed).or_else(of_environment)
}

/// Finds which plan is meant: the one named, the environment's, the only one.
fn find(desk: &Desk, store: &mut SqliteStore, named: Option<&str>) -> Result<PlanId, Failure> {
    if let Some(text) = named_plan(desk, named) {
        return by_name(desk, store, &text);
    }
    let mut plans = store.plan_ids()?;
    match plans.pop() {
        None => Err(Failure::new(ErrorCase::NoPlans, "there are no plans")),
        Some(only) if plans.is_empty() => Ok(only),
        Some(last) => {
            plans.push(last);
            let text = format!("there are {} plans: {}", plans.len(), names(store)?);
            Err(Failure::new(ErrorCase::SeveralPlans, text))
        }
    }
}

/// Finds a plan by its id or its file.
pub(super) fn by_name(desk: &Desk, store: &mut SqliteStore, text: &str) -> Result<PlanId, Failure> {
    if let Some(id) = by_id(store, text)? {
        return Ok(id);
    }
    if let Some(id) = by_file(desk, store, text)? {
        return Ok(id);
    }
    Err(not_found(store, text)?)
}

/// Says that there is no such plan, and which there are.
fn not_found(store: &mut SqliteStore, text: &str) -> Result<Failure, Failure> {
    let known = names(store)?;
    let case = if known.is_empty() {
        ErrorCase::PlanOfNoneNotFound
    } else {
        let plans = known.as_str().into();
        ErrorCase::PlanNotFound { plans }
    };
    Ok(Failure::new(case, format!("no plan named {text}")))
}

fn by_id(store: &mut SqliteStore, text: &str) -> Result<Option<PlanId>, Failure> {
    let Ok(id) = text.parse::<PlanId>() else {
        return Ok(None);
    };
    // Reading the plan itself would read all of its tasks.
    Ok(store.plan_ids()?.into_iter().find(|known| *known == id))
}

fn by_file(desk: &Desk, store: &mut SqliteStore, text: &str) -> Result<Option<PlanId>, Failure> {
    for path in file::plan_paths(desk, text) {
        if let Some(id) = store.plan_at(&path)? {
            return Ok(Some(id));
        }
    }
    let known = file::known_elsewhere(store, &file::real_path(desk, text))?;
    Ok(known.map(|plan| plan.id))
}

/// Names the plans there are.
fn names(store: &mut SqliteStore) -> Result<String, Failure> {
    let plans = store.plan_ids()?;
    let mut names: Vec<&str> = plans.iter().map(PlanId::as_str).collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Ok(format!("{}{more}", names.join(", ")))
}

/// Finds the plan of a task, which may be named with it.
fn plan_of(
    desk: &Desk,
    store: &mut SqliteStore,
    own: Option<&PlanId>,
    which: &Which,
) -> Result<PlanId, Failure> {
    let Some(own) = own else {
        return find(desk, store, which.plan.as_deref());
    };
    let found = by_name(desk, store, own.as_str())?;
    match &which.plan {
        Some(other) if by_name(desk, store, other)? != found => Err(Failure::usage(
            "trueup plan --help",
            format!("the task belongs to {own}, but --plan is {other}"),
        )),
        _ => Ok(found),
    }
}
