//! What a log is filtered by, and what of that is unknown.

use trueup_core::model::{EventFilter, EventKind, SessionId, Timestamp};
use trueup_core::store::Store;

use super::arguments::LogArgs;
use crate::command_context::{PERSON_ACTOR, find_session_by_prefix};
use crate::command_error::{CommandError, CommandResult, LogCase, REFUSED, UsageCase};
use crate::human_duration::HumanDuration;

/// Entities of events.
pub(super) const KNOWN_ENTITIES: [&str; 14] = [
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

/// Finds the session to filter by; a pruned one exists only in the log.
pub(super) fn find_logged_session(
    store: &mut dyn Store,
    id: &SessionId,
) -> CommandResult<SessionId> {
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
pub(super) fn check_filters_known(store: &mut dyn Store, arguments: &LogArgs) -> CommandResult<()> {
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
pub(super) fn parse_since(text: &str, now: Timestamp) -> CommandResult<Timestamp> {
    let has_unit = text.ends_with(|c: char| c.is_ascii_lowercase());
    if let (true, Ok(HumanDuration(seconds))) = (has_unit, text.parse()) {
        let millis = i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
        return Ok(Timestamp::from_millis(now.as_millis().saturating_sub(millis)));
    }
    text.parse().map_err(|error| CommandError::new(UsageCase::BadTime, format!("--since: {error}")))
}

/// Warns of a time in the future, since which nothing can have happened.
pub(super) fn warn_of_future(since: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let since = since.filter(|since| *since > now)?;
    Some(format!("--since: {since} is in the future; it is {now} now"))
}
