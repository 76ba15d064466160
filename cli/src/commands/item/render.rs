//! Items as text.

use trueup_core::model::{Item, ItemKey, ItemStatus};
use trueup_core::text::one_line;

use crate::commands::value_text::or_none;

/// Longest title in a list, in characters.
pub(super) const MAX_TITLE_CHARS: usize = 80;

/// Longest phase in a list, in characters. A phase is free text.
const MAX_PHASE_CHARS: usize = 40;

/// Joins keys with commas.
pub(super) fn join_keys(keys: &[ItemKey]) -> String {
    let keys: Vec<&str> = keys.iter().map(ItemKey::as_str).collect();
    keys.join(", ")
}

/// Joins keys with their statuses.
pub(crate) fn join_keys_with_status(items: &[(ItemKey, ItemStatus)]) -> String {
    let items: Vec<String> =
        items.iter().map(|(key, status)| format!("{key} ({status})")).collect();
    items.join(", ")
}

pub(crate) fn render_item_line(item: &Item) -> String {
    let held = item.holder.as_ref().map_or(String::new(), |holder| format!("  held by {holder}"));
    let title = item
        .title
        .as_deref()
        .map_or(String::new(), |t| format!("  {}", one_line(t, MAX_TITLE_CHARS)));
    let phase = item.phase.as_deref().map(|phase| one_line(phase, MAX_PHASE_CHARS));
    format!(
        "{:<24} {:<10} {:<8}{held}{title}",
        item.key.as_str(),
        item.status.as_str(),
        or_none(phase.as_deref())
    )
}
