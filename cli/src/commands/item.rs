//! `trueup item`

mod depend;
mod edit;
mod transition;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ItemCase, RepoCase};
use crate::commands::item::depend::ItemDependArgs;
use crate::commands::item::edit::ItemEditArgs;
use crate::commands::item::transition::ItemTransitionArgs;
use crate::output::Output;
use crate::views;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use serde_json::json;
use trueup_core::model::{
    EventFilter, EventKind, Item, ItemKey, ItemStatus, NewItem, ORCHESTRATOR_KIND, RepoScope,
};
use trueup_core::repos::{assign_repo_name, find_repo_name};
use trueup_core::store::{ItemFilter, Store};
use trueup_core::text::one_line;

use super::or_none;

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

/// Longest title in a list, in characters.
const MAX_TITLE_CHARS: usize = 80;

/// Most events shown with an item.
const MAX_EVENTS_SHOWN: u32 = 20;

pub(super) fn cmd_item(context: &CommandContext, command: ItemCommand) -> CommandResult {
    match command {
        ItemCommand::Add(arguments) => cmd_add(context, arguments),
        ItemCommand::Edit(arguments) => edit::cmd_edit(context, arguments),
        ItemCommand::Remove { key, reason } => edit::cmd_remove(context, &key, reason.as_deref()),
        ItemCommand::List(arguments) => cmd_list(context, arguments),
        ItemCommand::Show { key } => cmd_show(context, &key),
        ItemCommand::Transition(arguments) => transition::cmd_transition(context, arguments),
        ItemCommand::Reopen { key, reason } => transition::cmd_reopen(context, key, reason),
        ItemCommand::Depend(arguments) => depend::cmd_depend(context, arguments),
    }
}

fn cmd_list(context: &CommandContext, arguments: ItemListArgs) -> CommandResult {
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
    };
    let items = store.list_items(&filter)?;
    let if_empty = match items.as_slice() {
        [] => describe_empty_list(store, filter)?,
        _ => String::new(),
    };
    let views: Vec<_> = items.iter().map(views::item_view).collect();
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
    let repo_here = find_repo_name(store, context.run.named_place())?;
    let mut known_names = of_items.chain(repo_here).chain(registered);
    if let Some(known) = known_names.find(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(known);
    }
    let message = format!("repository {name} does not exist");
    Err(CommandError::new(RepoCase::RepoNotFound, message))
}

fn cmd_show(context: &CommandContext, key: &ItemKey) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let item = load_item(store, key)?;
    let events = store.list_events(&EventFilter {
        item: Some(key.to_string()),
        limit: MAX_EVENTS_SHOWN,
        ..EventFilter::default()
    })?;
    let mut text = vec![render_item_line(&item)];
    text.extend(render_item_details(store, &item)?);
    text.extend(events.iter().map(super::log::render_event));
    let events: Vec<_> = events.iter().map(views::event_view).collect();
    Ok(Output::new(text, json!({"item": views::item_view(&item), "events": events})))
}

/// Renders further details of an item, where there are any.
fn render_item_details(store: &mut dyn Store, item: &Item) -> CommandResult<Vec<String>> {
    let mut text = Vec::new();
    if let Some(parent) = &item.parent {
        let position = item.position.map_or_else(|| "none".to_owned(), |p| p.to_string());
        text.push(format!("  belongs to {parent}, position {position}"));
    }
    let children = store.count_children(&item.key)?;
    if children.total > 0 {
        let (all, unfinished) = (children.total, children.unfinished);
        text.push(format!("  children: {all}, {unfinished} unfinished"));
    }
    if !item.depends_on.is_empty() {
        text.push(format!("  depends on {}", join_keys(&item.depends_on)));
    }
    if item.open_dependencies > 0 {
        let open_dependencies = store.list_open_dependencies(&item.key)?;
        text.push(format!("  waits for {}", join_keys_with_status(&open_dependencies)));
    }
    if let Some(error) = &item.error_message {
        text.push(format!("  {}: {}", item.status, one_line(error, MAX_TITLE_CHARS)));
    }
    match &item.evidence {
        Some(evidence) => text.push(format!("  evidence: {}", one_line(evidence, MAX_TITLE_CHARS))),
        None if item.requires_evidence => {
            text.push("  needs --evidence to be completed".to_owned());
        }
        None => {}
    }
    Ok(text)
}

fn cmd_add(context: &CommandContext, arguments: ItemAddArgs) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let actor = context.resolve_actor(store)?;
    let key = arguments.key.clone();
    if context.find_replay(store, "item", Some(key.as_str()), &[EventKind::Added])?.is_some() {
        let item = store.load_item(&key)?.ok_or_else(|| CommandError::item_not_found(&key))?;
        return Ok(build_added_output(&item));
    }
    if store.load_item(&key)?.is_some() {
        let item = (&key).into();
        let message = format!("item {key} already exists");
        return Err(CommandError::new(ItemCase::ItemExists { item }, message));
    }
    let parent = match &arguments.parent {
        None => None,
        Some(parent) => Some(store.load_item(parent)?.ok_or_else(|| {
            let item = parent.into();
            let message = format!("parent {parent} does not exist");
            CommandError::new(ItemCase::ItemToAddToNotFound { item }, message)
        })?),
    };
    depend::check_new_dependencies(store, &key, arguments.parent.as_ref(), &arguments.depends)?;
    let repo = assign_repo_name(store, context.run.named_place())?;
    let item = store.add_item(
        &NewItem {
            key: arguments.key,
            title: arguments.title,
            kind: arguments.kind,
            parent: arguments.parent,
            position: arguments.position,
            repo,
            depends_on: arguments.depends,
            requires_evidence: arguments.requires_evidence,
            status: None,
        },
        &context.provenance(&actor, "item add"),
    )?;
    let mut output = build_added_output(&item);
    output.warnings.extend(parent.filter(|parent| parent.status.is_finished()).map(|parent| {
        let Item { key, status, .. } = parent;
        format!("{key} is already {status}; it does not wait for its new child")
    }));
    Ok(output)
}

fn build_added_output(item: &Item) -> Output {
    Output::new(
        vec![format!("added {}", render_item_line(item))],
        json!({"item": views::item_view(item)}),
    )
}

/// Loads an item that must exist.
pub(super) fn load_item(store: &mut dyn Store, key: &ItemKey) -> CommandResult<Item> {
    store.load_item(key)?.ok_or_else(|| CommandError::item_not_found(key))
}

/// Joins keys with commas.
fn join_keys(keys: &[ItemKey]) -> String {
    let keys: Vec<&str> = keys.iter().map(ItemKey::as_str).collect();
    keys.join(", ")
}

/// Joins keys with their statuses.
pub(super) fn join_keys_with_status(items: &[(ItemKey, ItemStatus)]) -> String {
    let items: Vec<String> =
        items.iter().map(|(key, status)| format!("{key} ({status})")).collect();
    items.join(", ")
}

pub(super) fn render_item_line(item: &Item) -> String {
    let held = item.holder.as_ref().map_or(String::new(), |holder| format!("  held by {holder}"));
    let title = item
        .title
        .as_deref()
        .map_or(String::new(), |t| format!("  {}", one_line(t, MAX_TITLE_CHARS)));
    format!(
        "{:<24} {:<10} {:<8}{held}{title}",
        item.key.as_str(),
        item.status.as_str(),
        or_none(item.phase.as_deref())
    )
}
