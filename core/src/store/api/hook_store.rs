//! The operations of a hook whose session is registered.

use serde_json::{Map, Value as Json};

use super::{HeartbeatRequest, Provenance, SessionTask, StatePush};
use crate::model::{
    AttentionId, Event, EventFilter, FieldValue, Handoff, HandoffNoticeReason, Item, ItemKey,
    Lineage, NewAttention, Repo, RepoSlug, RepoState, Revision, Session, SessionId, StateField,
};
use crate::store::Result;

/// What a hook does with a database, or with what is known of one, once its session is registered:
/// truing up and recording events. Registration, the sweeps of a session start and the delivery of
/// the outbox need a whole [`Store`](super::Store).
///
/// Every operation fails as [`StoreError`](crate::store::StoreError) says.
#[expect(clippy::missing_errors_doc, reason = "said once above, and where one is special")]
pub trait HookStore {
    /// Loads the lineage, which identifies this database.
    fn load_lineage(&mut self) -> Result<Lineage>;

    /// Loads a session with the item it holds.
    fn load_session(&mut self, id: &SessionId) -> Result<Option<Session>>;

    /// Loads a session as it is now, also where the store would answer from what it read before:
    /// for whoever met something newer than the row.
    fn reload_session(&mut self, id: &SessionId) -> Result<Option<Session>>;

    /// Loads an item.
    fn load_item(&mut self, key: &ItemKey) -> Result<Option<Item>>;

    /// Loads an item's title alone, which is cheaper than the item.
    fn load_item_title(&mut self, key: &ItemKey) -> Result<Option<String>>;

    /// Returns the keys of existing items that equal one of the texts, ignoring case.
    fn find_item_keys(&mut self, keys: &[&str]) -> Result<Vec<String>>;

    /// Loads a task of a session's task list.
    fn load_task(&mut self, session: &SessionId, task: &str) -> Result<Option<SessionTask>>;

    /// Returns whether a session's state ever had this value, as far back as events are kept.
    fn had_state_value(
        &mut self,
        session: &SessionId,
        field: StateField,
        value: &FieldValue,
    ) -> Result<bool>;

    /// Lists events, oldest first.
    fn list_events(&mut self, filter: &EventFilter) -> Result<Vec<Event>>;

    /// Lists repositories with the heads of their states, by slug.
    fn list_repos(&mut self) -> Result<Vec<Repo>>;

    /// Lists the hand-offs to show to a session's agent, the most important first. With `is_start`,
    /// those that were shown before are included.
    fn list_handoff_notices(
        &mut self,
        session: &SessionId,
        is_start: bool,
    ) -> Result<Vec<(HandoffNoticeReason, Handoff)>>;

    /// Renews a lease. An ended or lost session keeps its status unless one is given.
    fn record_heartbeat(&mut self, heartbeat: &HeartbeatRequest) -> Result<()>;

    /// Changes a session's state, if revision and claim are still those it is based on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when either has changed.
    fn push_state(&mut self, push: &StatePush) -> Result<Session>;

    /// Merges keys into a session's metadata. Other keys stay, and `null` removes one.
    fn merge_metadata(
        &mut self,
        id: &SessionId,
        patch: &Map<String, Json>,
        provenance: &Provenance,
    ) -> Result<Session>;

    /// Records that the agent knows the session as of this revision.
    fn acknowledge_revision(&mut self, id: &SessionId, revision: Revision) -> Result<()>;

    /// Ends a session. Its claim stays until the lease ends.
    fn end_session(
        &mut self,
        id: &SessionId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Session>;

    /// Inserts or updates a task of a session's task list.
    fn upsert_task(&mut self, session: &SessionId, note: &SessionTask) -> Result<()>;

    /// Records a checkpoint event with the number of operations so far.
    fn record_checkpoint(
        &mut self,
        session: &SessionId,
        operations: u64,
        provenance: &Provenance,
    ) -> Result<()>;

    /// Records that a hand-off was shown in the status it was loaded with: to its receiver, or as a
    /// decision to its sender.
    fn mark_handoff_shown(&mut self, handoff: &Handoff) -> Result<()>;

    /// Reports something that needs a person. What is open already and says the same stays as it
    /// is; what has ended is open again.
    fn raise_attention(&mut self, new: &NewAttention, provenance: &Provenance) -> Result<()>;

    /// Ends what needed a person; the reason says how. What has ended, or never was, stays so.
    fn end_attention(&mut self, id: &AttentionId, provenance: &Provenance) -> Result<()>;

    /// Stores a repository's state. The store sets who gave it and when; an equal state changes
    /// nothing, not even its time.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when there is no such
    /// repository.
    fn update_repo_state(
        &mut self,
        slug: &RepoSlug,
        state: &RepoState,
        provenance: &Provenance,
    ) -> Result<Repo>;
}
