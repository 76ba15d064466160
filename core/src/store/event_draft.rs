//! What an event says, before it has a number and a time.

use serde_json::Value as Json;

use crate::model::{Epoch, Handoff, ItemKey, Orchestrator, Plan, PortReservation, RepoSlug};

/// What happened to what.
pub(super) struct EventDraft<'a> {
    /// The kind of thing.
    pub(super) entity: &'static str,
    /// Which one.
    pub(super) key: &'a str,
    /// What happened.
    pub(super) kind: &'a str,
    /// What it was; null for what is new.
    pub(super) before: Json,
    /// What it became; null for what is gone.
    pub(super) after: Json,
    /// Under which claim.
    pub(super) epoch: Option<Epoch>,
}

impl<'a> EventDraft<'a> {
    /// Says that an item was asked for and refused.
    pub(super) fn of_refusal(item: &'a ItemKey) -> Self {
        Self {
            entity: "item",
            key: item.as_str(),
            kind: "refused",
            before: Json::Null,
            after: Json::Null,
            epoch: None,
        }
    }

    /// Says what happened to a reservation of ports.
    pub(super) fn of_port(
        row: &'a PortReservation,
        kind: &'a str,
        before: Json,
        after: Json,
    ) -> Self {
        Self {
            entity: "port",
            key: row.id.as_str(),
            kind,
            before,
            after,
            epoch: None,
        }
    }

    /// Says what happened to a repository, or to its state.
    pub(super) fn of_repo(slug: &'a RepoSlug, kind: &'a str, before: Json, after: Json) -> Self {
        Self {
            entity: "repo",
            key: slug.as_str(),
            kind,
            before,
            after,
            epoch: None,
        }
    }

    /// Says that an item was tied to a file, or that the file says something else of it by now.
    pub(super) const fn of_workplan(
        key: &'a str,
        kind: &'a str,
        before: Json,
        after: Json,
    ) -> Self {
        Self {
            entity: "workplan",
            key,
            kind,
            before,
            after,
            epoch: None,
        }
    }

    /// Says what happened to a run of a plan.
    pub(super) fn of_run(
        kind: &'a str,
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

    /// Says that an item was removed.
    pub(super) fn of_removed_item(key: &'a ItemKey, before: Json) -> Self {
        Self {
            entity: "item",
            key: key.as_str(),
            kind: "removed",
            before,
            after: Json::Null,
            epoch: None,
        }
    }

    /// Says that a plan was removed.
    pub(super) fn of_removed_plan(plan: &'a Plan) -> Self {
        Self {
            entity: "plan",
            key: plan.id.as_str(),
            kind: "removed",
            before: plan.event_facts(),
            after: Json::Null,
            epoch: None,
        }
    }

    /// Says what happened to a plan.
    pub(super) fn of_plan(kind: &'a str, before: Option<&Plan>, row: &'a Plan) -> Self {
        Self {
            entity: "plan",
            key: row.id.as_str(),
            kind,
            before: before.map_or(Json::Null, Plan::event_facts),
            after: row.event_facts(),
            epoch: None,
        }
    }

    /// Says that a task came to its plan.
    pub(super) const fn of_new_task(key: &'a str, after: Json) -> Self {
        Self {
            entity: "plan_task",
            key,
            kind: "added",
            before: Json::Null,
            after,
            epoch: None,
        }
    }

    /// Says what happened to a hand-off.
    pub(super) fn of_handoff(kind: &'a str, before: Option<&Handoff>, row: &'a Handoff) -> Self {
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
