//! `trueup plan`: the subcommands on plans and their tasks.

mod import;
mod plan_file;
pub(super) mod plan_lookup;
pub(crate) mod plan_scope;
pub(crate) mod project_tasks;
mod remove;
mod reopen;
mod selectors;
mod show;
mod step;
mod task_lookup;
mod validate;
mod watch;

use std::path::PathBuf;

use clap::Subcommand;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use trueup_core::model::PlanTaskStep;
use trueup_core::plan::PlanFormat;

use self::selectors::{PlanSelector, TaskSelector};
use self::validate::PlanValidateArgs;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::number_argument::parse_count;
use crate::path_argument::path_text;

pub(super) use show::render_failed_task;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum PlanCommand {
    /// Import a plan from a Markdown file or a status.json
    ///
    /// Tasks are lines such as `- [ ] 1.2 Title (depends: 1.1)`, below a
    /// heading such as `## Phase 1: Name`. Checklists and the files of spec-kit,
    /// OpenSpec, Kiro and GSD are recognised too; --format decides where that is
    /// wrong. Importing again adds new tasks and updates titles and dependencies;
    /// a status never goes back. Lines that look like tasks but are not are listed.
    /// A task that depends on a missing task is imported but stays blocked, and the
    /// exit code is 1.
    ///
    /// Example: trueup plan import docs/plans/fix-sync.md
    #[command(verbatim_doc_comment)]
    Import {
        /// Plan file
        file: PathBuf,
        /// Read the file in this format; later imports of it do too
        #[arg(long, value_name = "F", value_parser = plan_format())]
        format: Option<PlanFormat>,
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
    /// List the plans of this repository and their progress
    ///
    /// Example: trueup plan list
    #[command(verbatim_doc_comment)]
    List {
        /// Plans of all repositories
        #[arg(long)]
        all_repos: bool,
    },
    /// Show a plan and its tasks
    ///
    /// Example: trueup plan status fix-sync
    #[command(verbatim_doc_comment)]
    Status {
        /// Plan, by id or file
        #[arg(value_name = "PLAN", conflicts_with = "plan", value_parser = path_text())]
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
        #[arg(value_name = "N", default_value_t = 5, allow_negative_numbers = true, value_parser = parse_count)]
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
        #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
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
    /// Reopen a task that was completed or skipped
    ///
    /// A task that failed is put back with `trueup plan retry`.
    ///
    /// Example: trueup plan reopen 1.2 --reason "the fix was wrong"
    #[command(verbatim_doc_comment)]
    Reopen {
        #[command(flatten)]
        task: TaskSelector,
        /// Reason, for the log
        #[arg(long, value_name = "R", value_parser = NonEmptyStringValueParser::new())]
        reason: String,
    },
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
        #[arg(value_name = "PLAN", conflicts_with = "plan", value_parser = path_text())]
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
        #[arg(value_name = "PLAN", conflicts_with = "plan", value_parser = path_text())]
        name: Option<String>,
        #[command(flatten)]
        which: PlanSelector,
    },
}

/// Parses the name of a format.
fn plan_format() -> impl TypedValueParser<Value = PlanFormat> {
    let names = PlanFormat::ALL.iter().map(|format| format.as_str());
    PossibleValuesParser::new(names).try_map(|name| name.parse::<PlanFormat>())
}

pub(super) fn cmd_plan(context: &CommandContext, command: PlanCommand) -> CommandResult {
    match command {
        PlanCommand::Import { file, format } => import::cmd_import(context, &file, format),
        PlanCommand::Remove { plan } => remove::cmd_remove(context, &plan),
        PlanCommand::List { all_repos } => show::cmd_list(context, all_repos),
        PlanCommand::Status { name, which } => show::cmd_status(context, &which.or_named(name)),
        PlanCommand::Next { count, which } => show::cmd_next(context, &which, count),
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
        PlanCommand::Reopen { task, reason } => reopen::cmd_reopen(context, &task, reason),
        PlanCommand::Validate(arguments) => validate::cmd_validate(context, &arguments),
        PlanCommand::Export { name, which } => show::cmd_export(context, &which.or_named(name)),
        PlanCommand::Watch { name, which } => watch::cmd_watch(context, &which.or_named(name)),
    }
}
