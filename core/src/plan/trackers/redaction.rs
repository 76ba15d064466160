//! Secrets in the records of trackers: nothing here but the file itself keeps them.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::item_source::{ItemSource, reread_record};
use super::record::{TrackerFile, TrackerFormat, TrackerRecord};
use crate::text::redact::{redact, redact_json};

/// Redacts what was read of files, as it will be stored: only then it compares with what is known.
pub(super) fn redact_file(mut file: TrackerFile) -> TrackerFile {
    for record in &mut file.records {
        redact_record(file.format, record);
    }
    for skipped in &mut file.skipped {
        redact_in_place(&mut skipped.line.text);
        redact_in_place(&mut skipped.line.reason);
    }
    file
}

fn redact_record(format: TrackerFormat, record: &mut TrackerRecord) {
    let mut fields = Value::Object(record.original.clone());
    redact_json(&mut fields);
    let Value::Object(fields) = fields else { return };
    if fields == record.original {
        return;
    }
    let again = reread_record(format, record.id.clone(), fields.clone());
    record.title = again.title;
    record.description = again.description;
    record.status_reason = again.status_reason;
    record.unredacted = Some(std::mem::replace(&mut record.original, fields));
}

fn redact_in_place(text: &mut String) {
    if let Cow::Owned(clean) = redact(text).text {
        *text = clean;
    }
}

/// Returns what is known of a record, with the text of the file where the two say the same.
pub(super) fn with_text_of_file(
    source: &ItemSource,
    record: &TrackerRecord,
) -> Option<Map<String, Value>> {
    let unredacted = record.unredacted.as_ref()?;
    let mut fields = source.record.clone();
    for (name, value) in &mut fields {
        if record.original.get(name) == Some(value)
            && let Some(own) = unredacted.get(name)
        {
            value.clone_from(own);
        }
    }
    Some(fields)
}
