//! The events of what was exported.

use std::collections::BTreeSet;

use serde_json::Value;
use trueup_core::model::{Event, EventFilter, HandoffId, ItemKey, PlanId, RepoScope};
use trueup_core::store::{EventPages, Store};
use trueup_core::views::EventView;

use super::export_error::ExportResult;
use super::line_writer::LineWriter;
use crate::commands::work_scope::WorkScope;

/// The keys of what was exported, by which its events are found.
pub(super) struct ExportedKeys {
    items: BTreeSet<String>,
    plans: BTreeSet<String>,
    handoffs: BTreeSet<String>,
    scope: RepoScope,
}

impl ExportedKeys {
    pub(super) fn new(scope: &WorkScope) -> Self {
        Self {
            items: BTreeSet::new(),
            plans: BTreeSet::new(),
            handoffs: BTreeSet::new(),
            scope: scope.items.clone(),
        }
    }

    pub(super) fn add_item(&mut self, key: &ItemKey) {
        self.items.insert(key.to_string());
    }

    pub(super) fn add_plan(&mut self, id: &PlanId) {
        self.plans.insert(id.to_string());
    }

    pub(super) fn add_handoff(&mut self, id: &HandoffId) {
        self.handoffs.insert(id.to_string());
    }

    pub(super) fn has_item(&self, key: &ItemKey) -> bool {
        self.items.contains(key.as_str())
    }

    fn includes(&self, event: &Event) -> bool {
        let key = event.key.as_str();
        match event.entity.as_str() {
            _ if self.scope == RepoScope::All => true,
            // An item that was removed is known by its repository.
            "item" => self.items.contains(key) || self.was_here(&event.before),
            "workplan" => self.items.contains(key),
            "phase" => key.rsplit_once(':').is_some_and(|(item, _)| self.items.contains(item)),
            "plan" => self.plans.contains(key),
            "plan_task" => key.split_once('/').is_some_and(|(plan, _)| self.plans.contains(plan)),
            "handoff" => self.handoffs.contains(key),
            _ => false,
        }
    }

    fn was_here(&self, before: &Value) -> bool {
        let repo = before.get("repo").and_then(Value::as_str);
        repo.is_some() && repo == self.scope.repo_name()
    }
}

/// Writes the events, the oldest first.
pub(super) fn write_events(
    store: &mut dyn Store,
    keys: &ExportedKeys,
    lines: &mut LineWriter<'_>,
) -> ExportResult<()> {
    let mut pages = EventPages::new(EventFilter::default());
    loop {
        let events = pages.read_next(store)?;
        if events.is_empty() {
            return Ok(());
        }
        for event in events.into_iter().filter(|event| keys.includes(event)) {
            lines.write_line("event", EventView::from(event))?;
        }
    }
}
