//! The views of an event, and of the event that set a field.

use serde::Serialize;
use serde_json::Value;

use crate::model::{Blame, Epoch, Event, Timestamp};

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventView {
    /// The cursor, which grows with every event.
    pub seq: i64,
    /// When, by the database's clock.
    pub at: Timestamp,
    /// A session id, the user of a command, or `sql` for a change that plain SQL made.
    pub actor: String,
    /// Who called a shared database; an embedded one has none.
    pub via: Option<String>,
    /// The kind of thing that changed: `session`, `item`, `phase`, `port` and so on.
    pub entity: String,
    /// The key of that thing.
    pub key: String,
    /// What happened.
    pub kind: String,
    /// The value before; null for something new.
    pub before: Value,
    /// The value after; null for something removed.
    pub after: Value,
    /// The epoch of the claim under which it changed.
    pub epoch: Option<Epoch>,
    /// The reason.
    pub reason: Option<String>,
    /// The id of the operation that made it.
    pub op_id: Option<String>,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        Self {
            seq: event.seq,
            at: event.at,
            actor: event.actor,
            via: event.via,
            entity: event.entity,
            key: event.key,
            kind: event.kind,
            before: event.before,
            after: event.after,
            epoch: event.epoch,
            reason: event.reason,
            op_id: event.op_id,
        }
    }
}

impl From<&Event> for EventView {
    fn from(event: &Event) -> Self {
        event.clone().into()
    }
}

/// A field of an item with the event that set its value. The parts of the event are null where no
/// event that remains shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlameView {
    /// The field.
    pub field: &'static str,
    /// The value.
    pub value: Value,
    /// Who set it.
    pub actor: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
    /// The epoch of the claim under which it was set.
    pub epoch: Option<Epoch>,
    /// The id of the operation that set it.
    pub op_id: Option<String>,
    /// The cursor of the event.
    pub seq: Option<i64>,
}

impl From<&Blame<'_>> for BlameView {
    fn from(blame: &Blame<'_>) -> Self {
        Self {
            field: blame.field.as_str(),
            value: blame.value.clone(),
            actor: blame.event.map(|event| event.actor.clone()),
            at: blame.event.map(|event| event.at),
            reason: blame.event.and_then(|event| event.reason.clone()),
            epoch: blame.event.and_then(|event| event.epoch),
            op_id: blame.event.and_then(|event| event.op_id.clone()),
            seq: blame.event.map(|event| event.seq),
        }
    }
}
