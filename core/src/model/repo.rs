//! Repositories, and the state that they share with each other.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{RepoSlug, Timestamp};

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repo {
    /// Its name.
    pub slug: RepoSlug,
    /// Whether it neither shares its state nor receives that of others.
    pub passive: bool,
    /// Its location by machine.
    pub places: BTreeMap<String, RepoPlace>,
    /// What is known of its state.
    pub state: Option<StateSummary>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When its properties or locations last changed.
    pub updated_at: Timestamp,
}

/// The location of a repository on a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoPlace {
    /// The host name of the machine, for people.
    pub host: String,
    /// The path.
    pub path: String,
    /// Additional clones and worktrees on that machine.
    pub checkouts: Vec<String>,
    /// The normalized name of its remote, or `None` without a remote.
    pub identity: Option<String>,
}

/// A shared state without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateSummary {
    /// When it was shared.
    pub synced_at: Timestamp,
    /// Who shared it.
    pub synced_by: String,
    /// SHA-256 of the file, in hexadecimal.
    pub source_digest: String,
    /// SHA-256 of the shared text, in hexadecimal.
    pub digest: String,
    /// How many secrets of the file were redacted in the text.
    pub redacted: u64,
    /// A summary of one line.
    pub summary: String,
}

/// The state of a repository as other repositories may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoState {
    /// Everything but the text.
    pub head: StateSummary,
    /// The text.
    pub content: String,
}

impl Repo {
    /// Returns its path on a machine.
    pub fn path_on(&self, machine: &str) -> Option<&str> {
        self.places.get(machine).map(|place| place.path.as_str())
    }

    /// Lists its checkouts on a machine, the main one first.
    pub fn checkouts_on(&self, machine: &str) -> impl Iterator<Item = &str> {
        let place = self.places.get(machine).into_iter();
        place.flat_map(|place| {
            let additional_checkouts = place.checkouts.iter().map(String::as_str);
            std::iter::once(place.path.as_str()).chain(additional_checkouts)
        })
    }

    /// Returns whether a path on a machine is one of its checkouts.
    pub fn has_checkout(&self, machine: &str, path: &str) -> bool {
        self.checkouts_on(machine).any(|place| place == path)
    }

    /// Returns what an event records of it.
    pub fn event_facts(&self) -> Value {
        json!({"passive": self.passive, "places": places_to_json(&self.places)})
    }
}

impl RepoPlace {
    /// Merges this location into the one before: as an additional checkout, or as the new main path.
    /// Paths in `gone` are dropped.
    pub(crate) fn merge_with(
        self,
        before: Option<&Self>,
        is_additional: bool,
        gone: &[String],
    ) -> Self {
        let Some(before) = before else {
            return self;
        };
        let (path, additional) =
            if is_additional { (before.path.clone(), Some(self.path)) } else { (self.path, None) };
        let mut checkouts = before.checkouts.clone();
        checkouts.extend(additional);
        checkouts.retain(|checkout| *checkout != path && !gone.contains(checkout));
        let mut seen = std::collections::BTreeSet::new();
        checkouts.retain(|checkout| seen.insert(checkout.clone()));
        Self {
            host: self.host,
            path,
            checkouts,
            identity: self.identity.or_else(|| before.identity.clone()),
        }
    }
}

impl StateSummary {
    /// Returns what an event records of a state; its text is never recorded.
    pub fn event_facts(&self) -> Value {
        json!({"digest": self.digest, "redacted": self.redacted, "summary": self.summary})
    }
}

/// Renders the locations as they are stored.
pub(crate) fn places_to_json(places: &BTreeMap<String, RepoPlace>) -> Value {
    let place = |(machine, place): (&String, &RepoPlace)| {
        let mut value = json!({"host": place.host, "path": place.path});
        if let Some(object) = value.as_object_mut() {
            if !place.checkouts.is_empty() {
                object.insert("checkouts".to_owned(), json!(place.checkouts));
            }
            if let Some(identity) = &place.identity {
                object.insert("identity".to_owned(), json!(identity));
            }
        }
        (machine.clone(), value)
    };
    Value::Object(places.iter().map(place).collect())
}

/// Parses stored locations. Entries of another form are skipped.
pub(crate) fn parse_places(value: &Value) -> BTreeMap<String, RepoPlace> {
    let place = |(machine, value): (&String, &Value)| {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let place = RepoPlace {
            host: text("host").unwrap_or_default().to_owned(),
            path: text("path")?.to_owned(),
            checkouts: {
                let list = value.get("checkouts").and_then(Value::as_array);
                let paths = list.into_iter().flatten().filter_map(Value::as_str);
                paths.map(str::to_owned).collect()
            },
            identity: text("identity").map(str::to_owned),
        };
        Some((machine.clone(), place))
    };
    let places = value.as_object().into_iter().flatten();
    places.filter_map(place).collect()
}
