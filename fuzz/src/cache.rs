//! The cache's document: what is written is read back, and what others put there stays.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use trueup_core::cache::{CacheDocument, SyncStamp};
use trueup_core::model::{Lineage, Revision, StateField, Timestamp, WorkHistory, WorkState};
use trueup_core::text::lenient_json;

use crate::text::assert_one_line;

/// The keys that trueup writes beside the mirrored fields.
const WRITTEN: [&str; 8] = [
    "lastUpdatedAt",
    "lastInterruptedAt",
    "lastResumedAt",
    "resumeCount",
    "version",
    "branch",
    "sessionId",
    "_trueup",
];

/// Checks a file.
pub fn check(bytes: &[u8]) {
    let document = match CacheDocument::parse(bytes) {
        Ok(document) => document,
        Err(reason) => return assert_one_line(&reason),
    };
    let rendered = document.render();
    let again = CacheDocument::parse(&rendered).expect("what is written can be read");
    assert_eq!(again, document);
    assert_eq!(again.render(), rendered);
    assert!(again.has_same_content(&document));
    numbers(bytes, &rendered);
    let reading = document.to_reading();
    assert_eq!(again.to_reading(), reading);
    assert!(reading.fields.keys().all(|field| !reading.malformed.contains(field)));

    // A state made of what the file itself says, so that hostile texts are written too.
    let mut work = WorkState::default();
    for (field, value) in &reading.fields {
        work.set(*field, value.clone());
    }
    let session = reading.session.clone();
    let session = session.unwrap_or_else(|| "s1".parse().expect("it is an id"));
    let stamp = SyncStamp {
        lineage: reading.lineage.clone().unwrap_or_else(|| Lineage("l".to_owned())),
        revision: Revision(7),
        synced_at: Timestamp::from_millis(0),
    };
    let branch = reading.branch.as_deref();
    let history = WorkHistory::default();
    let trued = document.trued_up(&session, &work, &history, branch, &stamp);
    let text = trued.render();
    let read = CacheDocument::parse(&text).expect("what is written can be read");
    assert_eq!(read, trued);
    let said = read.to_reading();
    assert!(said.is_stamped() && said.edited.is_empty() && said.malformed.is_empty());
    assert_eq!(said.session, Some(session.clone()));
    assert_eq!(said.revision, Some(stamp.revision));
    assert_eq!(said.branch, reading.branch);
    for (field, value) in &reading.fields {
        assert_eq!(said.fields.get(field), Some(value));
    }
    assert_eq!(said.fields.len(), StateField::ALL.len());
    assert_eq!(foreign(&text), foreign(&rendered));
    let twice = trued.trued_up(&session, &work, &history, branch, &stamp);
    assert_eq!(twice, trued);
}

/// No field is lost, and no digit of a number, also where no type of Rust holds it.
fn numbers(before: &[u8], after: &[u8]) {
    let [before, after] = [before, after].map(|text| {
        let fields: BTreeMap<String, Box<RawValue>> =
            lenient_json::from_slice(text).expect("it was read");
        fields
    });
    assert!(before.keys().eq(after.keys()));
    // An exponent may be spelled in two ways.
    let digits = |raw: &RawValue| raw.get().replace('+', "").to_lowercase();
    for (key, raw) in &before {
        if raw.get().starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            assert_eq!(digits(&after[key]), digits(raw));
        }
    }
}

/// Returns what is not trueup's, in its order.
fn foreign(text: &[u8]) -> Vec<(String, String)> {
    let map: Map<String, Value> = lenient_json::from_slice(text).expect("it was written");
    let is_ours = |key: &str| WRITTEN.contains(&key) || StateField::from_key(key).is_some();
    let foreign = map.into_iter().filter(|(key, _)| !is_ours(key));
    foreign.map(|(key, value)| (key, value.to_string())).collect()
}
