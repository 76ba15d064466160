//! Metadata files: every byte that a change does not concern stays.

use serde_json::{Map, Value};
use trueup_core::metadata::{Document, Literal, OWNED, State, examine, unparsable, writer};
use trueup_core::model::AdwId;
use trueup_core::reconcile::Divergence;
use trueup_core::text::lenient;

use crate::text::{assert_one_line, lines};

const PATH: &str = "agents/77c90e61/adw_state.json";

/// Checks a file.
pub fn check(bytes: &[u8]) {
    let id: AdwId = "77c90e61".parse().expect("it is an id");
    let document = match Document::parse(bytes) {
        Ok(document) => document,
        Err(error) => {
            assert!(error.line <= lines(bytes), "{error}");
            return told(&[unparsable(&id, PATH, &error)]);
        }
    };
    assert_eq!(document.render(), bytes);
    let map: Map<String, Value> = lenient::from_slice(bytes).expect("it was read");
    assert_eq!(document.to_map(), map);
    let _ = State::of(&document);
    told(&examine(&id, PATH, &document, writer(&document).as_deref()));

    let keys: Vec<&str> = document.keys().collect();
    let owned = keys
        .iter()
        .find(|key| OWNED.iter().any(|field| field.name == **key));
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
fn others<'d>(document: &'d Document, but: &str) -> Vec<(&'d str, Option<&'d str>)> {
    let keys = document.keys().filter(|key| *key != but);
    keys.map(|key| (key, document.raw(key))).collect()
}

fn read(document: &Document) -> Document {
    let again = Document::parse(&document.render()).expect("what is written can be read");
    assert_eq!(again.render(), document.render());
    again
}

fn changed(document: &Document, key: &str) {
    for value in ["0.10", "a \"b\"\u{1}", "{\"x\": [1e400]}"] {
        let literal = Literal::of(value);
        let mut after = document.clone();
        after.set(key, &literal);
        let again = read(&after);
        assert_eq!(again.raw(key), after.raw(key));
        assert_eq!(others(&again, key), others(document, key));
        let mut twice = again.clone();
        twice.set(key, &literal);
        assert_eq!(twice.render(), again.render());
        // A field that was there gets back what it was.
        if let Some(raw) = document.raw(key) {
            twice.set(key, &Literal::of(raw));
            assert_eq!(twice.render(), document.render());
        } else {
            twice.remove(key);
            assert_eq!(others(&read(&twice), key), others(document, key));
        }
    }
}

fn removed(document: &Document, key: &str) {
    let mut after = document.clone();
    assert!(after.remove(key));
    let again = read(&after);
    assert_eq!(again.raw(key), None);
    assert_eq!(others(&again, key), others(document, key));
}
