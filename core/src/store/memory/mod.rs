//! A store in memory, for tests of whatever works over the port.
//!
//! Invariants: stricter than the real adapters, so that code that passes here leans on nothing
//! they merely tolerate: a write without an actor or an operation id, an operation id used
//! again for something else, a value of the wrong kind, a claim whose outcome contradicts its
//! conditions and an acknowledgement of a revision that never was are refused. The clock
//! stands still until [`MemoryStore::advance`] moves it. Events are those that the triggers of
//! the real adapters write.

mod changes;
mod claims;
mod dependencies;
mod events;
mod handoffs;
mod items;
mod metadata;
mod moves;
mod next;
mod orchestrators;
mod phases;
mod plans;
mod ports;
mod repos;
mod retention;
mod sessions;
#[cfg(test)]
mod tests;
mod waiting;
mod workplans;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::news::News;
use super::{
    ClaimRequest, ClaimTaken, Heartbeat, ItemFilter, Provenance, Push, Registration, Release,
    Released, Result, SessionFilter, Store, StoreError, TaskNote,
};
use crate::model::{
    Event, EventFilter, Field, FileFacts, Handoff, HandoffId, Item, ItemKey, ItemStatus, Lineage,
    NewItem, Orchestrator, OrchestratorId, Phase, Plan, PlanId, PlanTask, PlanTaskId,
    PlanTaskStatus, PruneTally, QueueId, Repo, RepoState, Reservation, Revision, Session,
    SessionId, Timestamp, Value, WorkplanLink,
};

/// Where the clock of a new store stands: 2026-02-02T03:00:00Z.
const START: i64 = 1_770_001_200_000;

/// A database that lives as long as the value.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    lineage: Lineage,
    now: Timestamp,
    /// Sessions without the item they hold, which the items know.
    sessions: BTreeMap<SessionId, Session>,
    /// The revision at which a state was last changed otherwise than by writes that waited.
    moved: BTreeMap<SessionId, Revision>,
    items: BTreeMap<ItemKey, Item>,
    phases: BTreeMap<QueueId, Phase>,
    tasks: BTreeMap<(SessionId, String), TaskNote>,
    orchestrators: BTreeMap<OrchestratorId, Orchestrator>,
    handoffs: BTreeMap<HandoffId, Handoff>,
    reservations: Vec<Reservation>,
    repos: BTreeMap<String, (Repo, Option<RepoState>)>,
    /// The names of repositories that nobody registered, by what makes them the ones they are.
    repo_names: BTreeMap<String, String>,
    /// The id each item carries in its file, and what the file said.
    links: BTreeMap<ItemKey, (WorkplanLink, FileFacts)>,
    plans: BTreeMap<PlanId, Plan>,
    plan_tasks: BTreeMap<(PlanId, PlanTaskId), PlanTask>,
    events: Vec<Event>,
    /// The number of the newest event, which none has again.
    newest: i64,
    /// What was removed and is not noted yet.
    removed: PruneTally,
    /// Which operation each id was used for.
    operations: BTreeMap<String, &'static str>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// Makes an empty store.
    pub fn new() -> Self {
        Self {
            lineage: Lineage("memory00-0000-4000-8000-000000000000".to_owned()),
            now: Timestamp::from_millis(START),
            sessions: BTreeMap::new(),
            moved: BTreeMap::new(),
            items: BTreeMap::new(),
            phases: BTreeMap::new(),
            tasks: BTreeMap::new(),
            orchestrators: BTreeMap::new(),
            handoffs: BTreeMap::new(),
            reservations: Vec::new(),
            repos: BTreeMap::new(),
            repo_names: BTreeMap::new(),
            links: BTreeMap::new(),
            plans: BTreeMap::new(),
            plan_tasks: BTreeMap::new(),
            events: Vec::new(),
            newest: 0,
            removed: PruneTally::default(),
            operations: BTreeMap::new(),
        }
    }

    /// Moves the clock on.
    pub fn advance(&mut self, seconds: u64) {
        let millis = i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
        self.now = Timestamp::from_millis(self.now.as_millis().saturating_add(millis));
    }

    fn later(&self, seconds: u64) -> Timestamp {
        let millis = i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.now.as_millis().saturating_add(millis))
    }

    /// Tells whether a write was carried out before.
    fn was_done(&self, operation: &'static str, by: &Provenance) -> Result<bool> {
        if by.op_id.is_empty() || by.actor.is_empty() {
            return Err(StoreError::Invalid(format!(
                "{operation} without an actor or an operation id"
            )));
        }
        match self.operations.get(&by.op_id) {
            None => Ok(false),
            Some(earlier) if *earlier == operation => Ok(true),
            Some(earlier) => Err(StoreError::Invalid(format!(
                "operation id {} of {operation} was used for {earlier}",
                by.op_id
            ))),
        }
    }

    /// Runs a write whole or not at all; one that was carried out before only answers.
    fn write<T>(
        &mut self,
        operation: &'static str,
        by: &Provenance,
        work: impl FnOnce(&mut Self) -> Result<T>,
        again: impl FnOnce(&Self) -> Result<T>,
    ) -> Result<T> {
        if self.was_done(operation, by)? {
            return again(self);
        }
        let before = self.clone();
        let answer = work(self);
        if answer.is_ok() {
            self.operations.insert(by.op_id.clone(), operation);
        } else {
            *self = before;
        }
        answer
    }

    fn registered(&self, id: &SessionId) -> Result<Session> {
        let mut session = self
            .sessions
            .get(id)
            .cloned()
            .ok_or_else(|| StoreError::Invalid(format!("session {id} is not registered")))?;
        if let Some(item) = self.held_by(id) {
            session.item = Some(item.key.clone());
            session.epoch = Some(item.epoch);
            session.claimed_at = item.claimed_at;
        }
        session.read_at = self.now;
        Ok(session)
    }

    fn held_by(&self, id: &SessionId) -> Option<&Item> {
        self.items.values().find(|i| i.holder.as_ref() == Some(id))
    }
}

impl Store for MemoryStore {
    fn lineage(&mut self) -> Result<Lineage> {
        Ok(self.lineage.clone())
    }

    fn now(&mut self) -> Result<Timestamp> {
        Ok(self.now)
    }

    /// Its clock is set by tests, and never wrong.
    fn other_reading(&mut self, _: u64) -> Result<Option<Timestamp>> {
        Ok(None)
    }

    fn register(&mut self, registration: &Registration) -> Result<Session> {
        sessions::register(self, registration)
    }

    fn session(&mut self, id: &SessionId) -> Result<Option<Session>> {
        Ok(self.registered(id).ok())
    }

    fn sessions(&mut self, filter: &SessionFilter) -> Result<Vec<Session>> {
        Ok(sessions::list(self, filter))
    }

    fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<()> {
        sessions::heartbeat(self, heartbeat)
    }

    fn push(&mut self, push: &Push) -> Result<Session> {
        let again = |store: &Self| store.registered(&push.session);
        let by = &push.provenance;
        self.write("push", by, |store| sessions::push(store, push), again)
    }

    fn merge_metadata(
        &mut self,
        id: &SessionId,
        patch: &Map<String, Json>,
        provenance: &Provenance,
    ) -> Result<Session> {
        let work = |store: &mut Self| {
            changes::metadata(store, id, provenance, |metadata| {
                changes::merge(metadata, patch);
            })?;
            store.registered(id)
        };
        let again = |store: &Self| store.registered(id);
        self.write("merge_metadata", provenance, work, again)
    }

    fn acknowledge(&mut self, id: &SessionId, revision: Revision) -> Result<()> {
        sessions::acknowledge(self, id, revision)
    }

    fn end(&mut self, id: &SessionId, reason: &str, provenance: &Provenance) -> Result<Session> {
        let work = |store: &mut Self| sessions::end(store, id, reason, provenance);
        let again = |store: &Self| store.registered(id);
        self.write("end", provenance, work, again)
    }

    fn lapsed(&mut self, limit: u32) -> Result<Vec<Session>> {
        Ok(sessions::lapsed(self, limit))
    }

    fn park(&mut self, session: &Session, provenance: &Provenance) -> Result<Option<Released>> {
        let work = |store: &mut Self| claims::park(store, session, provenance);
        self.write("park", provenance, work, |_| Ok(None))
    }

    fn is_anything_underway(&mut self) -> Result<bool> {
        let phase = self
            .phases
            .values()
            .any(|p| p.status == ItemStatus::Running);
        let mut tasks = self.plan_tasks.values();
        let task = tasks.any(|t| t.status == PlanTaskStatus::InProgress);
        Ok(phase || task || self.orchestrators.values().any(|o| o.status.is_live()))
    }

    fn add_item(&mut self, item: &NewItem, provenance: &Provenance) -> Result<Item> {
        let work = |store: &mut Self| items::add(store, item, provenance);
        let again = |store: &Self| items::existing(store, &item.key);
        self.write("add_item", provenance, work, again)
    }

    fn item(&mut self, key: &ItemKey) -> Result<Option<Item>> {
        Ok(self.items.get(key).cloned())
    }

    fn item_title(&mut self, key: &ItemKey) -> Result<Option<String>> {
        Ok(self.item(key)?.and_then(|item| item.title))
    }

    fn items(&mut self, filter: &ItemFilter) -> Result<Vec<Item>> {
        Ok(items::list(self, filter))
    }

    fn known_items(&mut self, keys: &[&str]) -> Result<Vec<String>> {
        Ok(items::known(self, keys))
    }

    fn claim(&mut self, request: &ClaimRequest) -> Result<ClaimTaken> {
        let by = &request.provenance;
        let again = |store: &Self| claims::first_answer(store, request);
        self.write("claim", by, |store| claims::claim(store, request), again)
    }

    fn release(&mut self, release: &Release) -> Result<Item> {
        let by = &release.provenance;
        let again = |store: &Self| items::existing(store, &release.item);
        self.write(
            "release",
            by,
            |store| claims::release(store, release),
            again,
        )
    }

    fn note_task(&mut self, session: &SessionId, note: &TaskNote) -> Result<()> {
        self.registered(session)?;
        self.tasks
            .insert((session.clone(), note.task.clone()), note.clone());
        Ok(())
    }

    fn task(&mut self, session: &SessionId, task: &str) -> Result<Option<TaskNote>> {
        Ok(self.tasks.get(&(session.clone(), task.to_owned())).cloned())
    }

    fn had_value(&mut self, session: &SessionId, field: Field, value: &Value) -> Result<bool> {
        Ok(events::had_value(self, session, field, value))
    }

    fn note_refusal(&mut self, item: &ItemKey, provenance: &Provenance) -> Result<()> {
        let work = |store: &mut Self| {
            events::record(store, provenance, News::of_refusal(item));
            Ok(())
        };
        self.write("note_refusal", provenance, work, |_| Ok(()))
    }

    fn checkpoint(
        &mut self,
        session: &SessionId,
        operations: u64,
        provenance: &Provenance,
    ) -> Result<()> {
        let work = |store: &mut Self| events::checkpoint(store, session, operations, provenance);
        self.write("checkpoint", provenance, work, |_| Ok(()))
    }

    fn events(&mut self, filter: &EventFilter) -> Result<Vec<Event>> {
        Ok(events::list(self, filter))
    }
}
