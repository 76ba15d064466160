//! Items as text.

use trueup_core::model::{Item, ItemKey, ItemStatus};
use trueup_core::text::one_line;

use crate::commands::cells;
use crate::page::{Cell, Column, Line, Table, Tone};

/// Longest title or reason shown, in characters.
pub(crate) const MAX_TITLE_CHARS: usize = 500;

/// Longest phase in a list, in characters. A phase is free text.
const MAX_PHASE_CHARS: usize = 40;

/// Joins keys with commas.
pub(crate) fn join_keys(keys: &[ItemKey]) -> String {
    let keys: Vec<&str> = keys.iter().map(ItemKey::as_str).collect();
    keys.join(", ")
}

/// Joins keys with their statuses.
pub(crate) fn join_keys_with_status(items: &[(ItemKey, ItemStatus)]) -> String {
    let items: Vec<String> =
        items.iter().map(|(key, status)| format!("{key} ({status})")).collect();
    items.join(", ")
}

/// Makes the table of items.
pub(super) fn item_table<'a>(items: impl IntoIterator<Item = &'a Item>) -> Table<6> {
    let columns = [
        Column::key("KEY"),
        Column::word("STATUS"),
        Column::text("PHASE").optional(),
        Column::word("PRIORITY").optional(),
        Column::id("HOLDER").optional(),
        Column::text("TITLE"),
    ];
    Table::new(columns, items.into_iter().map(item_row))
}

/// Shows the priority that an item was given.
pub(crate) fn priority_cell(item: &Item) -> Cell {
    Cell::optional(item.priority.map(|priority| priority.to_string()))
}

fn item_row(item: &Item) -> [Cell; 6] {
    [
        item.key.as_str().into(),
        cells::item_status(item.status),
        Cell::optional(item.phase.as_deref().map(|phase| one_line(phase, MAX_PHASE_CHARS))),
        priority_cell(item),
        item.holder.as_ref().map_or_else(Cell::absent, |holder| Cell::faint(holder.as_str())),
        Cell::optional(item.title.as_deref().map(|title| one_line(title, MAX_TITLE_CHARS))),
    ]
}

/// Renders an item in one line, after a text such as `next: `.
pub(crate) fn item_line(before: &str, item: &Item) -> Line {
    let mut line = Line::from(before).with(Tone::Head, item.key.as_str());
    if let Some(title) = &item.title {
        line = line.and(format!("  {}", one_line(title, MAX_TITLE_CHARS)));
    }
    line = line.and("  (").with(cells::item_tone(item.status), item.status.as_str());
    if let Some(priority) = item.priority {
        line = line.and(format!(", {priority}"));
    }
    if let Some(phase) = &item.phase {
        line = line.and(format!(", phase {}", one_line(phase, MAX_PHASE_CHARS)));
    }
    if let Some(holder) = &item.holder {
        line = line.and(format!(", held by {holder}"));
    }
    line.and(")")
}
