//! `trueup item` and `trueup next`.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use trueup_core::model::{ItemKey, ItemStatus};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ItemCommand {
    /// Add an item
    ///
    /// Example: trueup item add SD-002C --title "Sync on start" --parent SD-002
    #[command(verbatim_doc_comment)]
    Add(ItemAddArgs),
    /// Edit an item's title, kind, parent or position
    ///
    /// Example: trueup item edit SD-002C --title "Sync on every start"
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
}

#[derive(Debug, Args)]
pub(crate) struct ItemAddArgs {
    /// Item key: letters, digits and . _ - : #
    pub(crate) key: ItemKey,
    /// Title
    #[arg(long, value_name = "T")]
    pub(crate) title: Option<String>,
    /// Parent item
    #[arg(long, value_name = "KEY")]
    pub(crate) parent: Option<ItemKey>,
    /// Kind, any word; `orchestrator` for an item that leads others [default: task]
    #[arg(long, value_name = "K")]
    pub(crate) kind: Option<String>,
    /// Position among its siblings [default: last]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) position: Option<i64>,
    /// Items that must be completed first
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) depends: Vec<ItemKey>,
    /// Require --evidence to complete it
    #[arg(long)]
    pub(crate) requires_evidence: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ItemListArgs {
    /// Only children of this item
    #[arg(long, value_name = "KEY")]
    pub(crate) parent: Option<ItemKey>,
    /// Only items of this repository [default: the current one, and items without one]
    #[arg(long, value_name = "SLUG", conflicts_with = "all_repos")]
    pub(crate) repo: Option<String>,
    /// Items of all repositories
    #[arg(long)]
    pub(crate) all_repos: bool,
    /// Only items of this kind
    #[arg(long, value_name = "K")]
    pub(crate) kind: Option<String>,
    /// Only held items
    #[arg(long)]
    pub(crate) held: bool,
    /// Only items with these statuses
    #[arg(long, value_name = "S,…", value_delimiter = ',')]
    pub(crate) status: Vec<ItemStatus>,
    /// Only unfinished items
    #[arg(long, conflicts_with = "status")]
    pub(crate) unfinished: bool,
}

#[derive(Debug, Args)]
#[group(id = "facts", required = true, multiple = true, args = ["title", "kind", "parent", "position"])]
pub(crate) struct ItemEditArgs {
    /// Item key
    pub(crate) key: ItemKey,
    /// Title
    #[arg(long, value_name = "T")]
    pub(crate) title: Option<String>,
    /// Kind, any word; `orchestrator` for an item that leads others
    #[arg(long, value_name = "K")]
    pub(crate) kind: Option<String>,
    /// Parent item
    #[arg(long, value_name = "KEY")]
    pub(crate) parent: Option<ItemKey>,
    /// Position among its siblings
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) position: Option<i64>,
}

#[derive(Debug, Args)]
pub(crate) struct ItemTransitionArgs {
    /// Item key
    pub(crate) key: ItemKey,
    /// New status, in any of its usual spellings
    pub(crate) status: ItemStatus,
    /// Reason; shown for blocked and failed items
    #[arg(long, value_name = "R")]
    pub(crate) reason: Option<String>,
    /// Proof of completion, such as a pull request or a test run
    #[arg(long, value_name = "REF")]
    pub(crate) evidence: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ItemDependArgs {
    /// Item key
    pub(crate) key: ItemKey,
    /// Items that must be completed first
    #[arg(long, value_name = "A,B", value_delimiter = ',', required = true)]
    pub(crate) on: Vec<ItemKey>,
    /// Remove these dependencies instead
    #[arg(long)]
    pub(crate) remove: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NextArgs {
    /// Only children of this item
    #[arg(long, value_name = "KEY")]
    pub(crate) parent: Option<ItemKey>,
    /// Claim it and release the held item in one step; refused if the held item is unfinished
    #[arg(long)]
    pub(crate) claim: bool,
    /// Give up the held item even if it is unfinished
    #[arg(long, requires = "claim")]
    pub(crate) give_up: bool,
    /// Look in all repositories, not just this one
    #[arg(long)]
    pub(crate) all_repos: bool,
}
