//! `trueup item`

mod depend;
mod edit;
mod transition;

use serde_json::json;
use trueup_core::model::{
    EventFilter, Item, ItemKey, ItemStatus, NewItem, ORCHESTRATOR_KIND, RepoScope,
};
use trueup_core::repos::{assign_repo_name, find_repo_name};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{ItemFilter, ItemStore as _, RepoStore as _, Store as _};
use trueup_core::text::one_line;

use super::or_none;
use crate::args::{ItemAddArgs, ItemCommand, ItemListArgs};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase};
use crate::output::Output;
use crate::views;

/// Longest title in a list, in characters.
const MAX_TITLE_CHARS: usize = 80;

/// Most events shown with an item.
const MAX_EVENTS_SHOWN: u32 = 20;

pub(super) fn cmd_item(
    context: &CommandContext,
    command: ItemCommand,
) -> Result<Output, CommandError> {
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

fn cmd_list(context: &CommandContext, arguments: ItemListArgs) -> Result<Output, CommandError> {
    let statuses = if arguments.unfinished {
        let all = ItemStatus::ALL.into_iter();
        all.filter(|status| !status.is_finished()).collect()
    } else {
        arguments.status
    };
    let mut store = context.open_for_reading()?;
    if let Some(parent) = &arguments.parent {
        load_item(&mut store, parent)?;
    }
    if let Some(kind) = &arguments.kind {
        check_kind_exists(&mut store, kind)?;
    }
    let scope = if let Some(repo) = arguments.repo {
        RepoScope::Only(resolve_repo_name(context, &mut store, &repo)?)
    } else {
        let session = context.find_viewer_session(&mut store)?;
        context.repo_scope(&mut store, session.as_ref(), arguments.all_repos)?
    };
    let filter = ItemFilter {
        parent: arguments.parent,
        held: arguments.held,
        statuses,
        kind: arguments.kind,
        scope,
    };
    let items = store.list_items(&filter)?;
    let mut text: Vec<String> = items.iter().map(render_item_line).collect();
    if text.is_empty() {
        text.push(describe_empty_list(&mut store, filter)?);
    }
    let items: Vec<_> = items.iter().map(views::item_view).collect();
    let output = Output::new(text, json!({"items": items}));
    Ok(if items.is_empty() {
        output
    } else {
        output.with_columns(&format!(
            "{:<24} {:<10} {:<8}  HOLDER, TITLE",
            "KEY", "STATUS", "PHASE"
        ))
    })
}

/// Says why a list is empty: other repositories may have what was asked for.
fn describe_empty_list(
    store: &mut SqliteStore,
    filter: ItemFilter,
) -> Result<String, CommandError> {
    let all_items = store.list_items(&ItemFilter {
        scope: RepoScope::All,
        ..filter
    })?;
    Ok(match all_items.len() {
        0 => "no items; add one with `trueup item add KEY`".to_owned(),
        others => format!("no items here; use --all-repos to see {others} in other repositories"),
    })
}

/// Refuses a kind that no item has.
fn check_kind_exists(store: &mut SqliteStore, kind: &str) -> Result<(), CommandError> {
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
    Err(CommandError::new(
        ErrorCase::KindNotFound { kinds },
        message,
    ))
}

/// Returns a repository as items name it: one that is registered, the one here, or one that an
/// item is of.
fn resolve_repo_name(
    context: &CommandContext,
    store: &mut SqliteStore,
    name: &str,
) -> Result<String, CommandError> {
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
    Err(CommandError::new(ErrorCase::RepoNotFound, message))
}

fn cmd_show(context: &CommandContext, key: &ItemKey) -> Result<Output, CommandError> {
    let mut store = context.open_for_reading()?;
    let item = load_item(&mut store, key)?;
    let events = store.list_events(&EventFilter {
        item: Some(key.to_string()),
        limit: MAX_EVENTS_SHOWN,
        ..EventFilter::default()
    })?;
    let mut text = vec![render_item_line(&item)];
    text.extend(render_item_details(&mut store, &item)?);
    text.extend(events.iter().map(super::log::render_event));
    let events: Vec<_> = events.iter().map(views::event_view).collect();
    Ok(Output::new(
        text,
        json!({"item": views::item_view(&item), "events": events}),
    ))
}

/// Says what else is to know of an item, where there is something.
fn render_item_details(store: &mut SqliteStore, item: &Item) -> Result<Vec<String>, CommandError> {
    let mut text = Vec::new();
    if let Some(parent) = &item.parent {
        let position = item
            .position
            .map_or_else(|| "none".to_owned(), |p| p.to_string());
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
        text.push(format!(
            "  waits for {}",
            join_keys_with_status(&open_dependencies)
        ));
    }
    if let Some(error) = &item.error_message {
        text.push(format!(
            "  {}: {}",
            item.status,
            one_line(error, MAX_TITLE_CHARS)
        ));
    }
    match &item.evidence {
        Some(evidence) => text.push(format!(
            "  evidence: {}",
            one_line(evidence, MAX_TITLE_CHARS)
        )),
        None if item.requires_evidence => {
            text.push("  needs --evidence to be completed".to_owned());
        }
        None => {}
    }
    Ok(text)
}

fn cmd_add(context: &CommandContext, arguments: ItemAddArgs) -> Result<Output, CommandError> {
    let mut store = context.open_for_change()?;
    let actor = context.resolve_actor(&mut store)?;
    let key = arguments.key.clone();
    if context
        .find_replay(&mut store, "item", Some(key.as_str()), &["added"])?
        .is_some()
    {
        let item = store
            .load_item(&key)?
            .ok_or_else(|| CommandError::item_not_found(&key))?;
        return Ok(build_added_output(&item));
    }
    if store.load_item(&key)?.is_some() {
        let item = (&key).into();
        let message = format!("item {key} already exists");
        return Err(CommandError::new(ErrorCase::ItemExists { item }, message));
    }
    let parent = match &arguments.parent {
        None => None,
        Some(parent) => Some(store.load_item(parent)?.ok_or_else(|| {
            let item = parent.into();
            let message = format!("parent {parent} does not exist");
            CommandError::new(ErrorCase::ItemToAddToNotFound { item }, message)
        })?),
    };
    depend::check_new_dependencies(
        &mut store,
        &key,
        arguments.parent.as_ref(),
        &arguments.depends,
    )?;
    let repo = assign_repo_name(&mut store, context.run.named_place())?;
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
    output.warnings.extend(
        parent
            .filter(|parent| parent.status.is_finished())
            .map(|parent| {
                let Item { key, status, .. } = parent;
                format!("{key} is already {status}; it does not wait for its new child")
            }),
    );
    Ok(output)
}

fn build_added_output(item: &Item) -> Output {
    Output::new(
        vec![format!("added {}", render_item_line(item))],
        json!({"item": views::item_view(item)}),
    )
}

/// Reads an item that has to exist.
pub(super) fn load_item(store: &mut SqliteStore, key: &ItemKey) -> Result<Item, CommandError> {
    store
        .load_item(key)?
        .ok_or_else(|| CommandError::item_not_found(key))
}

/// Lists keys for a person.
fn join_keys(keys: &[ItemKey]) -> String {
    let keys: Vec<&str> = keys.iter().map(ItemKey::as_str).collect();
    keys.join(", ")
}

/// Lists items with where they stand.
pub(super) fn join_keys_with_status(items: &[(ItemKey, ItemStatus)]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|(key, status)| format!("{key} ({status})"))
        .collect();
    items.join(", ")
}

pub(super) fn render_item_line(item: &Item) -> String {
    let held = item
        .holder
        .as_ref()
        .map_or(String::new(), |holder| format!("  held by {holder}"));
    let title = item.title.as_deref().map_or(String::new(), |t| {
        format!("  {}", one_line(t, MAX_TITLE_CHARS))
    });
    format!(
        "{:<24} {:<10} {:<8}{held}{title}",
        item.key.as_str(),
        item.status.as_str(),
        or_none(item.phase.as_deref())
    )
}
