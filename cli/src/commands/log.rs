//! `trueup log`

use std::time::Duration;

use serde_json::{Value, json};
use trueup_core::model::{Event, EventFilter, SessionId, Timestamp};
use trueup_core::store::Store as _;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::text::one_line;

use super::plain;
use crate::args::LogArgs;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure, REFUSED};
use crate::json;
use crate::report::{Answer, Stream, say};
use crate::span::Span;
use crate::speaker::{PERSON, find_session};

/// How long one wait for a change may last; then the next begins.
const PATIENCE: Duration = Duration::from_hours(1);

/// Longest value shown, in characters.
const LONGEST: usize = 80;

/// Things that events are of.
const ENTITIES: [&str; 12] = [
    "session",
    "item",
    "phase",
    "plan",
    "plan_task",
    "orchestrator",
    "handoff",
    "port",
    "repo",
    "metadata",
    "workplan",
    "database",
];

/// What happens to them.
const KINDS: [&str; 27] = [
    "registered",
    "ended",
    "changed",
    "added",
    "claimed",
    "taken_over",
    "released",
    "refused",
    "status",
    "reopened",
    "dependencies",
    "removed",
    "created",
    "accepted",
    "rejected",
    "reserved",
    "started",
    "stopping",
    "stopped",
    "crashed",
    "checkpoint",
    "pruned",
    "state",
    "metadata",
    "active",
    "idle",
    "lost",
];

pub(super) fn run(desk: &Desk, arguments: &LogArgs) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    let now = store.now()?;
    let since = arguments.since.as_deref();
    let since = since.map(|text| moment(text, now)).transpose()?;
    let warning = warn_of_future(since, now);
    let session = match &desk.named {
        None => None,
        Some(id) => Some(logged_session(&mut store, id)?),
    };
    let mut filter = EventFilter {
        after: arguments.after.unwrap_or(0),
        item: arguments.item.as_ref().map(ToString::to_string),
        session: session.map(|id| id.to_string()),
        entity: arguments.entity.clone(),
        kind: arguments.kind.clone(),
        actor: arguments.actor.clone(),
        op_id: None,
        since,
        // The store bounds from the newest end, so that who pages by cursor asks for all.
        limit: arguments.after.map_or(arguments.limit, |_| 0),
    };
    let mut seen = store.seen()?;
    let mut events = store.events(&filter)?;
    if events.is_empty() {
        refuse_unknown(&mut store, arguments)?;
    }
    if arguments.after.is_some() && arguments.limit > 0 {
        events.truncate(usize::try_from(arguments.limit).unwrap_or(usize::MAX));
    }
    let next = events.last().map_or(filter.after, |event| event.seq);
    if !arguments.follow {
        let mut text: Vec<String> = events.iter().map(line).collect();
        if text.is_empty() {
            text.push("no events".to_owned());
        }
        let rows: Vec<_> = events.iter().map(json::event).collect();
        let answer = Answer {
            warnings: warning.into_iter().collect(),
            ..Answer::new(text, json!({"events": rows, "next": next}))
        };
        return Ok(if events.is_empty() {
            answer
        } else {
            answer.columns(&format!("{:>6} {:<24} WHAT", "SEQ", "AT"))
        });
    }
    if let Some(warning) = warning {
        say(&format!("warning: {warning}"));
    }
    let mut stream = Stream::new(desk.json);
    filter.after = next;
    filter.limit = 0;
    let mut batch = events;
    loop {
        for event in &batch {
            let written = stream.print(|| json!(json::event(event)), || vec![line(event)]);
            // A reader that went away ends the following.
            if written.is_err() {
                return Ok(Answer::default());
            }
            filter.after = event.seq;
        }
        batch = match store.wait_for_change(seen, PATIENCE)? {
            None => Vec::new(),
            Some(later) => {
                seen = later;
                store.events(&filter)?
            }
        };
    }
}

/// Finds the session whose events are asked for: one that was pruned is in the log alone.
fn logged_session(store: &mut SqliteStore, id: &SessionId) -> Result<SessionId, Failure> {
    match find_session(store, id) {
        Ok(session) => Ok(session.id),
        Err(failure) if failure.exit() == REFUSED => {
            let of_session = EventFilter {
                session: Some(id.to_string()),
                limit: 1,
                ..EventFilter::default()
            };
            if store.events(&of_session)?.is_empty() {
                return Err(failure);
            }
            Ok(id.clone())
        }
        Err(failure) => Err(failure),
    }
}

/// Refuses a filter for what is not there. What was removed is in the log alone, so this is asked
/// only where the log has nothing either.
fn refuse_unknown(store: &mut SqliteStore, arguments: &LogArgs) -> Result<(), Failure> {
    let mut is_logged = |filter: EventFilter| -> Result<bool, Failure> {
        let one = EventFilter { limit: 1, ..filter };
        Ok(!store.events(&one)?.is_empty())
    };
    let unknown = |case, what: &str, name: &str| {
        let message = format!("no {what} named {name}");
        Err(Failure::new(case, message))
    };
    if let Some(kind) = arguments
        .kind
        .as_deref()
        .filter(|kind| !KINDS.contains(kind))
    {
        let of_kind = EventFilter {
            kind: Some(kind.to_owned()),
            ..EventFilter::default()
        };
        if !is_logged(of_kind)? {
            return unknown(ErrorCase::EventKindNotFound, "kind of event", kind);
        }
    }
    if let Some(entity) = arguments
        .entity
        .as_deref()
        .filter(|entity| !ENTITIES.contains(entity))
    {
        let of_entity = EventFilter {
            entity: Some(entity.to_owned()),
            ..EventFilter::default()
        };
        if !is_logged(of_entity)? {
            return unknown(ErrorCase::EntityNotFound, "entity", entity);
        }
    }
    if let Some(actor) = arguments
        .actor
        .as_deref()
        .filter(|actor| ![PERSON, "sql"].contains(actor))
    {
        let by_actor = EventFilter {
            actor: Some(actor.to_owned()),
            ..EventFilter::default()
        };
        let is_session = |store: &mut SqliteStore| -> Result<bool, Failure> {
            match actor.parse() {
                Ok(id) => Ok(store.session(&id)?.is_some()),
                Err(_) => Ok(false),
            }
        };
        if !is_logged(by_actor)? && !is_session(store)? {
            return unknown(ErrorCase::ActorNotFound, "actor", actor);
        }
    }
    match &arguments.item {
        Some(item) if store.item(item)?.is_none() => {
            let of_item = EventFilter {
                item: Some(item.to_string()),
                limit: 1,
                ..EventFilter::default()
            };
            if store.events(&of_item)?.is_empty() {
                return Err(Failure::no_item(item));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Reads a time, or how long ago it was. A number alone may be either, and is neither.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let has_unit = text.ends_with(|c: char| c.is_ascii_lowercase());
    if let (true, Ok(Span(seconds))) = (has_unit, text.parse()) {
        let millis = i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
        return Ok(Timestamp::from_millis(
            now.as_millis().saturating_sub(millis),
        ));
    }
    text.parse()
        .map_err(|error| Failure::new(ErrorCase::BadTime, format!("--since: {error}")))
}

/// Warns of a time that is still to come: nothing can have happened since.
fn warn_of_future(since: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let since = since.filter(|since| *since > now)?;
    Some(format!(
        "--since: {since} is in the future; it is {now} now"
    ))
}

/// Shows an event.
pub(super) fn line(event: &Event) -> String {
    let reason = event
        .reason
        .as_deref()
        .map_or(String::new(), |r| format!(" ({})", one_line(r, LONGEST)));
    format!(
        "{:>6} {} {} {} {}{reason}{} by {}",
        event.seq,
        event.at,
        event.entity,
        event.key,
        event.kind,
        difference(event),
        event.actor
    )
}

/// Shows what changed, from what, to what.
fn difference(event: &Event) -> String {
    let (Value::Object(after), before) = (&event.after, &event.before) else {
        return String::new();
    };
    let flat = |value: &Value| -> Vec<(String, Value)> {
        let Value::Object(map) = value else {
            return Vec::new();
        };
        map.iter()
            .flat_map(|(key, value)| match value {
                Value::Object(inner) if key == "execution_state" => {
                    inner.iter().map(|(k, v)| (k.clone(), v.clone())).collect()
                }
                _ => vec![(key.clone(), value.clone())],
            })
            .filter(|(key, _)| !key.starts_with("last"))
            .collect()
    };
    let old = flat(before);
    let changes: Vec<String> = flat(&Value::Object(after.clone()))
        .into_iter()
        .filter_map(|(key, new)| {
            let old = old
                .iter()
                .find(|(k, _)| *k == key)
                .map_or(Value::Null, |(_, v)| v.clone());
            (old != new).then(|| {
                let shown = |v: &Value| one_line(&plain(v), LONGEST);
                format!(" {key}: {} -> {}", shown(&old), shown(&new))
            })
        })
        .collect();
    changes.join(",")
}
