//! What an item was at a moment, as its events tell.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    Epoch, Event, EventKind, Item, ItemKey, ItemPriority, ItemStatus, Revision, SessionId,
    Timestamp,
};

/// Why it cannot be said what an item was at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PastItemError {
    /// It had not been added.
    #[error("the item was added later")]
    NotYetAdded,
    /// The events that would tell were removed, or are not readable.
    #[error("the events of that time are not kept")]
    Unknown,
}

/// What events record of an item.
#[derive(Debug, Deserialize)]
struct ItemFacts {
    title: Option<String>,
    kind: String,
    parent: Option<ItemKey>,
    position: Option<i64>,
    repo: Option<String>,
    status: ItemStatus,
    phase: Option<String>,
    holder: Option<SessionId>,
    error_message: Option<String>,
    evidence: Option<String>,
    priority: Option<ItemPriority>,
}

/// Rebuilds an item as it was at a moment.
///
/// `events` are the events of this item, oldest first. Whether evidence is needed and which
/// dependencies are open is not recorded, and stays as it is now.
///
/// # Errors
///
/// When the item was added later, or the events of that time are not kept.
pub fn item_at(present: &Item, events: &[Event], at: Timestamp) -> Result<Item, PastItemError> {
    if present.created_at > at {
        return Err(PastItemError::NotYetAdded);
    }
    let first_later = events.iter().rposition(|event| event.at <= at).map_or(0, |last| last + 1);
    let (earlier, later) = events.split_at(first_later);
    if later.is_empty() {
        return Ok(present.clone());
    }
    if earlier.is_empty() {
        return Err(PastItemError::Unknown);
    }
    let mut item = present.clone();
    if let Some(next) = later.iter().find(|event| changes_facts(event)) {
        let facts = ItemFacts::deserialize(&next.before).map_err(|_| PastItemError::Unknown)?;
        facts.apply_to(&mut item);
    }
    if let Some(description) = find_recorded(later, "description") {
        item.description = read_recorded(description)?;
    }
    if let Some(extra) = find_recorded(later, "extra") {
        item.extra = read_recorded::<Map<_, _>>(extra)?.unwrap_or_default();
    }
    if let Some(next) = later.iter().find(|event| event.is_kind(EventKind::Dependencies)) {
        item.depends_on =
            Vec::deserialize(&next.before["depends_on"]).map_err(|_| PastItemError::Unknown)?;
    }
    let changes = later.iter().filter(|event| raises_revision(event)).count();
    item.revision = Revision(present.revision.0.saturating_sub(changes as u64));
    item.epoch = epoch_at(present, earlier, later);
    item.updated_at = find_last(earlier, raises_revision).unwrap_or(present.created_at);
    if later.iter().any(|event| changes_field(event, "holder")) {
        let claimed_at = find_last(earlier, |event| changes_field(event, "holder"));
        item.claimed_at = item.holder.as_ref().and(claimed_at);
    }
    if later.iter().any(|event| changes_field(event, "status")) {
        let finished_at = find_last(earlier, |event| changes_field(event, "status"));
        item.completed_at = finished_at.filter(|_| item.status.is_finished());
    }
    Ok(item)
}

impl ItemFacts {
    fn apply_to(self, item: &mut Item) {
        item.title = self.title;
        item.kind = self.kind;
        item.parent = self.parent;
        item.position = self.position;
        item.repo = self.repo;
        item.status = self.status;
        item.phase = self.phase;
        item.holder = self.holder;
        item.error_message = self.error_message;
        item.evidence = self.evidence;
        item.priority = self.priority;
    }
}

/// What a field was before the first of these events that records it. Events leave some fields out
/// that they did not change.
fn find_recorded<'e>(later: &'e [Event], field: &str) -> Option<&'e Value> {
    let mut changes = later.iter().filter(|event| changes_facts(event));
    changes.find_map(|event| event.before.get(field))
}

fn read_recorded<T: DeserializeOwned>(value: &Value) -> Result<Option<T>, PastItemError> {
    Option::deserialize(value).map_err(|_| PastItemError::Unknown)
}

/// The epoch of the newest claim by then: the one that an event names, or else as many fewer as
/// there were claims since.
fn epoch_at(present: &Item, earlier: &[Event], later: &[Event]) -> Epoch {
    earlier.iter().rev().find_map(|event| event.epoch).unwrap_or_else(|| {
        let is_claim =
            |event: &&Event| changes_field(event, "holder") && !event.after["holder"].is_null();
        let claims = later.iter().filter(is_claim).count();
        Epoch(present.epoch.0.saturating_sub(claims as u64))
    })
}

fn find_last(events: &[Event], is_wanted: impl Fn(&Event) -> bool) -> Option<Timestamp> {
    events.iter().rev().find(|event| is_wanted(event)).map(|event| event.at)
}

/// Whether an event raised the revision; one that added the item gave it its first.
fn raises_revision(event: &Event) -> bool {
    event.before.is_object() && event.after.is_object()
}

/// Whether an event changed what events record of an item, other than its dependencies.
fn changes_facts(event: &Event) -> bool {
    raises_revision(event) && !event.is_kind(EventKind::Dependencies)
}

fn changes_field(event: &Event, field: &str) -> bool {
    let value = |facts: &Value| facts[field].clone();
    event.after.is_object() && value(&event.before) != value(&event.after)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::fixture::sample_item;

    const fn minute(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000)
    }

    fn build_event(at: i64, kind: EventKind, before: Value, after: Value) -> Event {
        Event {
            seq: at,
            at: minute(at),
            actor: "a".to_owned(),
            entity: "item".to_owned(),
            key: "SD-002C".to_owned(),
            kind: kind.as_str().to_owned(),
            before,
            after,
            epoch: None,
            reason: None,
            op_id: None,
            via: None,
        }
    }

    /// What an event of a change records: nothing that may be long and stayed as it was.
    fn changed_facts(item: &Item, other: &Item) -> Value {
        let mut facts = item.event_facts();
        let fields = facts.as_object_mut().unwrap();
        if item.description == other.description {
            fields.remove("description");
        }
        if item.extra == other.extra {
            fields.remove("extra");
        }
        facts
    }

    /// Added, claimed, refused to another, given a dependency, described, completed: a minute each.
    fn build_history() -> (Vec<Item>, Vec<Event>) {
        let added = Item {
            epoch: Epoch(0),
            revision: Revision(1),
            claimed_at: None,
            completed_at: None,
            created_at: minute(1),
            updated_at: minute(1),
            ..sample_item(ItemStatus::Queued, None)
        };
        let claimed = Item {
            status: ItemStatus::Running,
            holder: Some("s1".parse().unwrap()),
            epoch: Epoch(1),
            revision: Revision(2),
            claimed_at: Some(minute(2)),
            updated_at: minute(2),
            ..added.clone()
        };
        let waits = Item {
            depends_on: vec!["SD-001".parse().unwrap()],
            revision: Revision(3),
            updated_at: minute(4),
            ..claimed.clone()
        };
        let titled = Item {
            title: Some("new".to_owned()),
            priority: Some("1".parse().unwrap()),
            description: Some("what".to_owned()),
            extra: Map::from_iter([("labels".to_owned(), json!(["a"]))]),
            revision: Revision(4),
            updated_at: minute(5),
            ..waits.clone()
        };
        let completed = Item {
            status: ItemStatus::Completed,
            holder: None,
            claimed_at: None,
            completed_at: Some(minute(6)),
            revision: Revision(5),
            updated_at: minute(6),
            ..titled.clone()
        };
        let facts = Item::event_facts;
        let mut events = vec![
            build_event(1, EventKind::Added, Value::Null, facts(&added)),
            build_event(
                2,
                EventKind::Claimed,
                changed_facts(&added, &claimed),
                changed_facts(&claimed, &added),
            ),
            build_event(3, EventKind::Refused, Value::Null, Value::Null),
            build_event(
                4,
                EventKind::Dependencies,
                json!({"depends_on": []}),
                json!({"depends_on": ["SD-001"]}),
            ),
            build_event(5, EventKind::Changed, facts(&waits), facts(&titled)),
            build_event(
                6,
                EventKind::Released,
                changed_facts(&titled, &completed),
                changed_facts(&completed, &titled),
            ),
        ];
        events[1].epoch = Some(Epoch(1));
        (vec![added, claimed.clone(), claimed, waits, titled, completed], events)
    }

    #[test]
    fn every_moment_shows_what_was_then() {
        let (states, events) = build_history();
        let present = states.last().unwrap();
        for (state, number) in states.iter().zip(1..) {
            for at in [minute(number), Timestamp::from_millis(minute(number + 1).as_millis() - 1)] {
                assert_eq!(item_at(present, &events, at).as_ref(), Ok(state), "{at}");
            }
        }
    }

    #[test]
    fn before_it_was_added_there_was_nothing() {
        let (states, events) = build_history();
        let present = states.last().unwrap();
        let early = Timestamp::from_millis(minute(1).as_millis() - 1);
        assert_eq!(item_at(present, &events, early), Err(PastItemError::NotYetAdded));
    }

    #[test]
    fn what_is_not_kept_is_not_guessed() {
        let (states, mut events) = build_history();
        let present = states.last().unwrap();
        assert_eq!(item_at(present, &events[4..], minute(3)), Err(PastItemError::Unknown));
        events[4].before["status"] = json!("almost");
        assert_eq!(item_at(present, &events, minute(3)), Err(PastItemError::Unknown));
    }
}
