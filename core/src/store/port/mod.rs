//! The operations.

mod handoffs;
mod items;
mod metadata;
mod orchestrators;
mod plans;
mod ports;
mod queue;
mod repos;
mod retention;
mod waiting;
mod workplans;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::model::{
    ClaimGrant, Epoch, Event, EventFilter, Field, Item, ItemKey, ItemStatus, Lineage, NewItem,
    OperationId, ProcessId, RepoScope, Revision, Session, SessionId, SessionStatus, Timestamp,
    Value,
};
use crate::store::Result;
use crate::text::redact::Redacted;

pub use handoffs::{
    HandoffAcceptance, HandoffAccepted, HandoffFilter, HandoffRejection, HandoffStore, NewHandoff,
    Ruled,
};
pub(super) use handoffs::{OUTLIVED, WITHDRAWN, second};
pub use items::{
    Children, Depend, InUse, ItemEdit, ItemMove, ItemMoved, ItemStore, LastHolder, NextRequest,
    NextTaken, NextWish,
};
pub use metadata::{MetadataChange, MetadataDeed, MetadataStore};
pub use orchestrators::{NewRun, OrchestratorStore, Registered, RunEnded};
pub(super) use orchestrators::{ended_orchestrator, unknown_orchestrator, used_elsewhere};
pub use plans::{PlanImported, PlanListed, PlanStore, PlanTaskChange};
pub use ports::{PortRelease, PortRequest, PortStore};
pub use queue::{PhaseFilter, PhaseMove, PhaseMoved, QueueStore, StepRequest, Stepped};
pub use repos::{Placement, RepoNaming, RepoStore};
pub use retention::{RetentionStore, SessionCursor};
pub use waiting::{Delivered, Newcomer, WaitingStore};
pub use workplans::WorkplanStore;

/// Who writes, why, and under which id. An id that was seen before is not carried out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// A session id, or the word for a person at a terminal.
    pub actor: String,
    /// Why, in a word.
    pub reason: Option<Redacted>,
    /// Unique for each write.
    pub op_id: String,
}

impl Provenance {
    /// Makes the provenance of a new write.
    pub fn new(actor: &str, reason: &str) -> Self {
        Self {
            actor: actor.to_owned(),
            reason: Some(Redacted::from(reason)).filter(|r| !r.is_empty()),
            op_id: uuid::Uuid::now_v7().to_string(),
        }
    }

    /// Makes the provenance of a write that may be repeated under the same id.
    pub fn repeatable(actor: &str, reason: &str, op_id: &OperationId) -> Self {
        Self {
            op_id: op_id.to_string(),
            ..Self::new(actor, reason)
        }
    }

    /// Makes the provenance of one more write of the same command: under the id of the first one
    /// it would be taken for its repetition, and not be done.
    #[must_use]
    pub fn further(&self) -> Self {
        Self {
            op_id: uuid::Uuid::now_v7().to_string(),
            ..self.clone()
        }
    }
}

/// A session that announces itself; an existing one is refreshed.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The client's id.
    pub session: SessionId,
    /// Which repository.
    pub repo: Option<String>,
    /// The project directory.
    pub worktree: Option<String>,
    /// The branch observed.
    pub branch: Option<String>,
    /// The machine.
    pub host: Option<String>,
    /// The client's process.
    pub process: Option<ProcessId>,
    /// The session this one continues, for a new registration.
    pub predecessor: Option<SessionId>,
    /// How long silence means nothing.
    pub lease_seconds: u64,
    /// Who registers.
    pub provenance: Provenance,
}

/// A sign of life.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    /// Whose.
    pub session: SessionId,
    /// How long silence means nothing from now on; absent keeps lease and last sign of life
    /// as they are, so that a mere change of status renews nothing.
    pub lease_seconds: Option<u64>,
    /// The status to take, when it changes.
    pub status: Option<SessionStatus>,
    /// Announces silence of so many seconds.
    pub span_seconds: Option<u64>,
}

/// A change of a session's state, conditional on revision and claim.
#[derive(Debug, Clone)]
pub struct Push {
    /// Whose state.
    pub session: SessionId,
    /// The revision it was made from; the write is refused when the database moved on.
    pub base: Revision,
    /// The claim it was made under; the write is refused when the item was taken since.
    pub fence: Option<(ItemKey, Epoch)>,
    /// The fields that change.
    pub changes: BTreeMap<Field, Value>,
    /// The branch observed, when it changed.
    pub branch: Option<String>,
    /// Marks the moment of an interruption or resumption, by the database's clock.
    pub mark: Option<Mark>,
    /// Whether the session's model made the change itself and need not be told of it. A
    /// foreign change it was not told of yet stays untold.
    pub acknowledge: bool,
    /// Who pushes.
    pub provenance: Provenance,
}

/// A moment worth a timestamp of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Work was broken off.
    Interrupted,
    /// Work was taken up again; counted.
    Resumed,
    /// The count of resumptions starts anew.
    HistoryCleared,
}

/// Which sessions to list.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Only of these statuses; empty is no limit.
    pub statuses: &'static [SessionStatus],
    /// Only those of this project directory.
    pub worktree: Option<String>,
    /// Only those whose id begins so.
    pub prefix: Option<String>,
    /// At most so many, the latest sign of life first; 0 is no limit.
    pub limit: u32,
}

/// Which items to list.
#[derive(Debug, Clone, Default)]
pub struct ItemFilter {
    /// Only children of this one.
    pub parent: Option<ItemKey>,
    /// Only those held.
    pub held: bool,
    /// Only of these statuses; empty is no limit.
    pub statuses: Vec<ItemStatus>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Of which repositories.
    pub scope: RepoScope,
}

/// A claim to carry out.
#[derive(Debug, Clone)]
pub struct ClaimRequest {
    /// What was decided, with its conditions.
    pub grant: ClaimGrant,
    /// Announces silence of so many seconds.
    pub span_seconds: Option<u64>,
    /// How long silence means nothing from now on: who claims, lives.
    pub lease_seconds: u64,
    /// Who claims.
    pub provenance: Provenance,
}

/// A claim that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimTaken {
    /// The item, as it is now.
    pub item: Item,
    /// Who held it before.
    pub previous_holder: Option<SessionId>,
    /// The item the session gave up for it.
    pub released: Option<ItemKey>,
}

/// A request to give an item up.
#[derive(Debug, Clone)]
pub struct Release {
    /// Who holds it.
    pub session: SessionId,
    /// What.
    pub item: ItemKey,
    /// Who asks, and why.
    pub provenance: Provenance,
}

/// A claim that a sweep or an end took away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// Who held it.
    pub session: SessionId,
    /// What; absent when the session held nothing.
    pub item: Option<ItemKey>,
    /// Why.
    pub reason: String,
}

/// What a session's task list says of one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskNote {
    /// The task's id in the session.
    pub task: String,
    /// What it is.
    pub subject: String,
}

/// The database.
///
/// Every operation fails as [`StoreError`](super::StoreError) says.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once above, and where one is special"
)]
pub trait Store:
    HandoffStore
    + ItemStore
    + MetadataStore
    + OrchestratorStore
    + PlanStore
    + PortStore
    + QueueStore
    + RepoStore
    + RetentionStore
    + WaitingStore
    + WorkplanStore
{
    /// Returns which database this is.
    fn lineage(&mut self) -> Result<Lineage>;

    /// Returns the database's clock.
    fn now(&mut self) -> Result<Timestamp>;

    /// Returns the latest recorded reading of the database's clock that differs from the
    /// present one by more than so many seconds, to either side; nothing where the database is
    /// not that old by its own word.
    fn other_reading(&mut self, apart_seconds: u64) -> Result<Option<Timestamp>>;

    /// Registers a session or refreshes it: heartbeat, lease, process, branch. A lost or ended
    /// session becomes active; what it held stays as it is.
    fn register(&mut self, registration: &Registration) -> Result<Session>;

    /// Reads a session with the item it holds.
    fn session(&mut self, id: &SessionId) -> Result<Option<Session>>;

    /// Lists sessions.
    fn sessions(&mut self, filter: &SessionFilter) -> Result<Vec<Session>>;

    /// Renews a lease. An ended or lost session stays what it is unless a status is given.
    fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<()>;

    /// Changes a session's state on the revision and claim it was made from.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](super::StoreError::Conflict) when either has moved on.
    fn push(&mut self, push: &Push) -> Result<Session>;

    /// Merges keys into a session's metadata; other keys stay, `null` removes one.
    fn merge_metadata(
        &mut self,
        id: &SessionId,
        patch: &Map<String, Json>,
        provenance: &Provenance,
    ) -> Result<Session>;

    /// Notes that the session's model was told this revision.
    fn acknowledge(&mut self, id: &SessionId, revision: Revision) -> Result<()>;

    /// Ends a session; a claim stays until the lease ends.
    fn end(&mut self, id: &SessionId, reason: &str, provenance: &Provenance) -> Result<Session>;

    /// Lists sessions that may have died: active or idle with a lease that is over or that a
    /// wrong clock granted, or ended with an item.
    fn lapsed(&mut self, limit: u32) -> Result<Vec<Session>>;

    /// Parks a session that died: it is marked lost (an ended one stays ended) and holds
    /// nothing; its state stays.
    ///
    /// Conditional on the heartbeat read: a session that gave a sign of life since is left
    /// alone and `None` returned.
    fn park(&mut self, session: &Session, provenance: &Provenance) -> Result<Option<Released>>;

    /// Tells whether anything is being worked on that a sweep may have to end: a phase, a task of
    /// a plan, or a run of one. One small question in place of three large ones.
    fn is_anything_underway(&mut self) -> Result<bool>;

    /// Adds an item.
    fn add_item(&mut self, item: &NewItem, provenance: &Provenance) -> Result<Item>;

    /// Reads an item.
    fn item(&mut self, key: &ItemKey) -> Result<Option<Item>>;

    /// Reads an item's title alone, which every start of a session tells.
    fn item_title(&mut self, key: &ItemKey) -> Result<Option<String>>;

    /// Lists items, by parent, position and key.
    fn items(&mut self, filter: &ItemFilter) -> Result<Vec<Item>>;

    /// Returns the keys of items that are among the texts, whatever the case.
    fn known_items(&mut self, keys: &[&str]) -> Result<Vec<String>>;

    /// Carries a claim out on its conditions, releasing what the session held, and makes the
    /// item the session's current one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](super::StoreError::Conflict) when holder or epoch moved on.
    fn claim(&mut self, request: &ClaimRequest) -> Result<ClaimTaken>;

    /// Gives an item up.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](super::StoreError::Conflict) when the session does not hold it.
    fn release(&mut self, release: &Release) -> Result<Item>;

    /// Tells whether a session's state ever held this value, as far as events go back.
    fn had_value(&mut self, session: &SessionId, field: Field, value: &Value) -> Result<bool>;

    /// Records that an item was refused to whoever asked for it, and so when that was.
    fn note_refusal(&mut self, item: &ItemKey, provenance: &Provenance) -> Result<()>;

    /// Notes a task of a session's task list.
    fn note_task(&mut self, session: &SessionId, note: &TaskNote) -> Result<()>;

    /// Reads a task of a session's task list.
    fn task(&mut self, session: &SessionId, task: &str) -> Result<Option<TaskNote>>;

    /// Records that a checkpoint was reached, with the number of operations so far.
    fn checkpoint(
        &mut self,
        session: &SessionId,
        operations: u64,
        provenance: &Provenance,
    ) -> Result<()>;

    /// Lists events, oldest first.
    fn events(&mut self, filter: &EventFilter) -> Result<Vec<Event>>;
}
