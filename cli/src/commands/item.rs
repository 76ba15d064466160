//! `trueup item`

use serde_json::json;
use trueup_core::model::{EventFilter, Item, NewItem};
use trueup_core::store::{ItemFilter, Store as _};
use trueup_core::text::one_line;

use super::or_none;
use crate::args::{ItemAdd, ItemCommand};
use crate::desk::Desk;
use crate::failure::Failure;
use crate::json;
use crate::report::Answer;

/// Longest title in a list, in characters.
const LONGEST: usize = 80;

/// Most events shown with an item.
const MOST_EVENTS: u32 = 20;

pub(super) fn run(desk: &Desk, command: ItemCommand) -> Result<Answer, Failure> {
    match command {
        ItemCommand::Add(arguments) => add(desk, arguments),
        ItemCommand::List { parent, held } => {
            let items = desk.open()?.items(&ItemFilter { parent, held })?;
            let mut text: Vec<String> = items.iter().map(line).collect();
            if text.is_empty() {
                text.push("no items; `trueup item add KEY` adds one".to_owned());
            }
            let items: Vec<_> = items.iter().map(json::item).collect();
            Ok(Answer::new(text, json!({"items": items})))
        }
        ItemCommand::Show { key } => {
            let mut store = desk.open()?;
            let Some(item) = store.item(&key)? else {
                return Err(Failure::no_item(&key));
            };
            let events = store.events(&EventFilter {
                item: Some(key.to_string()),
                limit: MOST_EVENTS,
                ..EventFilter::default()
            })?;
            let mut text = vec![line(&item)];
            text.extend(events.iter().map(super::log::line));
            let events: Vec<_> = events.iter().map(json::event).collect();
            Ok(Answer::new(
                text,
                json!({"item": json::item(&item), "events": events}),
            ))
        }
    }
}

fn add(desk: &Desk, arguments: ItemAdd) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let actor = actor(desk, &mut store);
    let key = arguments.key.clone();
    if desk
        .carried_out(&mut store, "item", Some(key.as_str()), &["added"])?
        .is_some()
    {
        let item = store.item(&key)?.ok_or_else(|| Failure::no_item(&key))?;
        return Ok(added(&item));
    }
    if store.item(&key)?.is_some() {
        return Err(
            Failure::refused("item_exists", format!("item {key} exists already"))
                .hint(format!("`trueup item show {key}`")),
        );
    }
    if let Some(parent) = &arguments.parent
        && store.item(parent)?.is_none()
    {
        return Err(
            Failure::refused("item_not_found", format!("there is no parent {parent}"))
                .hint(format!("`trueup item add {parent}` first")),
        );
    }
    let item = store.add_item(
        &NewItem {
            key: arguments.key,
            title: arguments.title,
            kind: arguments.kind,
            parent: arguments.parent,
            position: arguments.position,
            repo: desk.site.project.repo(&desk.site.repository),
        },
        &desk.provenance(&actor, "item add"),
    )?;
    Ok(added(&item))
}

fn added(item: &Item) -> Answer {
    Answer::new(
        vec![format!("added {}", line(item))],
        json!({"item": json::item(item)}),
    )
}

/// Names who changes something that belongs to no session.
pub(super) fn actor(desk: &Desk, store: &mut trueup_core::store::sqlite::SqliteStore) -> String {
    desk.actor(store)
}

fn line(item: &Item) -> String {
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
        item.key,
        item.status,
        or_none(item.phase.as_deref())
    )
}
