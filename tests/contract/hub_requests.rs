//! Requests to a hub and its answers, as they were recorded: a hub and a client one version apart
//! have to understand each other.
//!
//! `TRUEUP_RECORD=1 cargo test -p trueup-tests --test contract hub_requests` records operations that
//! are not there yet. What is there stays: it is what an older version sends.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trueup_core::settings::DatabaseAddress;
use trueup_core::store::operations::prelude::*;
use trueup_core::{for_each_operation, request_field};
use trueup_remote::{HubReply, HubTransport, TransportError};

use crate::hub_fixture::new_hub_through;
use crate::round_trips::scenario::run_every_operation;

/// A request and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Recorded {
    request: Value,
    answer: Value,
}

type Recording = BTreeMap<String, Recorded>;

/// Keeps the first request of each operation that was answered.
struct Recorder {
    hub: Box<dyn HubTransport>,
    recording: Rc<RefCell<Recording>>,
}

impl HubTransport for Recorder {
    fn address(&self) -> DatabaseAddress {
        self.hub.address()
    }

    fn call(
        &mut self,
        operation: &str,
        arguments: &[u8],
        deadline: Deadline,
    ) -> std::result::Result<HubReply, TransportError> {
        let reply = self.hub.call(operation, arguments, deadline)?;
        if let HubReply::Done(answer) = &reply {
            let answer: Value = serde_json::from_slice(answer).unwrap();
            let request = serde_json::from_slice(arguments).unwrap();
            let recorded = Recorded { request, answer: answer["ok"].clone() };
            let mut recording = self.recording.borrow_mut();
            // An answer that says something is worth more.
            match recording.get(operation) {
                Some(earlier) if earlier.answer.to_string().len() > 4 => {}
                _ => drop(recording.insert(operation.to_owned(), recorded)),
            }
        }
        Ok(reply)
    }
}

fn record() -> Recording {
    let recording = Rc::new(RefCell::new(Recording::new()));
    let kept = Rc::clone(&recording);
    let mut hub = new_hub_through(|hub| Box::new(Recorder { hub, recording: kept }));
    hub.run_with_age(|store, age| run_every_operation(store, age));
    hub.run_commands();
    recording.take()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/rpc")
}

/// Reads what was recorded once.
fn load() -> Recording {
    let read = |name: &str| {
        let path = folder().join(format!("{name}.json"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; TRUEUP_RECORD=1 records it", path.display())
        });
        (name.to_owned(), serde_json::from_str(&text).unwrap())
    };
    NAMES.iter().map(|name| read(name)).collect()
}

macro_rules! define_readers {
    (stores { $($store:ident { $($operations:tt)* })* } commands { $($commands:tt)* }) => {
        define_readers! { @rows $($($operations)*)* $($commands)* }
    };
    (@rows $($access:ident $name:ident($($mode:ident $argument:ident: $type:ty),*)
        -> $answer:ty $(, by $ids:expr)?;)*) => {
        /// The names of the operations.
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Reads a request as a hub does, and writes it again.
        fn reread_request(operation: &str, request: Value) -> serde_json::Result<Value> {
            match operation {
                $(stringify!($name) => {
                    #[derive(Serialize, Deserialize)]
                    struct Request {
                        $($argument: request_field!($mode $type)),*
                    }
                    serde_json::to_value(serde_json::from_value::<Request>(request)?)
                })*
                other => panic!("no operation {other}"),
            }
        }

        /// Reads an answer as a client does, and writes it again.
        fn reread_answer(operation: &str, answer: Value) -> serde_json::Result<Value> {
            match operation {
                $(stringify!($name) => {
                    serde_json::to_value(serde_json::from_value::<$answer>(answer)?)
                })*
                other => panic!("no operation {other}"),
            }
        }
    };
}

for_each_operation!(define_readers);

type Reread = fn(&str, Value) -> serde_json::Result<Value>;

/// Both directions of everything recorded.
fn check_each(check: impl Fn(&str, Reread, &Value)) {
    for (name, Recorded { request, answer }) in load() {
        check(
            &format!("{name} request"),
            |what, it| reread_request(first_word(what), it),
            &request,
        );
        check(&format!("{name} answer"), |what, it| reread_answer(first_word(what), it), &answer);
    }
}

fn first_word(what: &str) -> &str {
    what.split(' ').next().unwrap()
}

#[test]
fn every_operation_is_recorded_and_read_as_it_was() {
    let recorded = record();
    let names: BTreeSet<&str> = recorded.keys().map(String::as_str).collect();
    assert_eq!(names, NAMES.iter().copied().collect(), "the scenario runs every operation");
    if std::env::var_os("TRUEUP_RECORD").is_some() {
        fs::create_dir_all(folder()).unwrap();
        for (name, recorded) in recorded {
            let path = folder().join(format!("{name}.json"));
            if !path.exists() {
                let text = serde_json::to_string_pretty(&recorded).unwrap();
                fs::write(path, text + "\n").unwrap();
            }
        }
    }
    check_each(|what, reread, recorded| {
        let now = reread(what, recorded.clone()).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_contains(what, recorded, &now);
    });
}

/// Checks that nothing of what was recorded is lost; fields may have been added.
fn assert_contains(place: &str, recorded: &Value, now: &Value) {
    match (recorded, now) {
        (Value::Object(recorded), Value::Object(now)) => {
            for (key, value) in recorded.iter().filter(|(key, _)| *key != "deadline") {
                let place = format!("{place}.{key}");
                let now = now.get(key).unwrap_or_else(|| panic!("{place} is lost"));
                assert_contains(&place, value, now);
            }
        }
        (Value::Array(recorded), Value::Array(now)) if recorded.len() == now.len() => {
            for (number, (value, now)) in recorded.iter().zip(now).enumerate() {
                assert_contains(&format!("{place}[{number}]"), value, now);
            }
        }
        _ => assert_eq!(recorded, now, "{place}"),
    }
}

/// Where the keys of an object are names and its values all alike, so that another key is no unknown
/// field: fields of a state, elements of a hand-off, places by machine.
const CLOSED: &[&str] = &["changes", "fields", "elements", "places"];

/// Returns each way to add an unknown field to one object of a value.
fn add_unknown_fields(value: &Value, name: &str) -> Vec<Value> {
    match value {
        Value::Object(fields) => {
            let mut ways = Vec::new();
            if !CLOSED.contains(&name) && !is_variant(fields) {
                let mut with = fields.clone();
                with.insert("of_a_newer_version".to_owned(), json!({"x": [1]}));
                ways.push(Value::Object(with));
            }
            for (key, inner) in fields {
                ways.extend(add_unknown_fields(inner, key).into_iter().map(|inner| {
                    let mut with = fields.clone();
                    with.insert(key.clone(), inner);
                    Value::Object(with)
                }));
            }
            ways
        }
        Value::Array(values) => (0..values.len())
            .flat_map(|place| {
                add_unknown_fields(&values[place], name).into_iter().map(move |inner| {
                    let mut with = values.clone();
                    with[place] = inner;
                    Value::Array(with)
                })
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The variants of enums that have content.
const VARIANTS: &[&str] = &[
    "Err",
    "Ok",
    "applied",
    "complete",
    "held_by",
    "here",
    "item",
    "nothing",
    "offer",
    "refused",
    "removed",
    "session",
    "start",
    "started",
    "superseded",
    "taken_over",
];

fn is_variant(fields: &Map<String, Value>) -> bool {
    fields.len() == 1 && fields.keys().all(|key| VARIANTS.contains(&key.as_str()))
}

#[test]
fn a_field_of_a_newer_version_is_ignored() {
    let refused = RefCell::new(BTreeSet::new());
    check_each(|what, reread, recorded| {
        for newer in add_unknown_fields(recorded, "") {
            if let Err(error) = reread(what, newer.clone()) {
                refused.borrow_mut().insert(format!("{what}: {error}: {newer}"));
            }
        }
    });
    let refused = refused.into_inner();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn an_optional_field_may_be_left_out() {
    check_each(|what, reread, recorded| {
        let mut sparse = recorded.clone();
        remove_nulls(&mut sparse);
        let now = reread(what, sparse.clone()).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_contains(what, &sparse, &now);
    });
}

/// Removes the fields that are `null`, but what an event has before and after: there it is a value.
fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| {
                !value.is_null() || ["before", "after"].contains(&name.as_str())
            });
            fields.values_mut().for_each(remove_nulls);
        }
        Value::Array(values) => values.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}
