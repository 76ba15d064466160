//! `trueup plan`

mod import;
mod plan_file;
mod remove;
mod show;
mod step;
mod validate;
mod watch;

use std::borrow::Cow;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use trueup_core::model::{PlanId, PlanTaskStep};
use trueup_core::store::Store;
use trueup_core::text::path_to_text;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, PlanCase};
use crate::command_line::path_text;
use crate::commands::plan::step::TaskSelector;
use crate::commands::plan::validate::PlanValidateArgs;

pub(super) use show::render_failed_task;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum PlanCommand {
    /// Import a plan from a Markdown file or a status.json
    ///
    /// Tasks are lines such as `- [ ] 1.2 Title (depends: 1.1)`, below a
    /// heading such as `## Phase 1: Name`. Importing again adds new tasks and updates
    /// titles and dependencies; a status never goes back. Lines that look like tasks
    /// but are not are listed. A task that depends on a missing task is imported but
    /// stays blocked, and the exit code is 1.
    ///
    /// Example: trueup plan import docs/plans/fix-sync.md
    #[command(verbatim_doc_comment)]
    Import {
        /// Plan file
        file: PathBuf,
    },
    /// Remove a plan and its tasks from the database; the file is kept
    ///
    /// Example: trueup plan remove fix-sync
    #[command(verbatim_doc_comment)]
    Remove {
        /// Plan, by id or file
        #[arg(value_parser = path_text())]
        plan: String,
    },
    /// List plans and their progress
    ///
    /// Example: trueup plan list
    #[command(verbatim_doc_comment)]
    List,
    /// Show a plan and its tasks
    ///
    /// Example: trueup plan status fix-sync
    #[command(verbatim_doc_comment)]
    Status {
        /// Plan, by id or file
        #[arg(conflicts_with = "plan", value_parser = path_text())]
        name: Option<String>,
        #[command(flatten)]
        which: PlanSelector,
    },
    /// Show the next tasks: those in progress, then those that are ready
    ///
    /// Example: trueup plan next 3
    #[command(verbatim_doc_comment)]
    Next {
        /// Maximum number of tasks
        #[arg(value_name = "N", default_value_t = 5)]
        count: usize,
        #[command(flatten)]
        which: PlanSelector,
    },
    /// Start a task; refused if it is in progress elsewhere
    ///
    /// Example: trueup plan start 1.2
    #[command(verbatim_doc_comment)]
    Start(TaskSelector),
    /// Complete a task
    ///
    /// Example: trueup plan complete 1.2
    #[command(verbatim_doc_comment)]
    Complete(TaskSelector),
    /// Mark a task as failed
    ///
    /// Example: trueup plan fail 1.2 --error "tests fail"
    #[command(verbatim_doc_comment)]
    Fail {
        #[command(flatten)]
        task: TaskSelector,
        /// Error text
        #[arg(long, value_name = "E", value_parser = NonEmptyStringValueParser::new())]
        error: String,
    },
    /// Skip a task; tasks that depend on it no longer wait
    ///
    /// Example: trueup plan skip 1.2 --reason "done elsewhere"
    #[command(verbatim_doc_comment)]
    Skip {
        #[command(flatten)]
        task: TaskSelector,
        /// Reason
        #[arg(long, value_name = "R", value_parser = NonEmptyStringValueParser::new())]
        reason: String,
    },
    /// Retry a failed task, at most twice
    ///
    /// Example: trueup plan retry 1.2
    #[command(verbatim_doc_comment)]
    Retry(TaskSelector),
    /// Check a plan's file against its tasks and the database
    ///
    /// For a status.json the summary is recounted; for Markdown the checkboxes are
    /// compared with the database. Nothing is changed without --fix.
    ///
    /// Exit codes: 0 no findings or only warnings, 1 findings, 3 a file could not be
    /// read.
    ///
    /// Example: trueup plan validate docs/plans/status.json --fix
    #[command(verbatim_doc_comment)]
    Validate(PlanValidateArgs),
    /// Print a plan as a status.json; unknown keys are kept
    ///
    /// Example: trueup plan export fix-sync > status.json
    #[command(verbatim_doc_comment)]
    Export {
        /// Plan, by id or file
        #[arg(conflicts_with = "plan", value_parser = path_text())]
        name: Option<String>,
        #[command(flatten)]
        which: PlanSelector,
    },
    /// Print the plan whenever it changes; --json prints one object per line
    ///
    /// Example: trueup plan watch
    #[command(verbatim_doc_comment)]
    Watch {
        /// Plan, by id or file
        #[arg(conflicts_with = "plan", value_parser = path_text())]
        name: Option<String>,
        #[command(flatten)]
        which: PlanSelector,
    },
}

// Selects a plan. This is no doc comment because it would become the help text of the commands.
#[derive(Debug, Args)]
pub(crate) struct PlanSelector {
    /// Plan, by id or file [default: $TRUEUP_PLAN, or the only plan]
    #[arg(long, value_name = "PLAN", value_parser = path_text())]
    pub(crate) plan: Option<String>,
}

/// Most plans named in a message.
const MAX_PLANS_NAMED: usize = 10;

pub(super) fn cmd_plan(context: &CommandContext, command: PlanCommand) -> CommandResult {
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

/// Returns the name or path of the plan: the one given, or that of `$TRUEUP_PLAN`, whose path may
/// not be UTF-8.
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

/// Resolves the plan: the one named, that of the environment, or the only one.
fn resolve_plan(
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
pub(super) fn find_plan_by_name(
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

fn find_plan_by_id(store: &mut dyn Store, plan_name: &str) -> CommandResult<Option<PlanId>> {
    let Ok(id) = plan_name.parse::<PlanId>() else {
        return Ok(None);
    };
    // Loading the plan itself would load all of its tasks.
    Ok(store.list_plan_ids()?.into_iter().find(|known| *known == id))
}

fn find_plan_by_file(
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
fn resolve_plan_of_task(
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
