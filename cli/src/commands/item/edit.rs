//! `trueup item edit` and `trueup item remove`: changing the facts of an item, and removing one that
//! nothing uses.

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ItemCase};
use crate::commands::value_text::render_json_value;
use crate::number_argument::parse_whole_number;
use crate::optional_value::{OptionalValue, parse_optional_value, parse_optional_with};
use crate::output::Output;
use clap::Args;
use serde_json::{Value, json};
use trueup_core::model::{DependencyEdge, EventKind, Item, ItemKey, ItemPriority};
use trueup_core::store::{ItemEditRequest, ItemUse, OptionalItemField, Provenance, Store};
use trueup_core::views::ItemView;

use super::lookup::load_item;
use super::replay::find_replayed_change;

#[derive(Debug, Clone, Args)]
pub(crate) struct ItemEditArgs {
    /// Item key
    pub(crate) key: ItemKey,
    /// Title; '' removes it
    #[arg(long, value_name = "T", value_parser = parse_optional_value::<String>)]
    pub(crate) title: Option<OptionalValue<String>>,
    /// Kind, any word; `orchestrator` for an item that leads others
    #[arg(long, value_name = "K")]
    pub(crate) kind: Option<String>,
    /// Parent item; '' removes it from its parent
    #[arg(long, value_name = "KEY", value_parser = parse_optional_value::<ItemKey>)]
    pub(crate) parent: Option<OptionalValue<ItemKey>>,
    /// Position among its siblings; '' places it last
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse_optional_position)]
    pub(crate) position: Option<OptionalValue<i64>>,
    /// Priority: 0 to 4 or P0 to P4, 0 comes first; '' removes it
    #[arg(long, value_name = "P", value_parser = parse_optional_value::<ItemPriority>)]
    pub(crate) priority: Option<OptionalValue<ItemPriority>>,
    /// What is to be done, of any length; '' removes it
    #[arg(long, value_name = "TEXT", value_parser = parse_optional_value::<String>)]
    pub(crate) description: Option<OptionalValue<String>>,
}

fn parse_optional_position(text: &str) -> Result<OptionalValue<i64>, String> {
    parse_optional_with(text, parse_whole_number)
}

impl ItemEditArgs {
    const fn changes_nothing(&self) -> bool {
        self.title.is_none()
            && self.kind.is_none()
            && self.parent.is_none()
            && self.position.is_none()
            && self.priority.is_none()
            && self.description.is_none()
    }

    /// Builds the request of these changes.
    fn into_request(self, provenance: Provenance) -> ItemEditRequest {
        let mut unset = Vec::new();
        ItemEditRequest {
            title: take_value(self.title, OptionalItemField::Title, &mut unset),
            kind: self.kind,
            parent: take_value(self.parent, OptionalItemField::Parent, &mut unset),
            position: take_value(self.position, OptionalItemField::Position, &mut unset),
            priority: take_value(self.priority, OptionalItemField::Priority, &mut unset),
            description: take_value(self.description, OptionalItemField::Description, &mut unset),
            unset,
            ..ItemEditRequest::new(self.key, provenance)
        }
    }
}

/// Returns the new value of a property; one that is taken away is added to `unset`.
fn take_value<T>(
    value: Option<OptionalValue<T>>,
    field: OptionalItemField,
    unset: &mut Vec<OptionalItemField>,
) -> Option<T> {
    let value = value?.into_value();
    if value.is_none() {
        unset.push(field);
    }
    value
}

pub(super) fn cmd_edit(context: &CommandContext, arguments: ItemEditArgs) -> CommandResult {
    if arguments.changes_nothing() {
        let message = "give at least one of --title, --kind, --parent, --position, --priority and \
                       --description";
        return Err(CommandError::usage("trueup item edit --help", message));
    }
    let store = &mut *context.open_for_change()?;
    let provenance = context.provenance(&context.resolve_actor(store)?, "item edit");
    let key = &arguments.key;
    if let Some(output) = find_replayed_change(context, store, key, &[EventKind::Changed])? {
        return Ok(output);
    }
    let before = load_item(store, key)?;
    if let Some(OptionalValue::Set(parent)) = &arguments.parent {
        check_new_parent(store, key, parent)?;
    }
    let item = store.edit_item(&arguments.into_request(provenance))?;
    Ok(Output::new(render_changes(&before, &item), json!({"item": ItemView::from(&item)})))
}

/// Refuses a parent that does not exist or waits for the item, with a code of its own.
fn check_new_parent(store: &mut dyn Store, key: &ItemKey, parent: &ItemKey) -> CommandResult<()> {
    load_item(store, parent)?;
    let waits = store.list_waiting_items(parent)?;
    let is_key = |waits: &DependencyEdge| waits.item == *key;
    if parent == key {
        let item = key.into();
        let text = format!("{key} cannot be its own parent");
        return Err(CommandError::new(ItemCase::ParentCycle { item }, text));
    }
    if waits.iter().any(is_key) {
        let text = format!(
            "circular dependency: {key} waits for {parent}, which would wait for its child {key}"
        );
        let item = key.into();
        return Err(CommandError::new(ItemCase::ParentCycle { item }, text));
    }
    Ok(())
}

/// Renders what changed.
fn render_changes(before: &Item, after: &Item) -> Vec<String> {
    let (old, new) = (before.event_facts(), after.event_facts());
    let fields = ["title", "kind", "parent", "position", "priority", "description"];
    let fields = fields.into_iter().filter(|field| old[field] != new[field]);
    let mut text: Vec<String> = fields
        .map(|field| {
            let (from, to): (&Value, &Value) = (&old[field], &new[field]);
            format!(
                "{} {field}: {} -> {}",
                after.key,
                render_json_value(from),
                render_json_value(to)
            )
        })
        .collect();
    if text.is_empty() {
        text.push("nothing changed".to_owned());
    }
    text
}

pub(super) fn cmd_remove(
    context: &CommandContext,
    key: &ItemKey,
    reason: Option<&str>,
) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let provenance =
        context.provenance(&context.resolve_actor(store)?, reason.unwrap_or("item remove"));
    if let Some(event) =
        context.find_replay(store, "item", Some(key.as_str()), &[EventKind::Removed])?
    {
        let text = format!("this operation removed {key} at {}", event.at);
        return Ok(Output::new(vec![text], json!({"item": null})));
    }
    let item = load_item(store, key)?;
    if let Some(used) = store.find_item_use(key)? {
        let text = format!("{key} cannot be removed: {used}");
        let active_session = context.find_active_session(store)?.map(|session| session.id);
        let is_free = item.holder.is_none() || item.holder == active_session;
        let case = if let ItemUse::DependedOn(other) = &used {
            ItemCase::ItemNeeded { item: key.into(), other: other.into() }
        } else if is_free && !item.status.is_finished() {
            ItemCase::ItemInUse { item: key.into() }
        } else {
            ItemCase::ItemStays { item: key.into() }
        };
        return Err(CommandError::new(case, text));
    }
    store.remove_item(key, &provenance)?;
    let text = format!("removed {key}, which was {}", item.status);
    Ok(Output::new(vec![text], json!({"item": ItemView::from(&item)})))
}
