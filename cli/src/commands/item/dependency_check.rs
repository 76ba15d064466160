//! The check of new dependencies.

use trueup_core::model::{DependencyEdge, ItemKey, find_dependency_cycle, render_cycle};
use trueup_core::store::Store;

use super::lookup::load_item;
use crate::command_error::{CommandError, CommandResult, ItemCase};

/// Refuses dependencies that do not exist or would form a cycle. The store checks again when it
/// writes; this check gives the error its code.
pub(super) fn check_new_dependencies(
    store: &mut dyn Store,
    key: &ItemKey,
    parent: Option<&ItemKey>,
    on: &[ItemKey],
) -> CommandResult<()> {
    if on.is_empty() {
        return Ok(());
    }
    let mut waiting = store.list_waiting_items(key)?;
    if let Some(parent) = parent {
        waiting.extend(store.list_waiting_items(parent)?);
        waiting.push(DependencyEdge { item: parent.clone(), on: key.clone() });
    }
    for on in on {
        if on == key {
            let message = format!("{key} cannot depend on itself");
            return Err(CommandError::new(ItemCase::SelfDependency, message));
        }
        if let Some(circle) = find_dependency_cycle(key, on, &waiting) {
            let message = format!("circular dependency: {}", render_cycle(&circle));
            return Err(CommandError::new(ItemCase::DependencyCycle, message));
        }
        load_item(store, on)?;
    }
    Ok(())
}
