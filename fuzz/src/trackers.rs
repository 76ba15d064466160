//! Files of other trackers: no record is lost without a word, and what an import makes of them can
//! be carried out.

use std::collections::{BTreeMap, BTreeSet};

use trueup_core::model::{ItemKey, Timestamp};
use trueup_core::plan::ParsedPlan;
use trueup_core::plan::trackers::{
    ImportContext, SourceFile, TrackerFile, TrackerFormat, plan_import, read_tracker,
};
use trueup_core::store::Provenance;

/// Checks a file, whose first byte chooses the tracker.
pub fn check(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else {
        return;
    };
    let formats = TrackerFormat::ALL;
    let format = formats[usize::from(*first) % formats.len()];
    let path = if first.is_ascii_uppercase() { "list/config.yml" } else { "list/1.md" };
    let Ok(file) = read_tracker(format, &[SourceFile { path, bytes }]) else {
        return;
    };
    if matches!(format, TrackerFormat::Beads) && bytes.trim_ascii_start().first() != Some(&b'[') {
        every_line_is_told(&file, bytes);
    }
    let records = file.records.len();
    let ids: BTreeSet<&str> = file.records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids.len(), records, "an id occurs once");
    let plan = ParsedPlan::from(file.clone());
    assert!(plan.tasks.len() <= records);
    imported(file, records);
}

/// Each line that is not blank is a record, or is listed as skipped.
fn every_line_is_told(file: &TrackerFile, bytes: &[u8]) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let skipped = file.skipped.iter().filter(|skipped| !skipped.line.is_imported);
    assert_eq!(lines.count(), file.records.len() + skipped.count());
}

/// Every record becomes an item, behind its parent, and none waits for what is not there.
fn imported(file: TrackerFile, records: usize) {
    let provenance = Provenance::new("user", "item import");
    let existing = BTreeMap::new();
    let context = ImportContext {
        existing: &existing,
        removed: &[],
        repo: None,
        file: None,
        present: &BTreeSet::new(),
        now: Timestamp::from_millis(0),
        provenance: &provenance,
    };
    let planned = plan_import(file, &context);
    let added = &planned.import.added;
    assert_eq!(added.len(), records);
    let keys: BTreeSet<&ItemKey> = added.iter().map(|added| &added.item.key).collect();
    assert_eq!(keys.len(), records, "a key is given once");
    let mut before = BTreeSet::new();
    for item in added.iter().map(|added| &added.item) {
        assert!(item.parent.as_ref().is_none_or(|parent| before.contains(parent)));
        assert!(item.depends_on.iter().all(|on| keys.contains(on) && *on != item.key));
        before.insert(&item.key);
    }
}
