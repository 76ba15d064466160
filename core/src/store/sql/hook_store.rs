//! What a hook does once its session is registered, each operation as one transaction.

use serde_json::{Map, Value as Json};

use super::engine::{Engine, Tx, args};
use super::statement::statements;
use super::{SqlStore, attention, events, handoffs, items, repos, session_tasks, sessions};
use crate::model::{
    AttentionId, Event, EventFilter, FieldValue, Handoff, HandoffNoticeReason, Item, ItemKey,
    Lineage, NewAttention, Repo, RepoSlug, RepoState, Revision, Session, SessionId, StateField,
};
use crate::store::{
    HeartbeatRequest, HookStore, Provenance, Result, SessionTask, StatePush, StoreError,
};

statements! {
    LOAD_LINEAGE() = "SELECT value FROM trueup_meta WHERE key = 'lineage'";
}

/// Says that the lineage will be read.
pub(super) fn prefetch_lineage(tx: &mut impl Tx) {
    tx.prefetch(&LOAD_LINEAGE, args![]);
}

impl<E: Engine> HookStore for SqlStore<E> {
    fn load_lineage(&mut self) -> Result<Lineage> {
        let lineage = self.engine.read(|tx| tx.row(&LOAD_LINEAGE, args![], |row| row.get(0)))?;
        lineage.ok_or_else(|| StoreError::corrupt("the database has no lineage"))
    }

    fn load_session(&mut self, id: &SessionId) -> Result<Option<Session>> {
        self.engine.read(|tx| sessions::load_session(tx, id))
    }

    fn reload_session(&mut self, id: &SessionId) -> Result<Option<Session>> {
        self.engine.forget_reads();
        self.load_session(id)
    }

    fn load_item(&mut self, key: &ItemKey) -> Result<Option<Item>> {
        self.engine.read(|tx| items::load_item(tx, key))
    }

    fn load_item_title(&mut self, key: &ItemKey) -> Result<Option<String>> {
        self.engine.read(|tx| items::load_item_title(tx, key))
    }

    fn find_item_keys(&mut self, keys: &[&str]) -> Result<Vec<String>> {
        self.engine.read(|tx| items::find_item_keys(tx, keys))
    }

    fn load_task(&mut self, session: &SessionId, task: &str) -> Result<Option<SessionTask>> {
        self.engine.read(|tx| session_tasks::load_task(tx, session, task))
    }

    fn had_state_value(
        &mut self,
        session: &SessionId,
        field: StateField,
        value: &FieldValue,
    ) -> Result<bool> {
        self.engine.read(|tx| events::had_state_value(tx, session, field, value))
    }

    fn list_events(&mut self, filter: &EventFilter) -> Result<Vec<Event>> {
        self.engine.read(|tx| events::list_events(tx, filter))
    }

    fn list_repos(&mut self) -> Result<Vec<Repo>> {
        self.engine.read(|tx| repos::list_repos(tx))
    }

    fn list_handoff_notices(
        &mut self,
        session: &SessionId,
        is_start: bool,
    ) -> Result<Vec<(HandoffNoticeReason, Handoff)>> {
        self.engine.read(|tx| handoffs::list_handoff_notices(tx, session, is_start))
    }

    fn record_heartbeat(&mut self, heartbeat: &HeartbeatRequest) -> Result<()> {
        self.engine.write(|tx| sessions::record_heartbeat(tx, heartbeat))
    }

    fn push_state(&mut self, push: &StatePush) -> Result<Session> {
        self.engine.write(|tx| sessions::push_state(tx, push))
    }

    fn merge_metadata(
        &mut self,
        id: &SessionId,
        patch: &Map<String, Json>,
        provenance: &Provenance,
    ) -> Result<Session> {
        self.engine.write(|tx| sessions::merge_metadata(tx, id, patch, provenance))
    }

    fn acknowledge_revision(&mut self, id: &SessionId, revision: Revision) -> Result<()> {
        self.engine.write(|tx| sessions::acknowledge_revision(tx, id, revision))
    }

    fn end_session(
        &mut self,
        id: &SessionId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Session> {
        self.engine.write(|tx| sessions::end_session(tx, id, reason, provenance))
    }

    fn upsert_task(&mut self, session: &SessionId, task: &SessionTask) -> Result<()> {
        self.engine.write(|tx| session_tasks::upsert_task(tx, session, task))
    }

    fn record_checkpoint(
        &mut self,
        session: &SessionId,
        operations: u64,
        provenance: &Provenance,
    ) -> Result<()> {
        self.engine.write(|tx| events::record_checkpoint(tx, session, operations, provenance))
    }

    fn mark_handoff_shown(&mut self, handoff: &Handoff) -> Result<()> {
        self.engine.write(|tx| handoffs::mark_handoff_shown(tx, handoff))
    }

    fn raise_attention(&mut self, new: &NewAttention, provenance: &Provenance) -> Result<()> {
        self.engine.write(|tx| attention::raise_attention(tx, new, provenance))
    }

    fn end_attention(&mut self, id: &AttentionId, provenance: &Provenance) -> Result<()> {
        self.engine.write(|tx| attention::end_attention(tx, id, provenance))
    }

    fn update_repo_state(
        &mut self,
        slug: &RepoSlug,
        state: &RepoState,
        provenance: &Provenance,
    ) -> Result<Repo> {
        self.engine.write(|tx| repos::update_repo_state(tx, slug, state, provenance))
    }
}
