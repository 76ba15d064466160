//! `trueup log`: listing, filtering and following events, and rendering one as a line.

use std::time::Duration;

use crate::command_context::CommandContext;
use crate::command_context::{PERSON_ACTOR, find_session_by_prefix};
use crate::command_error::{CommandError, CommandResult, LogCase, REFUSED, UsageCase};
use crate::human_duration::HumanDuration;
use crate::number_argument::{parse_natural, parse_whole_number};
use crate::output::Output;
use crate::printer::{OutputStream, print_status};
use clap::Args;
use serde_json::{Value, json};
use trueup_core::model::{
    Event, EventFilter, EventKind, EventOrder, ItemKey, SessionId, Timestamp,
};
use trueup_core::store::Store;
use trueup_core::text::one_line;
use trueup_core::views::EventView;

use super::value_text::render_json_value;

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// Only events of this item and its phases
    #[arg(long, value_name = "KEY")]
    pub(crate) item: Option<ItemKey>,
    /// Only events of this entity, such as item, phase, session or port
    #[arg(long, value_name = "E")]
    pub(crate) entity: Option<String>,
    /// Only events of this kind, such as claimed, released, status or reopened
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Only events by this actor: a session id, a user, or sql
    #[arg(long, value_name = "A")]
    pub(crate) actor: Option<String>,
    /// Only events since this time, such as 2026-02-02T03:00:00Z or 2026-02-02 (UTC by default),
    /// or since a duration ago, such as 2h, 1h30m or 1w
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,
    /// Only events after this cursor, the `next` value of an earlier answer
    #[arg(long, value_name = "SEQ", allow_negative_numbers = true, value_parser = parse_natural)]
    pub(crate) after: Option<i64>,
    /// Maximum number of events: the newest, or the next ones with --after; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50, allow_negative_numbers = true, value_parser = parse_whole_number::<u32>)]
    pub(crate) limit: u32,
    /// Keep running and print new events
    #[arg(long)]
    pub(crate) follow: bool,
}

/// Length of one wait for a change. The next one follows.
const WAIT_PATIENCE: Duration = Duration::from_hours(1);

/// Longest value shown, in characters.
const MAX_VALUE_CHARS: usize = 80;

/// Entities of events.
const KNOWN_ENTITIES: [&str; 14] = [
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
    "token",
    "attention",
    "database",
];

pub(super) fn cmd_log(context: &CommandContext, arguments: &LogArgs) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let now = store.database_time()?;
    let since = arguments.since.as_deref();
    let since = since.map(|text| parse_since(text, now)).transpose()?;
    let warning = warn_of_future(since, now);
    let session = match &context.named_session {
        None => None,
        Some(id) => Some(find_logged_session(store, id)?),
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
        limit: arguments.limit,
        order: if arguments.after.is_some() { EventOrder::Oldest } else { EventOrder::Newest },
    };
    let mut change_mark = store.change_mark()?;
    let events = store.list_events(&filter)?;
    if events.is_empty() {
        check_filters_known(store, arguments)?;
    }
    let next_cursor = events.last().map_or(filter.after, |event| event.seq);
    if !arguments.follow {
        let views: Vec<_> = events.iter().map(EventView::from).collect();
        return Ok(Output::table(
            &format!("{:>6} {:<24} WHAT", "SEQ", "AT"),
            events.iter().map(render_event),
            "no events",
            json!({"events": views, "next": next_cursor}),
        )
        .with_warnings(warning));
    }
    if let Some(warning) = warning {
        print_status(&format!("warning: {warning}"));
    }
    let mut stream = OutputStream::new(context.json);
    filter.after = next_cursor;
    filter.limit = 0;
    let mut batch = events;
    loop {
        for event in &batch {
            let written =
                stream.print_item(|| json!(EventView::from(event)), || vec![render_event(event)]);
            // A closed pipe ends the command.
            if written.is_err() {
                return Ok(Output::default());
            }
            filter.after = event.seq;
        }
        batch = match store.wait_for_change(change_mark, WAIT_PATIENCE)? {
            None => Vec::new(),
            Some(later) => {
                change_mark = later;
                store.list_events(&filter)?
            }
        };
    }
}

/// Finds the session to filter by; a pruned one exists only in the log.
fn find_logged_session(store: &mut dyn Store, id: &SessionId) -> CommandResult<SessionId> {
    match find_session_by_prefix(store, id) {
        Ok(session) => Ok(session.id),
        Err(error) if error.exit_code() == REFUSED => {
            let session_filter =
                EventFilter { session: Some(id.to_string()), limit: 1, ..EventFilter::default() };
            if store.list_events(&session_filter)?.is_empty() {
                return Err(error);
            }
            Ok(id.clone())
        }
        Err(error) => Err(error),
    }
}

/// Refuses a filter that names something unknown. Removed rows exist only in the log, so this is
/// checked only where no event matches.
fn check_filters_known(store: &mut dyn Store, arguments: &LogArgs) -> CommandResult<()> {
    let mut is_logged = |filter: EventFilter| -> CommandResult<bool> {
        let one = EventFilter { limit: 1, ..filter };
        Ok(!store.list_events(&one)?.is_empty())
    };
    let unknown = |case, what: &str, name: &str| {
        let message = format!("no {what} named {name}");
        Err(CommandError::new(case, message))
    };
    if let Some(kind) = arguments
        .kind
        .as_deref()
        .filter(|kind| EventKind::ALL.iter().all(|known| known.as_str() != *kind))
    {
        let kind_filter = EventFilter { kind: Some(kind.to_owned()), ..EventFilter::default() };
        if !is_logged(kind_filter)? {
            let kinds = EventKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>();
            let kinds = kinds.join(", ");
            return unknown(LogCase::EventKindNotFound { kinds }, "kind of event", kind);
        }
    }
    if let Some(entity) =
        arguments.entity.as_deref().filter(|entity| !KNOWN_ENTITIES.contains(entity))
    {
        let entity_filter =
            EventFilter { entity: Some(entity.to_owned()), ..EventFilter::default() };
        if !is_logged(entity_filter)? {
            let entities = KNOWN_ENTITIES.join(", ");
            return unknown(LogCase::EntityNotFound { entities }, "entity", entity);
        }
    }
    if let Some(actor) =
        arguments.actor.as_deref().filter(|actor| ![PERSON_ACTOR, "sql"].contains(actor))
    {
        let actor_filter = EventFilter { actor: Some(actor.to_owned()), ..EventFilter::default() };
        let is_session = |store: &mut dyn Store| -> CommandResult<bool> {
            match actor.parse() {
                Ok(id) => Ok(store.load_session(&id)?.is_some()),
                Err(_) => Ok(false),
            }
        };
        if !is_logged(actor_filter)? && !is_session(store)? {
            return unknown(LogCase::ActorNotFound, "actor", actor);
        }
    }
    match &arguments.item {
        Some(item) if store.load_item(item)?.is_none() => {
            let item_filter =
                EventFilter { item: Some(item.to_string()), limit: 1, ..EventFilter::default() };
            if store.list_events(&item_filter)?.is_empty() {
                return Err(CommandError::item_not_found(item));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Parses a time, or a duration before now. A bare number is ambiguous and is refused.
fn parse_since(text: &str, now: Timestamp) -> CommandResult<Timestamp> {
    let has_unit = text.ends_with(|c: char| c.is_ascii_lowercase());
    if let (true, Ok(HumanDuration(seconds))) = (has_unit, text.parse()) {
        let millis = i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
        return Ok(Timestamp::from_millis(now.as_millis().saturating_sub(millis)));
    }
    text.parse().map_err(|error| CommandError::new(UsageCase::BadTime, format!("--since: {error}")))
}

/// Warns of a time in the future, since which nothing can have happened.
fn warn_of_future(since: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let since = since.filter(|since| *since > now)?;
    Some(format!("--since: {since} is in the future; it is {now} now"))
}

/// Renders an event.
pub(super) fn render_event(event: &Event) -> String {
    let reason = event
        .reason
        .as_deref()
        .map_or(String::new(), |r| format!(" ({})", one_line(r, MAX_VALUE_CHARS)));
    let difference = match render_difference(event) {
        text if text.is_empty() => text,
        text => format!(": {text}"),
    };
    format!(
        "{:>6} {} {} {} {}{reason}{difference}",
        event.seq,
        event.at,
        render_author(event),
        describe_kind(event),
        match event.entity.as_str() {
            "item" => event.key.clone(),
            entity => format!("{entity} {}", event.key),
        },
    )
}

/// Renders who says that it was them, and by whose token or login it came to the database: only the
/// latter was checked.
pub(super) fn render_author(event: &Event) -> String {
    match &event.via {
        Some(via) if *via != event.actor => format!("{} via {via}", event.actor),
        _ => event.actor.clone(),
    }
}

/// Describes what the actor of an event did, as a verb.
pub(super) fn describe_kind(event: &Event) -> String {
    match event.kind.as_str() {
        "status" | "dependencies" | "metadata" => "changed".to_owned(),
        "taken_over" => "took over".to_owned(),
        "state" => "shared the state of".to_owned(),
        "active" | "idle" | "lost" | "crashed" | "stopping" => {
            format!("recorded as {}", event.kind)
        }
        "checkpoint" => "recorded a checkpoint of".to_owned(),
        verb => verb.replace('_', " "),
    }
}

/// Renders the fields that an event changed.
pub(super) fn render_difference(event: &Event) -> String {
    let (Value::Object(after), before) = (&event.after, &event.before) else {
        return String::new();
    };
    let flatten = |value: &Value| -> Vec<(String, Value)> {
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
    let old_values = flatten(before);
    let changes: Vec<String> = flatten(&Value::Object(after.clone()))
        .into_iter()
        .filter_map(|(key, new)| {
            let old =
                old_values.iter().find(|(k, _)| *k == key).map_or(Value::Null, |(_, v)| v.clone());
            (old != new).then(|| {
                let render_value = |v: &Value| one_line(&render_json_value(v), MAX_VALUE_CHARS);
                format!("{key} {} -> {}", render_value(&old), render_value(&new))
            })
        })
        .collect();
    changes.join(", ")
}
