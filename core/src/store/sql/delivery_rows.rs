//! The rows that queued writes are delivered to, and what is known of them while that lasts.

use std::collections::BTreeMap;

use super::engine::{Tx, args};
use super::session_tasks::{load_task, prefetch_task};
use super::sessions::{load_session, prefetch_session, write_push};
use super::statement::statements;
use crate::model::{Revision, Session, SessionId, Timestamp};
use crate::outbox::{PendingChange, PendingWrite};
use crate::store::{Provenance, Result, StatePush};

/// The reason that the record of changes gives for every queued write.
pub(super) const DELIVERY_REASON: &str = "outbox";

statements! {
    /// The revision at which the session's state was last changed by anything but a queued
    /// write of this outbox: what another one has written since was not known here.
    LOAD_FOREIGN_REVISION(text, text) = @repeated
        "SELECT CASE WHEN delivered_from <> ?2 THEN revision ELSE moved_revision END
         FROM claude_sessions WHERE session_id = ?1";
    NOTE_DELIVERY(text, int, text) = @repeated
        "UPDATE claude_sessions SET moved_revision = ?2, delivered_from = ?3 WHERE session_id = ?1";

    /// The time of that change, by the database's clock.
    FOREIGN_CHANGE_TIME(text, text) = @repeated
        "SELECT at FROM events
         WHERE entity = 'session' AND key = ?1 AND kind = 'state'
           AND reason IS DISTINCT FROM ?2
         ORDER BY seq DESC LIMIT 1";
}

/// The provenance of a queued write, by which it takes effect once.
pub(super) fn delivery_provenance(pending: &PendingWrite, reason: &str) -> Provenance {
    Provenance::new(pending.session.as_str(), reason).under_id(pending.op_id.clone())
}

/// A session, and the revision at which it was last changed by anything but a write that waited.
#[derive(Debug, Clone)]
pub(super) struct KnownSession {
    pub(super) session: Session,
    pub(super) foreign_revision: Revision,
}

/// What is known of the rows that a transaction delivers to. Nobody else writes while it lasts, so
/// each is read once; where a read behind a write is costly, before the first write, and what a
/// write makes of it is predicted. A prediction that is wrong leads to a condition that does not
/// hold, and nothing is written.
#[derive(Debug, Default)]
pub(super) struct KnownRows {
    /// The id of the outbox that delivers.
    outbox: Option<String>,
    sessions: BTreeMap<SessionId, KnownSession>,
    /// The subjects of tasks.
    tasks: BTreeMap<(SessionId, String), Option<String>>,
    /// The operations of which it is known whether they were carried out.
    operations: BTreeMap<String, bool>,
    /// When sessions were last changed by anything but a write that waited.
    foreign_changes: BTreeMap<SessionId, Option<Timestamp>>,
}

impl KnownRows {
    /// Knows nothing yet. The outbox is the one that delivers.
    pub(super) fn of_outbox(outbox: Option<String>) -> Self {
        Self { outbox, ..Self::default() }
    }

    /// Reads what the writes need.
    pub(super) fn load_ahead(
        &mut self,
        tx: &mut impl Tx,
        pending_writes: &[&PendingWrite],
    ) -> Result<()> {
        for pending in pending_writes {
            prefetch_session(tx, &pending.session);
            self.prefetch_for_delivery(tx, pending);
        }
        for pending in pending_writes {
            let provenance = delivery_provenance(pending, DELIVERY_REASON);
            self.is_carried_out(tx, &provenance)?;
            if self.find_session(tx, &pending.session)?.is_some()
                && let PendingChange::TaskStarted { task } | PendingChange::TaskFinished { task } =
                    &pending.write
            {
                self.find_task(tx, &pending.session, task)?;
            }
        }
        Ok(())
    }

    /// Says what will be read before a write is delivered.
    pub(super) fn prefetch_for_delivery(&self, tx: &mut impl Tx, pending: &PendingWrite) {
        tx.prefetch(&LOAD_FOREIGN_REVISION, args![pending.session, self.outbox]);
        if let PendingChange::TaskStarted { task } | PendingChange::TaskFinished { task } =
            &pending.write
        {
            prefetch_task(tx, &pending.session, task);
        }
    }

    fn load_foreign_revision(&self, tx: &mut impl Tx, id: &SessionId) -> Result<Revision> {
        let args = args![id, self.outbox];
        let revision = tx.one_row(&LOAD_FOREIGN_REVISION, args, |row| row.get::<i64>(0))?;
        Ok(Revision(u64::try_from(revision).unwrap_or(0)))
    }

    /// Pushes, and leaves the revision of the last foreign change as it is.
    pub(super) fn push_delivered(
        &self,
        tx: &mut impl Tx,
        push: &StatePush,
        foreign_revision: Revision,
    ) -> Result<()> {
        write_push(tx, push)?;
        tx.execute(&NOTE_DELIVERY, args![push.session, foreign_revision, self.outbox])?;
        Ok(())
    }

    pub(super) fn find_session(
        &mut self,
        tx: &mut impl Tx,
        id: &SessionId,
    ) -> Result<Option<KnownSession>> {
        if let Some(known) = self.sessions.get(id) {
            return Ok(Some(known.clone()));
        }
        let Some(session) = load_session(tx, id)? else {
            return Ok(None);
        };
        self.note_session(tx, session).map(Some)
    }

    pub(super) fn note_session(
        &mut self,
        tx: &mut impl Tx,
        session: Session,
    ) -> Result<KnownSession> {
        let foreign_revision = self.load_foreign_revision(tx, &session.id)?;
        let known = KnownSession { session, foreign_revision };
        self.sessions.insert(known.session.id.clone(), known.clone());
        Ok(known)
    }

    pub(super) fn find_task(
        &mut self,
        tx: &mut impl Tx,
        session: &SessionId,
        task: &str,
    ) -> Result<Option<String>> {
        let key = (session.clone(), task.to_owned());
        if let Some(known) = self.tasks.get(&key) {
            return Ok(known.clone());
        }
        let subject = load_task(tx, session, task)?.map(|task| task.subject);
        self.tasks.insert(key, subject.clone());
        Ok(subject)
    }

    /// Whether an operation was carried out before, by this transaction as well.
    pub(super) fn is_carried_out(
        &mut self,
        tx: &mut impl Tx,
        provenance: &Provenance,
    ) -> Result<bool> {
        if let Some(known) = self.operations.get(&provenance.op_id) {
            return Ok(*known);
        }
        let is_carried_out = tx.is_replay(provenance)?;
        self.operations.insert(provenance.op_id.clone(), is_carried_out);
        Ok(is_carried_out)
    }

    pub(super) fn note_operation(&mut self, provenance: &Provenance) {
        self.operations.insert(provenance.op_id.clone(), true);
    }

    /// Notes what a push made of a session.
    pub(super) fn note_push(&mut self, tx: &impl Tx, push: &StatePush) {
        self.note_operation(&push.provenance);
        let known = self.sessions.get_mut(&push.session);
        let is_predicted = tx.has_costly_later_reads()
            && known.is_some_and(|known| push.predict_outcome(&mut known.session));
        if !is_predicted {
            self.forget_session(&push.session);
        }
    }

    pub(super) fn forget_task(&mut self, session: &SessionId, task: String) {
        self.tasks.remove(&(session.clone(), task));
    }

    pub(super) fn forget_session(&mut self, id: &SessionId) {
        self.sessions.remove(id);
        self.tasks.retain(|(session, _), _| session != id);
    }

    /// Reads when a session was last changed by anything but a write that waited.
    pub(super) fn load_foreign_change_time(
        &mut self,
        tx: &mut impl Tx,
        id: &SessionId,
    ) -> Result<Option<Timestamp>> {
        if let Some(at) = self.foreign_changes.get(id) {
            return Ok(*at);
        }
        let at = tx.row(&FOREIGN_CHANGE_TIME, args![id, DELIVERY_REASON], |row| row.get(0))?;
        self.foreign_changes.insert(id.clone(), at);
        Ok(at)
    }
}
