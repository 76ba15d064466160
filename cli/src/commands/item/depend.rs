//! `trueup item depend`: adding and removing dependencies of an item.

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ItemCase};
use crate::output::Output;
use clap::Args;
use serde_json::json;
use trueup_core::model::{EventKind, ItemKey};
use trueup_core::store::DependencyChange;
use trueup_core::views::ItemView;

use super::dependency_check::check_new_dependencies;
use super::lookup::load_item;
use super::render::join_keys;
use super::replay::find_replayed_change;

#[derive(Debug, Clone, Args)]
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

pub(super) fn cmd_depend(context: &CommandContext, arguments: ItemDependArgs) -> CommandResult {
    let ItemDependArgs { key, on, remove } = arguments;
    let store = &mut *context.open_for_change()?;
    let kinds = [EventKind::Dependencies];
    if let Some(output) = find_replayed_change(context, store, &key, &kinds)? {
        return Ok(output);
    }
    context.find_active_session(store)?;
    let before = load_item(store, &key)?;
    if remove {
        if let Some(on) = on.iter().find(|on| !before.depends_on.contains(on)) {
            let message = format!("{key} does not depend on {on}");
            let item = (&key).into();
            return Err(CommandError::new(ItemCase::NotDependent { item }, message));
        }
    } else {
        check_new_dependencies(store, &key, before.parent.as_ref(), &on)?;
    }
    let provenance = context.provenance(&context.resolve_actor(store)?, "item depend");
    let item = store.change_dependencies(&DependencyChange {
        item: key.clone(),
        dependencies: on,
        remove,
        provenance,
    })?;
    let or_nothing = |keys: &[ItemKey]| match keys {
        [] => "nothing".to_owned(),
        keys => join_keys(keys),
    };
    let mut text = vec![format!(
        "{key} depends on: {} -> {}",
        or_nothing(&before.depends_on),
        or_nothing(&item.depends_on)
    )];
    if before.status != item.status {
        text.push(format!("{key}: {} -> {}", before.status, item.status));
    }
    Ok(Output::new(text, json!({"item": ItemView::from(&item)})))
}
