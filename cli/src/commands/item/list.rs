//! `trueup item list`: items by filter, and why a list is empty.

use clap::Args;
use serde_json::json;
use trueup_core::model::{ItemKey, ItemStatus, ORCHESTRATOR_KIND, RepoScope};
use trueup_core::repos::find_repo_name;
use trueup_core::store::{ItemFilter, Store};
use trueup_core::views::ItemView;

use super::lookup::load_item;
use super::render::render_item_line;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ItemCase, RepoCase};
use crate::output::Output;

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
    if let Some(kind) = &arguments.kind {
        check_kind_exists(store, kind)?;
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
        page: None,
    };
    let items = store.list_items(&filter)?;
    let if_empty = match items.as_slice() {
        [] => describe_empty_list(store, filter)?,
        _ => String::new(),
    };
    let views: Vec<_> = items.iter().map(ItemView::from).collect();
    Ok(Output::table(
        &format!("{:<24} {:<10} {:<8}  HOLDER, TITLE", "KEY", "STATUS", "PHASE"),
        items.iter().map(render_item_line),
        &if_empty,
        json!({"items": views}),
    ))
}

/// Describes why a list is empty: other repositories may have matching items.
fn describe_empty_list(store: &mut dyn Store, filter: ItemFilter) -> CommandResult<String> {
    let all_items = store.list_items(&ItemFilter { scope: RepoScope::All, ..filter })?;
    Ok(match all_items.len() {
        0 => "no items; add one with `trueup item add KEY`".to_owned(),
        others => format!("no items here; use --all-repos to see {others} in other repositories"),
    })
}

/// Checks that some item has this kind.
fn check_kind_exists(store: &mut dyn Store, kind: &str) -> CommandResult<()> {
    let items = store.list_items(&ItemFilter::default())?;
    if ["task", ORCHESTRATOR_KIND].contains(&kind) || items.iter().any(|item| item.kind == kind) {
        return Ok(());
    }
    let of_items = items.iter().map(|item| item.kind.as_str());
    let mut kinds: Vec<&str> = of_items.chain(["task", ORCHESTRATOR_KIND]).collect();
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
    let registered = store.list_repos()?;
    let registered = registered.iter().map(|repo| repo.slug.to_string());
    let items = store.list_items(&ItemFilter::default())?;
    let of_items = items.into_iter().filter_map(|item| item.repo);
    let repo_here = find_repo_name(store, context.run.naming_context())?;
    let mut known_names = of_items.chain(repo_here).chain(registered);
    if let Some(known) = known_names.find(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(known);
    }
    let message = format!("repository {name} does not exist");
    Err(CommandError::new(RepoCase::RepoNotFound, message))
}
