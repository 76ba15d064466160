//! Writes that waited outside the database.

use super::{MemoryStore, sessions};
use crate::deadline::Deadline;
use crate::model::{Revision, Session, SessionId, Timestamp};
use crate::outbox::Pending;
use crate::store::delivery::{self, Counter};
use crate::store::{
    Delivered, Heartbeat, Newcomer, Provenance, Push, Registration, Result, Store, StoreError,
    TaskNote, WaitingStore,
};

impl WaitingStore for MemoryStore {
    fn deliver(
        &mut self,
        waiting: &[&Pending],
        newcomer: &Newcomer,
        until: Deadline,
    ) -> Result<Vec<Delivered>> {
        let before = self.clone();
        let mut delivered = Vec::with_capacity(waiting.len());
        for pending in waiting {
            if !delivered.is_empty() && until.passed() {
                break;
            }
            let savepoint = self.clone();
            match delivery::deliver(self, pending, newcomer) {
                Ok(answer) => delivered.push(answer),
                Err(error @ (StoreError::Denied(_) | StoreError::Invalid(_))) => {
                    *self = savepoint;
                    delivered.push(Delivered::Refused(error.to_string()));
                }
                Err(error) => {
                    *self = before;
                    return Err(error);
                }
            }
        }
        Ok(delivered)
    }
}

impl Counter for MemoryStore {
    fn session(&mut self, id: &SessionId) -> Result<Option<Session>> {
        Store::session(self, id)
    }

    fn register(&mut self, registration: &Registration) -> Result<Session> {
        sessions::register(self, registration)
    }

    fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<()> {
        sessions::heartbeat(self, heartbeat)
    }

    fn is_done(&mut self, by: &Provenance) -> Result<bool> {
        Ok(self.operations.contains_key(&by.op_id))
    }

    fn task(&mut self, session: &SessionId, task: &str) -> Result<Option<TaskNote>> {
        Store::task(self, session, task)
    }

    fn note_task(&mut self, session: &SessionId, note: &TaskNote) -> Result<()> {
        Store::note_task(self, session, note)
    }

    fn end(&mut self, id: &SessionId, reason: &str, by: &Provenance) -> Result<()> {
        Store::end(self, id, reason, by).map(|_| ())
    }

    fn moved(&mut self, id: &SessionId) -> Result<Revision> {
        Ok(self.moved.get(id).copied().unwrap_or(Revision(0)))
    }

    fn moved_at(&mut self, id: &SessionId) -> Result<Option<Timestamp>> {
        let of = |event: &&crate::model::Event| {
            event.entity == "session" && event.key == id.as_str() && event.kind == "state"
        };
        let waited = Some(delivery::REASON);
        let mut events = self.events.iter().rev().filter(of);
        let newest = events.find(|event| event.reason.as_deref() != waited);
        Ok(newest.map(|event| event.at))
    }

    fn push_waited(&mut self, push: &Push, moved: Revision) -> Result<()> {
        Store::push(self, push)?;
        self.moved.insert(push.session.clone(), moved);
        Ok(())
    }
}
