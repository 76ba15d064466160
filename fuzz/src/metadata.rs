//! Metadata files: every byte that a change does not concern stays.

use serde_json::{Map, Value};
use trueup_core::diagnostic::Divergence;
use trueup_core::metadata::{
    AdwState, DATABASE_FIELDS, JsonDocument, JsonLiteral, check_metadata, find_last_writer,
    unparsable_finding,
};
use trueup_core::model::AdwId;
use trueup_core::text::lenient_json;

use crate::text::{assert_one_line, lines};

const PATH: &str = "agents/77c90e61/adw_state.json";

/// Checks a file.
pub fn check(bytes: &[u8]) {
    let id: AdwId = "77c90e61".parse().expect("it is an id");
    let document = match JsonDocument::parse(bytes) {
        Ok(document) => document,
        Err(error) => {
            assert!(error.line <= lines(bytes), "{error}");
            return told(&[unparsable_finding(&id, PATH, &error)]);
        }
    };
    assert_eq!(document.render(), bytes);
    let map: Map<String, Value> = lenient_json::from_slice(bytes).expect("it was read");
    assert_eq!(document.to_map(), map);
    let _ = AdwState::from_document(&document);
    told(&check_metadata(&id, PATH, &document, find_last_writer(&document).as_deref()));

    let keys: Vec<&str> = document.keys().collect();
    let owned = keys.iter().find(|key| DATABASE_FIELDS.iter().any(|field| field.name == **key));
    for key in keys.first().into_iter().chain(keys.last()).chain(owned) {
        changed(&document, key);
        removed(&document, key);
    }
    changed(&document, "a new \"one\"\n");
}

fn told(found: &[Divergence]) {
    for divergence in found {
        assert_one_line(&divergence.message);
        assert_one_line(divergence.found.as_deref().unwrap_or_default());
    }
}

/// Returns the fields as they are written, but for one.
fn others<'d>(document: &'d JsonDocument, but: &str) -> Vec<(&'d str, Option<&'d str>)> {
    let keys = document.keys().filter(|key| *key != but);
    keys.map(|key| (key, document.raw_value(key))).collect()
}

fn read(document: &JsonDocument) -> JsonDocument {
    let again = JsonDocument::parse(&document.render()).expect("what is written can be read");
    assert_eq!(again.render(), document.render());
    again
}

fn changed(document: &JsonDocument, key: &str) {
    for value in ["0.10", "a \"b\"\u{1}", "{\"x\": [1e400]}"] {
        let literal = JsonLiteral::from_json_or_text(value);
        let mut after = document.clone();
        after.set_field(key, &literal);
        let again = read(&after);
        assert_eq!(again.raw_value(key), after.raw_value(key));
        assert_eq!(others(&again, key), others(document, key));
        let mut twice = again.clone();
        twice.set_field(key, &literal);
        assert_eq!(twice.render(), again.render());
        if let Some(raw) = document.raw_value(key) {
            twice.set_field(key, &JsonLiteral::from_json_or_text(raw));
            // A field that was there gets back what it was; what strict readers refuse is never
            // written as JSON.
            if serde_json::from_str::<Value>(raw).is_ok() {
                assert_eq!(twice.render(), document.render());
            }
        } else {
            twice.remove_field(key);
            assert_eq!(others(&read(&twice), key), others(document, key));
        }
    }
}

fn removed(document: &JsonDocument, key: &str) {
    let mut after = document.clone();
    assert!(after.remove_field(key));
    let again = read(&after);
    assert_eq!(again.raw_value(key), None);
    assert_eq!(others(&again, key), others(document, key));
}
