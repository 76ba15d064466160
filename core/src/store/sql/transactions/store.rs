//! What every command may need: sessions, items, claims.

use super::super::engine::{Engine, Tx, args};
use super::super::statement::statements;
use super::super::{SqlStore, claims, events, items, releases, sessions};
use crate::model::{Item, ItemKey, NewItem, Session, Timestamp};
use crate::store::{
    ClaimedItem, GrantedClaim, ItemFilter, Provenance, ReleaseRequest, ReleasedClaim, Result,
    SessionFilter, SessionRegistration, Store,
};

statements! {
    /// Whether there is anything for the sweeps of work: one small query instead of three large ones.
    HAS_RUNNING_WORK() =
        "SELECT EXISTS (SELECT 1 FROM phase_queue WHERE status = 'running')
         OR EXISTS (SELECT 1 FROM plan_tasks WHERE status = 'in_progress')
         OR EXISTS (SELECT 1 FROM orchestrators WHERE status IN ('running', 'stopping'))";
}

impl<E: Engine> Store for SqlStore<E> {
    fn database_time(&mut self) -> Result<Timestamp> {
        self.engine.read(|tx| events::load_database_time(tx))
    }

    fn find_differing_clock_reading(&mut self, apart_seconds: u64) -> Result<Option<Timestamp>> {
        self.engine.read(|tx| events::find_differing_clock_reading(tx, apart_seconds))
    }

    fn register_session(&mut self, registration: &SessionRegistration) -> Result<Session> {
        self.engine.write(|tx| sessions::register_session(tx, registration))
    }

    fn list_sessions(&mut self, filter: &SessionFilter) -> Result<Vec<Session>> {
        self.engine.read(|tx| sessions::list_sessions(tx, filter))
    }

    fn sessions_with_expired_lease(&mut self, limit: u32) -> Result<Vec<Session>> {
        self.engine.read(|tx| sessions::sessions_with_expired_lease(tx, limit))
    }

    fn mark_lost(
        &mut self,
        session: &Session,
        provenance: &Provenance,
    ) -> Result<Option<ReleasedClaim>> {
        self.engine.write(|tx| claims::mark_lost(tx, session, provenance))
    }

    fn has_running_work(&mut self) -> Result<bool> {
        self.engine.read(|tx| tx.one_row(&HAS_RUNNING_WORK, args![], |row| row.get(0)))
    }

    fn add_item(&mut self, item: &NewItem, provenance: &Provenance) -> Result<Item> {
        self.engine.write(|tx| items::add_item(tx, item, provenance))
    }

    fn list_items(&mut self, filter: &ItemFilter) -> Result<Vec<Item>> {
        self.engine.read(|tx| items::list_items(tx, filter))
    }

    fn claim(&mut self, claim: &GrantedClaim) -> Result<ClaimedItem> {
        self.engine.write(|tx| claims::claim_item(tx, claim))
    }

    fn release(&mut self, request: &ReleaseRequest) -> Result<Item> {
        self.engine.write(|tx| releases::release_item(tx, request))
    }

    fn record_refusal(&mut self, item: &ItemKey, provenance: &Provenance) -> Result<()> {
        self.engine.write(|tx| events::record_refusal(tx, item, provenance))
    }
}
