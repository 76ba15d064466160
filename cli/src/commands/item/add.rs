//! `trueup item add`: adding an item, after checking its parent and dependencies.

use clap::Args;
use serde_json::{Map, json};
use trueup_core::model::{EventKind, Item, ItemKey, ItemPriority, NewItem};
use trueup_core::repos::assign_repo_name;
use trueup_core::store::Store;
use trueup_core::views::ItemView;

use super::dependency_check::check_new_dependencies;
use super::lookup::load_item;
use super::render::item_line;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ItemCase};
use crate::number_argument::parse_whole_number;
use crate::output::Output;

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
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse_whole_number::<i64>)]
    pub(crate) position: Option<i64>,
    /// Priority: 0 to 4 or P0 to P4, 0 comes first [default: none, which comes with 2]
    #[arg(long, value_name = "P")]
    pub(crate) priority: Option<ItemPriority>,
    /// What is to be done, of any length
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Items that must be completed first
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) depends: Vec<ItemKey>,
    /// Require --evidence to complete it
    #[arg(long)]
    pub(crate) requires_evidence: bool,
}

pub(super) fn cmd_add(context: &CommandContext, arguments: ItemAddArgs) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let actor = context.resolve_actor(store)?;
    let key = arguments.key.clone();
    if context.find_replay(store, "item", Some(key.as_str()), &[EventKind::Added])?.is_some() {
        let item = load_item(store, &key)?;
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
    check_new_dependencies(store, &key, arguments.parent.as_ref(), &arguments.depends)?;
    let repo = assign_repo_name(store, context.run.naming_context())?;
    let item = store.add_item(
        &NewItem {
            key: arguments.key,
            title: arguments.title,
            kind: arguments.kind,
            parent: arguments.parent,
            position: arguments.position,
            repo,
            priority: arguments.priority,
            description: arguments.description.filter(|text| !text.is_empty()),
            extra: Map::new(),
            depends_on: arguments.depends,
            requires_evidence: arguments.requires_evidence,
            status: None,
        },
        &context.provenance(&actor, "item add"),
    )?;
    let mut output = build_added_output(&item);
    output.warnings.extend(warn_of_similar_key(store, &item.key)?);
    output.warnings.extend(parent.filter(|parent| parent.status.is_finished()).map(|parent| {
        let Item { key, status, .. } = parent;
        format!("{key} is already {status}; it does not wait for its new child")
    }));
    Ok(output)
}

/// Warns of an item whose key differs only in case, which is probably the one that was meant.
fn warn_of_similar_key(store: &mut dyn Store, key: &ItemKey) -> CommandResult<Option<String>> {
    for spelling in [key.as_str().to_ascii_uppercase(), key.as_str().to_ascii_lowercase()] {
        let other = spelling.parse().ok().filter(|other| other != key);
        if let Some(other) = other
            && store.load_item(&other)?.is_some()
        {
            return Ok(Some(format!(
                "{key} and {other} are different items: keys are case-sensitive"
            )));
        }
    }
    Ok(None)
}

fn build_added_output(item: &Item) -> Output {
    Output::page(vec![item_line("added ", item)], json!({"item": ItemView::from(item)}))
}
