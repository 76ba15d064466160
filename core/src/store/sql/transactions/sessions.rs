//! Sessions: their registration, and which of them are there.

use super::super::engine::{Engine, Tx, args};
use super::super::handoffs::{IS_OPEN, IS_UNTOLD};
use super::super::statement::statements;
use super::super::{SqlStore, claims, sessions};
use crate::model::{Session, Timestamp};
use crate::store::{
    PendingMatters, Provenance, ReleasedClaim, Result, SessionFilter, SessionRegistration,
    SessionStore,
};

statements! {
    /// Each row says of which kind one matter is: 1 for work in progress, 2 for a hand-off. Mostly
    /// there is none, and so one small question stands for five large ones.
    LIST_PENDING_KINDS() =
        "SELECT 1 FROM phase_queue WHERE status = 'running'
         UNION ALL SELECT 1 FROM plan_tasks WHERE status = 'in_progress'
         UNION ALL SELECT 1 FROM orchestrators WHERE status IN ('running', 'stopping')
         UNION ALL SELECT 2 FROM handoffs WHERE ", IS_OPEN, "
         UNION ALL SELECT 2 FROM handoffs WHERE ", IS_UNTOLD;
}

/// Says that it will be asked what the start of a session has to look at.
pub(in super::super) fn prefetch_pending_matters(tx: &mut impl Tx) {
    tx.prefetch(&LIST_PENDING_KINDS, args![]);
}

impl<E: Engine> SessionStore for SqlStore<E> {
    fn register_session(&mut self, registration: &SessionRegistration) -> Result<Session> {
        self.engine.write(|tx| sessions::register_session(tx, registration))
    }

    fn list_sessions(&mut self, filter: &SessionFilter) -> Result<Vec<Session>> {
        self.engine.read(|tx| sessions::list_sessions(tx, filter))
    }

    fn list_peers(&mut self, session: &Session, limit: u32) -> Result<Vec<Session>> {
        self.engine.read(|tx| sessions::list_peers(tx, session, limit))
    }

    fn sessions_with_expired_lease(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Session>> {
        self.engine.read(|tx| sessions::sessions_with_expired_lease(tx, now, limit))
    }

    fn mark_lost(
        &mut self,
        session: &Session,
        provenance: &Provenance,
    ) -> Result<Option<ReleasedClaim>> {
        self.engine.write(|tx| claims::mark_lost(tx, session, provenance))
    }

    fn find_pending_matters(&mut self) -> Result<PendingMatters> {
        self.engine.read(|tx| {
            let mut pending = PendingMatters::default();
            tx.for_each_row(&LIST_PENDING_KINDS, args![], |row| {
                match row.get::<u8>(0)? {
                    1 => pending.has_running_work = true,
                    _ => pending.has_handoffs = true,
                }
                Ok(())
            })?;
            Ok(pending)
        })
    }
}
