//! `trueup item`: the subcommands on work items, one module each.

mod add;
mod depend;
mod dependency_check;
mod edit;
mod import;
mod import_problem;
pub(super) mod import_source;
mod list;
pub(super) mod lookup;
pub(crate) mod removed_items;
pub(super) mod render;
mod replay;
mod show;
pub(crate) mod tracker_lock;
pub(crate) mod tracker_place;
mod transition;

use clap::Subcommand;
use clap::builder::NonEmptyStringValueParser;
use trueup_core::model::ItemKey;

use self::add::ItemAddArgs;
use self::depend::ItemDependArgs;
use self::edit::ItemEditArgs;
use self::import::ItemImportArgs;
use self::list::ItemListArgs;
use self::transition::ItemTransitionArgs;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ItemCommand {
    /// Add an item
    ///
    /// Example: trueup item add SD-002C --title "Sync on start" --parent SD-002
    #[command(verbatim_doc_comment)]
    Add(ItemAddArgs),
    /// Edit an item's title, kind, parent, position, priority or description
    ///
    /// Example: trueup item edit SD-002C --title "Sync on every start" --priority 1
    #[command(verbatim_doc_comment)]
    Edit(ItemEditArgs),
    /// Remove an item that nothing depends on; the log keeps its history
    ///
    /// Example: trueup item remove SD-002C
    #[command(verbatim_doc_comment)]
    Remove {
        /// Item key
        key: ItemKey,
        /// Reason, for the log
        #[arg(long, value_name = "R")]
        reason: Option<String>,
    },
    /// List items
    ///
    /// Example: trueup item list --parent SD-002 --unfinished
    #[command(verbatim_doc_comment)]
    List(ItemListArgs),
    /// Show an item, its dependencies and its latest events
    ///
    /// Example: trueup item show SD-002C
    #[command(verbatim_doc_comment)]
    Show {
        /// Item key
        key: ItemKey,
    },
    /// Change an item's status
    ///
    /// Statuses are queued, ready, running, blocked, completed, failed and cancelled.
    /// Only the holder can move a held item. A finished item is released, and items
    /// that depend on it become ready. To go back, use `trueup item reopen`.
    ///
    /// Example: trueup item transition SD-002B completed --evidence "PR 17, run 4711"
    #[command(verbatim_doc_comment)]
    Transition(ItemTransitionArgs),
    /// Reopen an item: ready if its dependencies are completed, else queued
    ///
    /// Example: trueup item reopen SD-002B --reason "the test was wrong"
    #[command(verbatim_doc_comment)]
    Reopen {
        /// Item key
        key: ItemKey,
        /// Reason, for the log
        #[arg(long, value_name = "R", value_parser = NonEmptyStringValueParser::new())]
        reason: String,
    },
    /// Add or remove an item's dependencies
    ///
    /// Example: trueup item depend SD-002C --on SD-002A,SD-002B
    #[command(verbatim_doc_comment)]
    Depend(ItemDependArgs),
    /// Import items from beads, task-master, Backlog.md, a task list or an export
    ///
    /// Each record becomes an item that sessions can claim. A second import takes over
    /// what changed in the file; it never turns a status back. Plans and checklists are
    /// imported with `trueup plan import`.
    ///
    /// Example: trueup item import .beads/issues.jsonl --dry-run
    #[command(verbatim_doc_comment)]
    Import(ItemImportArgs),
}

pub(super) fn cmd_item(context: &CommandContext, command: ItemCommand) -> CommandResult {
    match command {
        ItemCommand::Add(arguments) => add::cmd_add(context, arguments),
        ItemCommand::Edit(arguments) => context.with_full_id(&arguments.key, |key| {
            edit::cmd_edit(context, ItemEditArgs { key, ..arguments.clone() })
        }),
        ItemCommand::Remove { key, reason } => {
            context.with_full_id(&key, |key| edit::cmd_remove(context, &key, reason.as_deref()))
        }
        ItemCommand::List(arguments) => list::cmd_list(context, arguments),
        ItemCommand::Show { key } => {
            context.with_full_id(&key, |key| show::cmd_show(context, &key))
        }
        ItemCommand::Transition(arguments) => context.with_full_id(&arguments.key, |key| {
            let arguments = ItemTransitionArgs { key, ..arguments.clone() };
            transition::cmd_transition(context, arguments)
        }),
        ItemCommand::Reopen { key, reason } => {
            context.with_full_id(&key, |key| transition::cmd_reopen(context, key, reason.clone()))
        }
        ItemCommand::Depend(arguments) => context.with_full_id(&arguments.key, |key| {
            depend::cmd_depend(context, ItemDependArgs { key, ..arguments.clone() })
        }),
        ItemCommand::Import(arguments) => import::cmd_import(context, &arguments),
    }
}
