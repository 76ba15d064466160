//! Which events are of this repository.

use std::collections::BTreeMap;

use serde_json::Value;
use trueup_core::model::{Event, EventFilter, EventOrder, PlanId};
use trueup_core::store::{EventPages, Result, Store};

use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::commands::work_scope::WorkScope;

/// How many times more events are read where too few of the newest are of this repository: plans of
/// others, and what is gone, are left out only here.
const WIDENING: u32 = 8;

/// The events that a log tells: those of one repository and of none, or all.
pub(super) struct EventScope {
    work: WorkScope,
    /// The plans of the database, and whether they are of the repository.
    known_plans: Option<BTreeMap<PlanId, bool>>,
    /// What was found out about other things, by entity and key.
    known: BTreeMap<(String, String), Option<bool>>,
}

impl EventScope {
    pub(super) fn find(
        context: &CommandContext,
        store: &mut dyn Store,
        is_all: bool,
    ) -> CommandResult<Self> {
        let work = WorkScope::find(context, store, is_all)?;
        Ok(Self { work, known_plans: None, known: BTreeMap::new() })
    }

    /// Lists the events of the scope that a filter allows, and the cursor from which to go on.
    pub(super) fn list_events(
        &mut self,
        store: &mut dyn Store,
        filter: &EventFilter,
    ) -> Result<(Vec<Event>, i64)> {
        if self.work.is_all() {
            let events = store.list_events(filter)?;
            let next = events.last().map_or(filter.after, |event| event.seq);
            return Ok((events, next));
        }
        // The database leaves out most of what is of other repositories, and does not say how far
        // it looked.
        let seen = load_newest_number(store)?.max(filter.after);
        let filter = EventFilter { scope: self.work.items.clone(), ..filter.clone() };
        match filter.order {
            EventOrder::Newest => {
                let events = self.list_newest(store, &filter)?;
                let next = events.last().map_or(seen, |event| event.seq.max(seen));
                Ok((events, next))
            }
            EventOrder::Oldest => self.list_oldest(store, &filter, seen),
        }
    }

    fn list_newest(&mut self, store: &mut dyn Store, filter: &EventFilter) -> Result<Vec<Event>> {
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let mut window = filter.limit;
        loop {
            let events = store.list_events(&EventFilter { limit: window, ..filter.clone() })?;
            let is_all =
                window == 0 || events.len() < usize::try_from(window).unwrap_or(usize::MAX);
            let mut here = self.keep_included(store, events)?;
            if is_all || here.len() >= limit {
                let more = if limit == 0 { 0 } else { here.len().saturating_sub(limit) };
                here.drain(..more);
                return Ok(here);
            }
            window = window.saturating_mul(WIDENING);
        }
    }

    fn list_oldest(
        &mut self,
        store: &mut dyn Store,
        filter: &EventFilter,
        seen: i64,
    ) -> Result<(Vec<Event>, i64)> {
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let (mut here, mut next) = (Vec::new(), seen);
        let mut pages = EventPages::new(filter.clone());
        loop {
            let events = pages.read_next(store)?;
            let Some(last) = events.last() else { return Ok((here, next)) };
            next = next.max(last.seq);
            here.extend(self.keep_included(store, events)?);
            if limit > 0 && here.len() >= limit {
                here.truncate(limit);
                let last_told = here.last().map_or(next, |event| event.seq);
                return Ok((here, last_told));
            }
        }
    }

    fn keep_included(&mut self, store: &mut dyn Store, events: Vec<Event>) -> Result<Vec<Event>> {
        let mut here = Vec::with_capacity(events.len());
        for event in events {
            if self.includes_event(store, &event)? {
                here.push(event);
            }
        }
        Ok(here)
    }

    /// Tells whether an event is of the repository, or of none that is known. What is gone is of the
    /// repository that the event names.
    fn includes_event(&mut self, store: &mut dyn Store, event: &Event) -> Result<bool> {
        let key = event.key.as_str();
        let is_here = match event.entity.as_str() {
            "item" | "session" | "handoff" | "orchestrator" => {
                self.find_out(store, &event.entity, key)?
            }
            "workplan" => self.find_out(store, "item", key)?,
            "phase" => {
                let item = key.rsplit_once(':').map_or(key, |(item, _)| item);
                self.find_out(store, "item", item)?
            }
            "plan" => self.includes_plan(store, key)?,
            "plan_task" => self.includes_plan(store, key.split('/').next().unwrap_or(key))?,
            _ => None,
        };
        let is_named = || named_repo(event).is_none_or(|repo| self.work.items.includes(Some(repo)));
        Ok(is_here.unwrap_or_else(is_named))
    }

    /// Looks up once whether a thing is of the repository; `None` if it is not there.
    fn find_out(&mut self, store: &mut dyn Store, entity: &str, key: &str) -> Result<Option<bool>> {
        let name = (entity.to_owned(), key.to_owned());
        if let Some(known) = self.known.get(&name) {
            return Ok(*known);
        }
        let is_here = self.look_up(store, entity, key)?;
        self.known.insert(name, is_here);
        Ok(is_here)
    }

    fn look_up(&mut self, store: &mut dyn Store, entity: &str, key: &str) -> Result<Option<bool>> {
        match entity {
            "item" => {
                let Ok(key) = key.parse() else { return Ok(None) };
                let item = store.load_item(&key)?;
                Ok(item.map(|item| self.work.items.includes(item.repo.as_deref())))
            }
            "session" => {
                let Ok(id) = key.parse() else { return Ok(None) };
                let session = store.load_session(&id)?;
                Ok(session.map(|session| self.work.items.includes(session.repo.as_deref())))
            }
            "handoff" => {
                let Ok(id) = key.parse() else { return Ok(None) };
                match store.load_handoff(&id)? {
                    Some(handoff) => self.find_out(store, "item", handoff.item.as_str()),
                    None => Ok(None),
                }
            }
            _ => {
                let Ok(id) = key.parse() else { return Ok(None) };
                match store.load_orchestrator(&id)? {
                    Some(orchestrator) => self.includes_plan(store, orchestrator.plan.as_str()),
                    None => Ok(None),
                }
            }
        }
    }

    fn includes_plan(&mut self, store: &mut dyn Store, plan: &str) -> Result<Option<bool>> {
        let Ok(id) = plan.parse::<PlanId>() else { return Ok(None) };
        if self.known_plans.is_none() {
            let plans = store.list_plans()?.into_iter().map(|listed| {
                let is_here = self.work.includes_plan(&listed.plan);
                (listed.plan.id, is_here)
            });
            self.known_plans = Some(plans.collect());
        }
        Ok(self.known_plans.as_ref().and_then(|plans| plans.get(&id)).copied())
    }
}

/// Loads the number of the newest event of the database.
fn load_newest_number(store: &mut dyn Store) -> Result<i64> {
    let newest = store.list_events(&EventFilter { limit: 1, ..EventFilter::default() })?;
    Ok(newest.last().map_or(0, |event| event.seq))
}

/// Returns the repository that an event itself names.
fn named_repo(event: &Event) -> Option<&str> {
    [&event.after, &event.before]
        .into_iter()
        .find_map(|facts| facts.get("repo").and_then(Value::as_str))
}
