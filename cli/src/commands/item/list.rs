//! `trueup item list`: items by filter, and why a list is empty.

use clap::Args;
use serde_json::json;
use trueup_core::model::{ItemKey, ItemStatus, ORCHESTRATOR_KIND, RepoScope};
use trueup_core::repos::find_repo_name;
use trueup_core::store::{ItemFilter, Store};
use trueup_core::views::ItemView;

use super::lookup::load_item;
use super::render::item_table;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ItemCase, RepoCase};
use crate::number_argument::parse_whole_number;
use crate::output::Output;

/// How many items that are not shown are counted.
const MAX_COUNTED: u32 = 10_000;

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
    /// Only items with these statuses: queued, ready, running, blocked, completed, failed, cancelled
    #[arg(long, value_name = "S,…", value_delimiter = ',')]
    pub(crate) status: Vec<ItemStatus>,
    /// Only unfinished items
    #[arg(long, conflicts_with = "status")]
    pub(crate) unfinished: bool,
    /// Maximum number of items; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50, allow_negative_numbers = true, value_parser = parse_whole_number::<u32>)]
    pub(crate) limit: u32,
}

pub(super) fn cmd_list(context: &CommandContext, arguments: ItemListArgs) -> CommandResult {
    let statuses = if arguments.unfinished {
        let all = ItemStatus::ALL.into_iter();
        all.filter(|status| !status.is_finished()).collect()
    } else {
        arguments.status
    };
    let store = &mut *context.open_for_reading()?;
    if let Some(parent) = &arguments.parent {
        load_item(store, parent)?;
    }
    let scope = if let Some(repo) = arguments.repo {
        RepoScope::Only(resolve_repo_name(context, store, &repo)?)
    } else {
        let session = context.find_viewer_session(store)?;
        context.repo_scope(store, session.as_ref(), arguments.all_repos)?
    };
    let filter = ItemFilter {
        parent: arguments.parent,
        held: arguments.held,
        statuses,
        kind: arguments.kind,
        scope,
        // One more tells whether there are more.
        limit: if arguments.limit == 0 { 0 } else { arguments.limit.saturating_add(1) },
        page: None,
    };
    let mut items = store.list_items(&filter)?;
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let more = if limit > 0 && items.len() > limit {
        items.truncate(limit);
        let counted = store.count_items(&filter, MAX_COUNTED.saturating_add(arguments.limit))?;
        Some(counted.saturating_sub(u64::from(arguments.limit)))
    } else {
        None
    };
    let if_empty = match items.as_slice() {
        [] => {
            if let Some(kind) = &filter.kind {
                check_kind_exists(store, kind)?;
            }
            describe_empty_list(store, filter)?
        }
        _ => String::new(),
    };
    let views: Vec<_> = items.iter().map(ItemView::from).collect();
    let mut output = Output::table(
        item_table(&items),
        &if_empty,
        json!({"items": views, "more": more.unwrap_or(0)}),
    );
    output.text.extend(more.map(describe_more));
    Ok(output)
}

/// Says how many items are not shown, and how to see them. Counting stops somewhere.
fn describe_more(more: u64) -> String {
    let at_least = if more >= u64::from(MAX_COUNTED) { "at least " } else { "" };
    format!("{at_least}{more} more; `trueup item list --limit 0` shows all")
}

/// Describes why a list is empty: other repositories may have matching items.
fn describe_empty_list(store: &mut dyn Store, filter: ItemFilter) -> CommandResult<String> {
    let everywhere = ItemFilter { scope: RepoScope::All, ..filter };
    Ok(match store.count_items(&everywhere, 0)? {
        0 => "no items; add one with `trueup item add KEY`".to_owned(),
        others => format!("no items here; use --all-repos to see {others} in other repositories"),
    })
}

/// Checks that some item has this kind.
fn check_kind_exists(store: &mut dyn Store, kind: &str) -> CommandResult<()> {
    let of_items = store.list_item_kinds()?;
    let of_items = of_items.iter().map(String::as_str);
    let mut kinds: Vec<&str> = of_items.chain(["task", ORCHESTRATOR_KIND]).collect();
    if kinds.contains(&kind) {
        return Ok(());
    }
    kinds.sort_unstable();
    kinds.dedup();
    let message = format!("no item has kind {kind}");
    let kinds = kinds.join(", ").as_str().into();
    Err(CommandError::new(ItemCase::KindNotFound { kinds }, message))
}

/// Resolves a repository name, which may be that of an item, the one here or a registered one.
fn resolve_repo_name(
    context: &CommandContext,
    store: &mut dyn Store,
    name: &str,
) -> CommandResult<String> {
    let of_items = store.find_repo_of_items(name)?;
    let repo_here = find_repo_name(store, context.run.naming_context())?;
    let registered = store.list_repos()?;
    let registered = registered.iter().map(|repo| repo.slug.to_string());
    let mut known_names = of_items.into_iter().chain(repo_here).chain(registered);
    if let Some(known) = known_names.find(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(known);
    }
    let message = format!("repository {name} does not exist");
    Err(CommandError::new(RepoCase::RepoNotFound, message))
}
