//! Records of items that were removed here: a file does not bring them back as if they were new.

use std::collections::BTreeSet;

use super::SkippedRecord;
use super::import_context::{ImportContext, RemovedItem};
use super::item_source::ItemSource;
use super::record::{TrackerFormat, TrackerRecord};
use super::tracker_places::ImportPlace;
use crate::plan::SkippedLine;

/// Leaves out the records of removed items that are as they were known, and says so. One that
/// changed since then is imported again, which is said as well.
pub(super) fn leave_removed(
    format: TrackerFormat,
    records: &mut Vec<TrackerRecord>,
    context: &ImportContext<'_>,
    place: &ImportPlace<'_>,
    skipped: &mut Vec<SkippedRecord>,
) {
    // An export of trueup brings back what was there when it was written.
    if context.removed.is_empty() || format == TrackerFormat::JsonLines {
        return;
    }
    let here = context.existing.values().filter(|item| item.repo.as_deref() == context.repo);
    let ids: BTreeSet<String> = here
        .filter_map(|item| match ItemSource::in_tracker(item, format) {
            Some(source) => (!place.is_of_other(&source)).then_some(source.id),
            None => Some(item.key.to_string()),
        })
        .collect();
    records.retain(|record| {
        let is_of_record = |removed: &&RemovedItem| {
            removed.source.id == record.id && !place.is_of_other(&removed.source)
        };
        let mut of_record = context.removed.iter().filter(is_of_record);
        let Some(last) = of_record.clone().max_by_key(|removed| removed.at) else { return true };
        if ids.contains(&record.id) {
            return true;
        }
        let at = last.at.to_string();
        let (key, day) = (&last.key, at.split('T').next().unwrap_or_default());
        // Added here again by hand.
        let is_back = of_record.clone().any(|removed| removed.is_back(format, context));
        if is_back {
            return true;
        }
        let stays_removed = of_record.any(|removed| removed.source.knows_record(record));
        let line = if stays_removed {
            let reason = format!(
                "{key} was removed here on {day} and stays removed; `trueup item add {key}` and \
                 another import bring it back"
            );
            SkippedLine::new(record.line, &record.title, reason)
        } else {
            let reason = format!(
                "{key} was removed here on {day}, and the file has it with changes; \
                 `trueup item remove {key}` removes it again"
            );
            SkippedLine::ignored_dependency(record.line, &record.title, reason)
        };
        skipped.push(SkippedRecord { file: record.file, line });
        !stays_removed
    });
}
