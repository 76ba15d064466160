//! What is left of a priority once a tracker's file has it.

use super::fields;
use super::record::TrackerFormat;
use crate::model::ItemPriority;

/// Returns what is read of a priority once it was written: words are fewer than ranks.
fn as_written(format: TrackerFormat, priority: Option<ItemPriority>) -> Option<u8> {
    let effective = priority.unwrap_or(ItemPriority::DEFAULT).number();
    let word = |has_critical| fields::rank_of_word(fields::word_of_rank(effective, has_critical));
    match format {
        TrackerFormat::Beads => Some(effective),
        TrackerFormat::TaskMaster => word(true),
        TrackerFormat::Backlog => priority.and(word(false)),
        TrackerFormat::ClientTasks | TrackerFormat::JsonLines => priority.map(u8::from),
    }
}

/// Tells whether the priority in a file is that of an item, as far as the file can say it.
pub(super) fn is_same_priority(
    format: TrackerFormat,
    of_item: Option<ItemPriority>,
    in_file: Option<u8>,
) -> bool {
    of_item.map(u8::from) == in_file || as_written(format, of_item) == in_file
}
