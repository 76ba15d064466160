//! The operations of a hook on a replica.

use serde_json::{Map, Value as Json};

use super::document::{RenderedBriefing, Replica};
use super::file::ReplicaFile;
use super::projection::project_change;
use crate::fs::FileLock;
use crate::model::{
    AttentionId, Event, EventFilter, FieldValue, Handoff, HandoffNoticeReason, Item, ItemKey,
    Lineage, NewAttention, Repo, RepoSlug, RepoState, Revision, Session, SessionId, StateField,
    Timestamp,
};
use crate::outbox::{Outbox, PendingChange, PendingWrite, WriteOrigin};
use crate::store::{
    HeartbeatRequest, HookStore, Provenance, Result, SessionTask, StatePush, StoreError,
};

/// A replica that a hook works on. It is locked from the reading to the end of the hook, so that two
/// hooks of a session do not overwrite each other's marks.
#[derive(Debug)]
pub struct ReplicaStore {
    file: ReplicaFile,
    replica: Replica,
    outbox: Outbox,
    /// The digest and the text of the database's address.
    address: (String, String),
    /// The time by the clock of this machine.
    now: Timestamp,
    is_changed: bool,
    /// Whether the replica was read after what somebody met that is newer.
    is_newest: bool,
    _lock: FileLock,
}

impl ReplicaStore {
    /// Works on a replica that was read under its lock. `address` is the digest and the text of the
    /// database's address.
    pub fn new(
        file: ReplicaFile,
        replica: Replica,
        lock: FileLock,
        outbox: Outbox,
        address: (String, String),
        now: Timestamp,
    ) -> Self {
        Self {
            file,
            replica,
            outbox,
            address,
            now,
            is_changed: false,
            is_newest: false,
            _lock: lock,
        }
    }

    /// Notes that the server was read again after something newer than the replica was met, and had
    /// nothing newer.
    pub const fn set_newest(&mut self) {
        self.is_newest = true;
    }

    /// Returns the replica.
    pub const fn replica(&self) -> &Replica {
        &self.replica
    }

    /// Takes the lines that wait for the user.
    pub fn take_news(&mut self) -> Vec<String> {
        let news = self.replica.take_news();
        self.is_changed |= !news.is_empty();
        news
    }

    /// Notes that the user was told that the server cannot be reached.
    pub const fn set_outage_told(&mut self) {
        self.replica.is_outage_told = true;
        self.is_changed = true;
    }

    /// Leaves a briefing for the agent.
    pub fn put_briefing(&mut self, briefing: RenderedBriefing) {
        self.replica.briefing = Some(briefing);
        self.is_changed = true;
    }

    /// Takes the briefing that waits for the agent.
    pub fn take_briefing(&mut self) -> Option<RenderedBriefing> {
        let briefing = self.replica.briefing.take();
        self.is_changed |= briefing.is_some();
        briefing
    }

    /// Adds lines for the user.
    pub fn add_news(&mut self, lines: impl IntoIterator<Item = String>) {
        let before = self.replica.news.len();
        self.replica.news.extend(lines);
        self.is_changed |= self.replica.news.len() > before;
    }

    /// Appends a change to the outbox, and makes it in the replica.
    ///
    /// # Errors
    ///
    /// When the outbox cannot be written; then the change is nowhere.
    pub fn put_change(&mut self, op_id: &str, change: PendingChange) -> Result<()> {
        let session = &self.replica.session;
        let write = PendingWrite {
            op_id: op_id.to_owned(),
            at: self.now,
            session: session.id.clone(),
            origin: Some(WriteOrigin {
                database: self.address.0.clone(),
                address: Some(self.address.1.clone()),
                lineage: Some(session.lineage.clone()),
                base: Some(session.revision),
                base_lineage: None,
                claim: session.item.clone().zip(session.epoch),
            }),
            write: change,
        };
        self.outbox.put(&write).map_err(|error| {
            StoreError::unavailable(format!("the outbox cannot be written: {error}"))
        })?;
        project_change(&mut self.replica, &write.write);
        self.is_changed = true;
        // Before the cache shows it: a value of the cache that the replica never had would pass for
        // one of a database that was lost. A failure is reported at the end, when this is tried again.
        let _ = self.save();
        Ok(())
    }

    /// Writes the replica if it changed.
    ///
    /// # Errors
    ///
    /// When the system refuses. What waits in the outbox is safe then.
    pub fn save(&mut self) -> std::io::Result<()> {
        if self.is_changed {
            self.file.write(&self.replica)?;
            self.is_changed = false;
        }
        Ok(())
    }

    /// The session, if it is the one of this replica.
    fn own_session(&self, id: &SessionId) -> Result<&Session> {
        if self.replica.session.id == *id {
            Ok(&self.replica.session)
        } else {
            Err(not_read_error(&format!("session {id}")))
        }
    }
}

/// The error for what a replica does not hold: whether it exists is not known.
fn not_read_error(what: &str) -> StoreError {
    StoreError::unavailable(format!("{what} was not read from the server yet; trueup pull does"))
}

/// The error for an operation that only the server carries out.
fn needs_server_error(what: &str) -> StoreError {
    StoreError::unavailable(format!("{what} needs the server"))
}

impl HookStore for ReplicaStore {
    fn load_lineage(&mut self) -> Result<Lineage> {
        Ok(self.replica.session.lineage.clone())
    }

    fn load_session(&mut self, id: &SessionId) -> Result<Option<Session>> {
        self.own_session(id).cloned().map(Some)
    }

    fn reload_session(&mut self, id: &SessionId) -> Result<Option<Session>> {
        if let Some((_, owner)) = self.replica.cache_owner.as_ref().filter(|(owner, _)| owner == id)
        {
            return Ok(owner.clone());
        }
        if self.is_newest {
            return self.load_session(id);
        }
        // Whoever asks has met something newer, which was read from the server elsewhere.
        Err(needs_server_error(&format!("the newest state of session {id}")))
    }

    fn load_item(&mut self, key: &ItemKey) -> Result<Option<Item>> {
        match self.replica.find_item(key) {
            Some(item) => Ok(Some(item.clone())),
            None if self.replica.was_looked_up(key.as_str()) => Ok(None),
            None => Err(not_read_error(&format!("item {key}"))),
        }
    }

    fn load_item_title(&mut self, key: &ItemKey) -> Result<Option<String>> {
        // It only decorates a message, and a command may have claimed the item since.
        Ok(self.replica.find_item(key).and_then(|item| item.title.clone()))
    }

    fn find_item_keys(&mut self, keys: &[&str]) -> Result<Vec<String>> {
        if let Some(key) = keys.iter().find(|key| !self.replica.was_looked_up(key)) {
            return Err(not_read_error(&format!("item {key}")));
        }
        let items = self.replica.items.iter().map(|item| item.key.to_string());
        let is_asked = |known: &String| keys.iter().any(|key| key.eq_ignore_ascii_case(known));
        Ok(items.filter(is_asked).collect())
    }

    fn load_task(&mut self, session: &SessionId, task: &str) -> Result<Option<SessionTask>> {
        self.own_session(session)?;
        Ok(self.replica.find_task(task).cloned())
    }

    fn had_state_value(
        &mut self,
        session: &SessionId,
        field: StateField,
        value: &FieldValue,
    ) -> Result<bool> {
        self.own_session(session)?;
        let known = &self.replica.former_values;
        Ok(known.iter().any(|(of, had)| *of == field && had == value))
    }

    fn list_events(&mut self, filter: &EventFilter) -> Result<Vec<Event>> {
        let item = filter.item.as_deref();
        let is_known = item.is_some_and(|item| self.replica.was_looked_up(item));
        if !is_known {
            return Err(not_read_error("what happened to the item"));
        }
        let events = self.replica.events.iter().filter(|event| Some(event.key.as_str()) == item);
        Ok(events.cloned().collect())
    }

    fn list_repos(&mut self) -> Result<Vec<Repo>> {
        Err(needs_server_error("the list of repositories"))
    }

    fn list_handoff_notices(
        &mut self,
        session: &SessionId,
        _is_start: bool,
    ) -> Result<Vec<(HandoffNoticeReason, Handoff)>> {
        self.own_session(session)?;
        let marks = &self.replica.marks;
        let is_new = |(_, handoff): &&(HandoffNoticeReason, Handoff)| {
            !marks.shown_handoffs.contains(&handoff.id)
        };
        Ok(self.replica.handoffs.iter().filter(is_new).cloned().collect())
    }

    fn record_heartbeat(&mut self, heartbeat: &HeartbeatRequest) -> Result<()> {
        self.own_session(&heartbeat.session)?;
        if let Some(status) = heartbeat.status
            && self.replica.session.status != status
        {
            self.replica.session.status = status;
            self.replica.marks.status = Some(status);
            self.is_changed = true;
        }
        if let Some(quiet) = heartbeat.quiet_seconds {
            self.replica.marks.silent_until = Some(self.now.plus_seconds(quiet));
            self.is_changed = true;
        }
        Ok(())
    }

    fn push_state(&mut self, push: &StatePush) -> Result<Session> {
        let session = self.own_session(&push.session)?;
        let claim = session.item.clone().zip(session.epoch);
        if push.base != session.revision
            || push.fencing_token.is_some() && push.fencing_token != claim
        {
            return Err(StoreError::Conflict("the session changed meanwhile".to_owned()));
        }
        if !push.metadata.is_empty() || push.mark.is_some() {
            return Err(needs_server_error("this change"));
        }
        let (changes, branch) = (push.changes.clone(), push.branch.clone());
        self.put_change(&push.provenance.op_id, PendingChange::State { changes, branch })?;
        Ok(self.replica.session.clone())
    }

    fn merge_metadata(
        &mut self,
        id: &SessionId,
        patch: &Map<String, Json>,
        provenance: &Provenance,
    ) -> Result<Session> {
        self.own_session(id)?;
        let branch = patch.get("branch").and_then(Json::as_str).filter(|_| patch.len() == 1);
        let branch = branch.ok_or_else(|| needs_server_error("a change of metadata"))?.to_owned();
        let changes = std::collections::BTreeMap::new();
        let change = PendingChange::State { changes, branch: Some(branch) };
        self.put_change(&provenance.op_id, change)?;
        Ok(self.replica.session.clone())
    }

    fn acknowledge_revision(&mut self, id: &SessionId, revision: Revision) -> Result<()> {
        let session = self.own_session(id)?;
        let revision = revision.min(session.revision).max(session.acknowledged);
        self.replica.session.acknowledged = revision;
        self.replica.marks.acknowledged = Some(revision);
        self.is_changed = true;
        Ok(())
    }

    fn end_session(
        &mut self,
        id: &SessionId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Session> {
        self.own_session(id)?;
        self.put_change(&provenance.op_id, PendingChange::End { reason: reason.to_owned() })?;
        Ok(self.replica.session.clone())
    }

    fn upsert_task(&mut self, session: &SessionId, note: &SessionTask) -> Result<()> {
        self.own_session(session)?;
        let SessionTask { task, subject } = note.clone();
        let op_id = Provenance::new("", "").op_id;
        self.put_change(&op_id, PendingChange::Task { task, subject })
    }

    fn record_checkpoint(
        &mut self,
        session: &SessionId,
        operations: u64,
        provenance: &Provenance,
    ) -> Result<()> {
        self.own_session(session)?;
        let reason = provenance.reason.clone().map(Into::into).unwrap_or_default();
        self.put_change(&provenance.op_id, PendingChange::Checkpoint { operations, reason })
    }

    fn mark_handoff_shown(&mut self, handoff: &Handoff) -> Result<()> {
        self.replica.marks.shown_handoffs.push(handoff.id.clone());
        self.is_changed = true;
        Ok(())
    }

    fn raise_attention(&mut self, new: &NewAttention, provenance: &Provenance) -> Result<()> {
        let reason = provenance.reason.clone().map(Into::into).unwrap_or_default();
        let change = PendingChange::AttentionRaised { attention: Box::new(new.clone()), reason };
        self.put_change(&provenance.op_id, change)
    }

    fn end_attention(&mut self, id: &AttentionId, provenance: &Provenance) -> Result<()> {
        let reason = provenance.reason.clone().map(Into::into).unwrap_or_default();
        let change = PendingChange::AttentionEnded { attention: id.clone(), reason };
        self.put_change(&provenance.op_id, change)
    }

    fn update_repo_state(
        &mut self,
        _slug: &RepoSlug,
        _state: &RepoState,
        _provenance: &Provenance,
    ) -> Result<Repo> {
        Err(needs_server_error("the state of a repository"))
    }
}
