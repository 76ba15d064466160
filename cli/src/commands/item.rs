//! `trueup item`

mod advance;
mod depend;
mod edit;

use serde_json::json;
use trueup_core::model::{
    EventFilter, Item, ItemKey, ItemStatus, NewItem, ORCHESTRATOR, RepoScope,
};
use trueup_core::repos::{find_repo_name, settle_repo_name};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{ItemFilter, ItemStore as _, RepoStore as _, Store as _};
use trueup_core::text::one_line;

use super::or_none;
use crate::args::{ItemAdd, ItemCommand, ItemList};
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::json;
use crate::report::Answer;

/// Longest title in a list, in characters.
const LONGEST: usize = 80;

/// Most events shown with an item.
const MOST_EVENTS: u32 = 20;

pub(super) fn run(desk: &Desk, command: ItemCommand) -> Result<Answer, Failure> {
    match command {
        ItemCommand::Add(arguments) => add(desk, arguments),
        ItemCommand::Edit(arguments) => edit::edit(desk, arguments),
        ItemCommand::Remove { key, reason } => edit::remove(desk, &key, reason.as_deref()),
        ItemCommand::List(arguments) => list(desk, arguments),
        ItemCommand::Show { key } => show(desk, &key),
        ItemCommand::Transition(arguments) => advance::transition(desk, arguments),
        ItemCommand::Reopen { key, reason } => advance::reopen(desk, key, reason),
        ItemCommand::Depend(arguments) => depend::run(desk, arguments),
    }
}

fn list(desk: &Desk, arguments: ItemList) -> Result<Answer, Failure> {
    let statuses = if arguments.unfinished {
        let all = ItemStatus::ALL.into_iter();
        all.filter(|status| !status.is_finished()).collect()
    } else {
        arguments.status
    };
    let mut store = desk.open()?;
    if let Some(parent) = &arguments.parent {
        known(&mut store, parent)?;
    }
    if let Some(kind) = &arguments.kind {
        known_kind(&mut store, kind)?;
    }
    let scope = if let Some(repo) = arguments.repo {
        RepoScope::Only(known_repo(desk, &mut store, &repo)?)
    } else {
        let session = desk.reader(&mut store)?;
        desk.repo_scope(&mut store, session.as_ref(), arguments.all_repos)?
    };
    let filter = ItemFilter {
        parent: arguments.parent,
        held: arguments.held,
        statuses,
        kind: arguments.kind,
        scope,
    };
    let items = store.items(&filter)?;
    let mut text: Vec<String> = items.iter().map(line).collect();
    if text.is_empty() {
        text.push(nothing_listed(&mut store, filter)?);
    }
    let items: Vec<_> = items.iter().map(json::item).collect();
    let answer = Answer::new(text, json!({"items": items}));
    Ok(if items.is_empty() {
        answer
    } else {
        answer.columns(&format!(
            "{:<24} {:<10} {:<8}  HOLDER, TITLE",
            "KEY", "STATUS", "PHASE"
        ))
    })
}

/// Says why a list is empty: other repositories may have what was asked for.
fn nothing_listed(store: &mut SqliteStore, filter: ItemFilter) -> Result<String, Failure> {
    let everywhere = store.items(&ItemFilter {
        scope: RepoScope::All,
        ..filter
    })?;
    Ok(match everywhere.len() {
        0 => "no items; add one with `trueup item add KEY`".to_owned(),
        others => format!("no items here; use --all-repos to see {others} in other repositories"),
    })
}

/// Refuses a kind that no item has.
fn known_kind(store: &mut SqliteStore, kind: &str) -> Result<(), Failure> {
    let all = store.items(&ItemFilter::default())?;
    if ["task", ORCHESTRATOR].contains(&kind) || all.iter().any(|item| item.kind == kind) {
        return Ok(());
    }
    let of_items = all.iter().map(|item| item.kind.as_str());
    let mut kinds: Vec<&str> = of_items.chain(["task", ORCHESTRATOR]).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let message = format!("no item has kind {kind}");
    let kinds = kinds.join(", ").as_str().into();
    Err(Failure::new(ErrorCase::KindNotFound { kinds }, message))
}

/// Returns a repository as items name it: one that is registered, the one here, or one that an
/// item is of.
fn known_repo(desk: &Desk, store: &mut SqliteStore, name: &str) -> Result<String, Failure> {
    let registered = store.repos()?;
    let registered = registered.iter().map(|repo| repo.slug.to_string());
    let all = store.items(&ItemFilter::default())?;
    let of_items = all.into_iter().filter_map(|item| item.repo);
    let here = find_repo_name(store, desk.site.named_place())?;
    let mut known = of_items.chain(here).chain(registered);
    if let Some(known) = known.find(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(known);
    }
    let message = format!("there is no repository {name}");
    Err(Failure::new(ErrorCase::RepoNotFound, message))
}

fn show(desk: &Desk, key: &ItemKey) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    let item = known(&mut store, key)?;
    let events = store.events(&EventFilter {
        item: Some(key.to_string()),
        limit: MOST_EVENTS,
        ..EventFilter::default()
    })?;
    let mut text = vec![line(&item)];
    text.extend(about(&mut store, &item)?);
    text.extend(events.iter().map(super::log::line));
    let events: Vec<_> = events.iter().map(json::event).collect();
    Ok(Answer::new(
        text,
        json!({"item": json::item(&item), "events": events}),
    ))
}

/// Says what else is to know of an item, where there is something.
fn about(store: &mut SqliteStore, item: &Item) -> Result<Vec<String>, Failure> {
    let mut text = Vec::new();
    if let Some(parent) = &item.parent {
        let position = item
            .position
            .map_or_else(|| "none".to_owned(), |p| p.to_string());
        text.push(format!("  belongs to {parent}, position {position}"));
    }
    let children = store.children(&item.key)?;
    if children.all > 0 {
        let (all, unfinished) = (children.all, children.unfinished);
        text.push(format!("  children: {all}, {unfinished} unfinished"));
    }
    if !item.depends_on.is_empty() {
        text.push(format!("  depends on {}", listed(&item.depends_on)));
    }
    if item.open_dependencies > 0 {
        let open = store.open_dependencies(&item.key)?;
        text.push(format!("  waits for {}", standing(&open)));
    }
    if let Some(error) = &item.error_message {
        text.push(format!("  {}: {}", item.status, one_line(error, LONGEST)));
    }
    match &item.evidence {
        Some(evidence) => text.push(format!("  evidence: {}", one_line(evidence, LONGEST))),
        None if item.requires_evidence => {
            text.push("  needs --evidence to be completed".to_owned())
        }
        None => {}
    }
    Ok(text)
}

fn add(desk: &Desk, arguments: ItemAdd) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let actor = desk.actor(&mut store)?;
    let key = arguments.key.clone();
    if desk
        .carried_out(&mut store, "item", Some(key.as_str()), &["added"])?
        .is_some()
    {
        let item = store.item(&key)?.ok_or_else(|| Failure::no_item(&key))?;
        return Ok(added(&item));
    }
    if store.item(&key)?.is_some() {
        let item = (&key).into();
        let message = format!("item {key} already exists");
        return Err(Failure::new(ErrorCase::ItemExists { item }, message));
    }
    let parent = match &arguments.parent {
        None => None,
        Some(parent) => Some(store.item(parent)?.ok_or_else(|| {
            let item = parent.into();
            let message = format!("parent {parent} does not exist");
            Failure::new(ErrorCase::ItemToAddToNotFound { item }, message)
        })?),
    };
    depend::admit(
        &mut store,
        &key,
        arguments.parent.as_ref(),
        &arguments.depends,
    )?;
    let repo = settle_repo_name(&mut store, desk.site.named_place())?;
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
        &desk.provenance(&actor, "item add"),
    )?;
    let mut answer = added(&item);
    answer.warnings.extend(
        parent
            .filter(|parent| parent.status.is_finished())
            .map(|parent| {
                let Item { key, status, .. } = parent;
                format!("{key} is already {status}; it does not wait for its new child")
            }),
    );
    Ok(answer)
}

fn added(item: &Item) -> Answer {
    Answer::new(
        vec![format!("added {}", line(item))],
        json!({"item": json::item(item)}),
    )
}

/// Reads an item that has to exist.
pub(super) fn known(store: &mut SqliteStore, key: &ItemKey) -> Result<Item, Failure> {
    store.item(key)?.ok_or_else(|| Failure::no_item(key))
}

/// Lists keys for a person.
fn listed(keys: &[ItemKey]) -> String {
    let keys: Vec<&str> = keys.iter().map(ItemKey::as_str).collect();
    keys.join(", ")
}

/// Lists items with where they stand.
pub(super) fn standing(items: &[(ItemKey, ItemStatus)]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|(key, status)| format!("{key} ({status})"))
        .collect();
    items.join(", ")
}

pub(super) fn line(item: &Item) -> String {
    let held = item
        .holder
        .as_ref()
        .map_or(String::new(), |holder| format!("  held by {holder}"));
    let title = item
        .title
        .as_deref()
        .map_or(String::new(), |t| format!("  {}", one_line(t, LONGEST)));
    format!(
        "{:<24} {:<10} {:<8}{held}{title}",
        item.key.as_str(),
        item.status.as_str(),
        or_none(item.phase.as_deref())
    )
}
