//! The answer to a change of an item that was made before under the same `--op-id`.

use serde_json::json;
use trueup_core::model::{EventKind, ItemKey};
use trueup_core::store::Store;
use trueup_core::views::ItemView;

use super::lookup::load_item;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;

/// Builds the output of an earlier run of this command, if there was one.
pub(super) fn find_replayed_change(
    context: &CommandContext,
    store: &mut dyn Store,
    key: &ItemKey,
    kinds: &[EventKind],
) -> CommandResult<Option<Output>> {
    let Some(event) = context.find_replay(store, "item", Some(key.as_str()), kinds)? else {
        return Ok(None);
    };
    let item = load_item(store, key)?;
    let text = format!("this operation changed {key} at {}", event.at);
    Ok(Some(Output::new(vec![text], json!({"item": ItemView::from(&item)}))))
}
