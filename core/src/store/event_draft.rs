//! The content of an event, before it has a number and a time.

use serde_json::Value as Json;

use crate::model::{
    AccessToken, Attention, Epoch, EventKind, Handoff, ItemKey, NewAttention, Orchestrator, Plan,
    PortReservation, QueueId, RepoSlug,
};
use crate::store::MetadataChange;

/// The content of an event.
pub(super) struct EventDraft<'a> {
    /// The kind of entity.
    pub(super) entity: &'static str,
    /// The key of the entity.
    pub(super) key: &'a str,
    /// The kind of event.
    pub(super) kind: EventKind,
    /// The entity before; null for a new one.
    pub(super) before: Json,
    /// The entity after; null for a removed one.
    pub(super) after: Json,
    /// The epoch of the claim under which it changed.
    pub(super) epoch: Option<Epoch>,
}

impl<'a> EventDraft<'a> {
    /// A claim of an item that was refused.
    pub(super) fn of_refusal(item: &'a ItemKey) -> Self {
        Self {
            entity: "item",
            key: item.as_str(),
            kind: EventKind::Refused,
            before: Json::Null,
            after: Json::Null,
            epoch: None,
        }
    }

    /// A new token, or one that was revoked.
    pub(super) fn of_token(
        row: &'a AccessToken,
        kind: EventKind,
        before: Json,
        after: Json,
    ) -> Self {
        Self { entity: "token", key: row.name.as_str(), kind, before, after, epoch: None }
    }

    /// Something that needs a person, or says so in other words than before.
    pub(super) fn of_attention(
        kind: EventKind,
        before: Option<&Attention>,
        row: &'a NewAttention,
    ) -> Self {
        Self {
            entity: "attention",
            key: row.id.as_str(),
            kind,
            before: before.map_or(Json::Null, Attention::event_facts),
            after: row.event_facts(),
            epoch: None,
        }
    }

    /// Something that needs a person no more.
    pub(super) fn of_settled(row: &'a Attention) -> Self {
        Self {
            entity: "attention",
            key: row.id.as_str(),
            kind: EventKind::Settled,
            before: row.event_facts(),
            after: Json::Null,
            epoch: None,
        }
    }

    /// A change of a reservation of ports.
    pub(super) fn of_port(
        row: &'a PortReservation,
        kind: EventKind,
        before: Json,
        after: Json,
    ) -> Self {
        Self { entity: "port", key: row.id.as_str(), kind, before, after, epoch: None }
    }

    /// A change of a repository, or of its state.
    pub(super) fn of_repo(slug: &'a RepoSlug, kind: EventKind, before: Json, after: Json) -> Self {
        Self { entity: "repo", key: slug.as_str(), kind, before, after, epoch: None }
    }

    /// A new link of an item to a file, or new facts from the file.
    pub(super) const fn of_workplan(
        key: &'a str,
        kind: EventKind,
        before: Json,
        after: Json,
    ) -> Self {
        Self { entity: "workplan", key, kind, before, after, epoch: None }
    }

    /// A change of a run of a plan.
    pub(super) fn of_run(
        kind: EventKind,
        before: Option<&Orchestrator>,
        row: &'a Orchestrator,
    ) -> Self {
        Self {
            entity: "orchestrator",
            key: row.id.as_str(),
            kind,
            before: before.map_or(Json::Null, Orchestrator::event_facts),
            after: row.event_facts(),
            epoch: Some(row.epoch),
        }
    }

    /// A change of a metadata file.
    pub(super) fn of_metadata(change: &'a MetadataChange) -> Self {
        Self {
            entity: "metadata",
            key: change.id.as_str(),
            kind: change.action.event_kind(),
            before: Json::Object(change.before.clone()),
            after: change.event_facts(),
            epoch: None,
        }
    }

    /// The removal of an item.
    pub(super) fn of_removed_item(key: &'a ItemKey, before: Json) -> Self {
        Self {
            entity: "item",
            key: key.as_str(),
            kind: EventKind::Removed,
            before,
            after: Json::Null,
            epoch: None,
        }
    }

    /// The removal of a phase, under the epoch of its item.
    pub(super) fn of_removed_phase(id: &'a QueueId, before: Json, epoch: Epoch) -> Self {
        Self {
            entity: "phase",
            key: id.as_str(),
            kind: EventKind::Removed,
            before,
            after: Json::Null,
            epoch: Some(epoch),
        }
    }

    /// The removal of a plan.
    pub(super) fn of_removed_plan(plan: &'a Plan) -> Self {
        Self {
            entity: "plan",
            key: plan.id.as_str(),
            kind: EventKind::Removed,
            before: plan.event_facts(),
            after: Json::Null,
            epoch: None,
        }
    }

    /// A change of a plan.
    pub(super) fn of_plan(kind: EventKind, before: Option<&Plan>, row: &'a Plan) -> Self {
        Self {
            entity: "plan",
            key: row.id.as_str(),
            kind,
            before: before.map_or(Json::Null, Plan::event_facts),
            after: row.event_facts(),
            epoch: None,
        }
    }

    /// A new task of a plan.
    pub(super) const fn of_new_task(key: &'a str, after: Json) -> Self {
        Self {
            entity: "plan_task",
            key,
            kind: EventKind::Added,
            before: Json::Null,
            after,
            epoch: None,
        }
    }

    /// A change of a hand-off.
    pub(super) fn of_handoff(kind: EventKind, before: Option<&Handoff>, row: &'a Handoff) -> Self {
        Self {
            entity: "handoff",
            key: row.id.as_str(),
            kind,
            before: before.map_or(Json::Null, Handoff::event_facts),
            after: row.event_facts(),
            epoch: Some(row.epoch),
        }
    }
}
