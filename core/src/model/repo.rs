//! Repositories that know of each other's state (seed 2).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{RepoSlug, Timestamp};

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repo {
    /// Its name.
    pub slug: RepoSlug,
    /// Whether it neither gives its state nor takes that of others.
    pub passive: bool,
    /// Where it lies, by machine.
    pub places: BTreeMap<String, RepoPlace>,
    /// What is known of its state.
    pub state: Option<StateHead>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Last change of what it is and where it lies.
    pub updated_at: Timestamp,
}

/// Where a repository lies on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoPlace {
    /// The name of the machine, for a person.
    pub host: String,
    /// The path there.
    pub path: String,
}

/// What is known of a state beside its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateHead {
    /// Since when.
    pub synced_at: Timestamp,
    /// Who gave it.
    pub synced_by: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub source_digest: String,
    /// SHA-256 of the text below, in hexadecimal digits.
    pub digest: String,
    /// How many secrets of the file are replaced in the text.
    pub redacted: u64,
    /// The state in a line.
    pub summary: String,
}

/// The state of a repository, as others may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoState {
    /// Beside the text.
    pub head: StateHead,
    /// The text.
    pub content: String,
}

impl Repo {
    /// Returns where it lies on a machine.
    pub fn path_on(&self, machine: &str) -> Option<&str> {
        self.places.get(machine).map(|place| place.path.as_str())
    }

    /// Returns what an event shows of it.
    pub fn facts(&self) -> Value {
        json!({"passive": self.passive, "places": places_json(&self.places)})
    }
}

impl StateHead {
    /// Returns what an event shows of a state: never its text.
    pub fn facts(&self) -> Value {
        json!({"digest": self.digest, "redacted": self.redacted, "summary": self.summary})
    }
}

/// Returns the places as they are stored.
pub(crate) fn places_json(places: &BTreeMap<String, RepoPlace>) -> Value {
    let place = |(machine, place): (&String, &RepoPlace)| {
        let value = json!({"host": place.host, "path": place.path});
        (machine.clone(), value)
    };
    Value::Object(places.iter().map(place).collect())
}

/// Reads places as they are stored; what somebody else put there and is none is left out.
pub(crate) fn places_of(value: &Value) -> BTreeMap<String, RepoPlace> {
    let place = |(machine, value): (&String, &Value)| {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let place = RepoPlace {
            host: text("host").unwrap_or_default().to_owned(),
            path: text("path")?.to_owned(),
        };
        Some((machine.clone(), place))
    };
    let places = value.as_object().into_iter().flatten();
    places.filter_map(place).collect()
}
