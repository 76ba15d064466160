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
    Add(ItemAdd),
    /// Change what an item is about, or where it belongs
    ///
    /// Example: trueup item edit SD-002C --title "Sync on every start"
    #[command(verbatim_doc_comment)]
    Edit(ItemEditArgs),
    /// Remove an item that nothing needs; the log keeps what it was
    ///
    /// Example: trueup item remove SD-002C
    #[command(verbatim_doc_comment)]
    Remove {
        /// The item
        key: ItemKey,
        /// Why, for the log
        #[arg(long, value_name = "R")]
        reason: Option<String>,
    },
    /// List items
    ///
    /// Example: trueup item list --parent SD-002 --unfinished
    #[command(verbatim_doc_comment)]
    List(ItemList),
    /// Show an item, what it waits for, and its latest events
    ///
    /// Example: trueup item show SD-002C
    #[command(verbatim_doc_comment)]
    Show {
        /// The item
        key: ItemKey,
    },
    /// Move an item on: queued, ready, running, blocked, completed, failed, cancelled
    ///
    /// A held item is moved by its holder alone. What is finished is released, and what waited
    /// for it becomes ready. Back goes only `trueup item reopen`.
    ///
    /// Example: trueup item transition SD-002B completed --evidence "PR 17, run 4711"
    #[command(verbatim_doc_comment)]
    Transition(ItemTransition),
    /// Put an item back to the start: queued, or ready when all it depends on is completed
    ///
    /// Example: trueup item reopen SD-002B --reason "the test was wrong"
    #[command(verbatim_doc_comment)]
    Reopen {
        /// The item
        key: ItemKey,
        /// Why, for the log
        #[arg(long, value_name = "R", value_parser = NonEmptyStringValueParser::new())]
        reason: String,
    },
    /// Say what must be completed before an item
    ///
    /// Example: trueup item depend SD-002C --on SD-002A,SD-002B
    #[command(verbatim_doc_comment)]
    Depend(ItemDepend),
}

#[derive(Debug, Args)]
pub(crate) struct ItemAdd {
    /// The key: letters, digits and . _ - : #
    pub(crate) key: ItemKey,
    /// What it is about
    #[arg(long, value_name = "T")]
    pub(crate) title: Option<String>,
    /// The item it belongs to
    #[arg(long, value_name = "KEY")]
    pub(crate) parent: Option<ItemKey>,
    /// A word of your choice; `orchestrator` for one that leads others [default: task]
    #[arg(long, value_name = "K")]
    pub(crate) kind: Option<String>,
    /// The place among its siblings [default: behind the last]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) position: Option<i64>,
    /// What must be completed before it
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) depends: Vec<ItemKey>,
    /// Let it be completed with evidence only
    #[arg(long)]
    pub(crate) requires_evidence: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ItemList {
    /// Only children of this item
    #[arg(long, value_name = "KEY")]
    pub(crate) parent: Option<ItemKey>,
    /// Only items of this repository [default: this one, and items without one]
    #[arg(long, value_name = "SLUG", conflicts_with = "all_repos")]
    pub(crate) repo: Option<String>,
    /// Items of every repository
    #[arg(long)]
    pub(crate) all_repos: bool,
    /// Only items of this kind
    #[arg(long, value_name = "K")]
    pub(crate) kind: Option<String>,
    /// Only items that are held
    #[arg(long)]
    pub(crate) held: bool,
    /// Only items of these statuses
    #[arg(long, value_name = "S,…", value_delimiter = ',')]
    pub(crate) status: Vec<ItemStatus>,
    /// Only items that are not finished
    #[arg(long, conflicts_with = "status")]
    pub(crate) unfinished: bool,
}

#[derive(Debug, Args)]
#[group(id = "facts", required = true, multiple = true, args = ["title", "kind", "parent", "position"])]
pub(crate) struct ItemEditArgs {
    /// The item
    pub(crate) key: ItemKey,
    /// What it is about
    #[arg(long, value_name = "T")]
    pub(crate) title: Option<String>,
    /// A word of your choice; `orchestrator` for one that leads others
    #[arg(long, value_name = "K")]
    pub(crate) kind: Option<String>,
    /// The item it belongs to
    #[arg(long, value_name = "KEY")]
    pub(crate) parent: Option<ItemKey>,
    /// The place among its siblings
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) position: Option<i64>,
}

#[derive(Debug, Args)]
pub(crate) struct ItemTransition {
    /// The item
    pub(crate) key: ItemKey,
    /// The status, in any of its usual spellings
    pub(crate) status: ItemStatus,
    /// Why; shown with what is blocked or failed
    #[arg(long, value_name = "R")]
    pub(crate) reason: Option<String>,
    /// What proves completion, such as a pull request or a test run
    #[arg(long, value_name = "REF")]
    pub(crate) evidence: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ItemDepend {
    /// The item
    pub(crate) key: ItemKey,
    /// What must be completed before it
    #[arg(long, value_name = "A,B", value_delimiter = ',', required = true)]
    pub(crate) on: Vec<ItemKey>,
    /// Take these dependencies away instead
    #[arg(long)]
    pub(crate) remove: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NextArgs {
    /// Only among the children of this item
    #[arg(long, value_name = "KEY")]
    pub(crate) parent: Option<ItemKey>,
    /// Claim it, releasing the item held, in one step; unfinished work is kept
    #[arg(long)]
    pub(crate) claim: bool,
    /// Leave unfinished work for it
    #[arg(long, requires = "claim")]
    pub(crate) give_up: bool,
    /// Look in every repository, not in this one alone
    #[arg(long)]
    pub(crate) all_repos: bool,
}
