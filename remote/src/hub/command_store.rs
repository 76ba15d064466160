//! What only commands ask of a database, asked of a hub.

use std::thread;
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::model::EventFilter;
use trueup_core::store::{
    ChangeMark, CommandStore, ExpectedRead, HookStore as _, ReadTime, Result, SchemaStatus,
    Violation,
};

use super::hub_store::HubStore;
use crate::outage::POLL_INTERVAL;

impl CommandStore for HubStore {
    fn set_deadline(&mut self, deadline: Deadline) {
        self.link.set_deadline(deadline);
    }

    /// Every operation is one request, so there is nothing to fetch along.
    fn expect_reads(&mut self, _: ReadTime, _: &[ExpectedRead<'_>]) {}

    /// The newest event: each connection of the hub to its database has marks of its own.
    fn change_mark(&mut self) -> Result<ChangeMark> {
        let newest = self.list_events(&EventFilter { limit: 1, ..EventFilter::default() })?;
        Ok(ChangeMark::new(newest.last().map_or(0, |event| event.seq)))
    }

    /// Looks at the newest event again and again; every look, and whatever is read after the wait,
    /// has a deadline of its own and outlasts an outage of the hub.
    fn wait_for_change(
        &mut self,
        seen: ChangeMark,
        patience: Duration,
    ) -> Result<Option<ChangeMark>> {
        self.link.follow();
        let end = Deadline::after(patience);
        loop {
            let current = self.change_mark()?;
            if current != seen {
                return Ok(Some(current));
            }
            let left = end.remaining();
            if left.is_zero() {
                return Ok(None);
            }
            thread::sleep(POLL_INTERVAL.min(left));
        }
    }

    fn load_schema_status(&mut self) -> Result<SchemaStatus> {
        Self::load_schema_status(self)
    }

    fn find_violations(&mut self) -> Result<Vec<Violation>> {
        Self::find_violations(self)
    }
}
