//! Hand-offs.

use super::super::engine::Engine;
use super::super::{SqlStore, handoffs};
use crate::model::{Handoff, HandoffId};
use crate::store::{
    AcceptHandoffRequest, AcceptedHandoff, HandoffFilter, HandoffResult, HandoffStore, NewHandoff,
    RejectHandoffRequest, Result,
};

impl<E: Engine> HandoffStore for SqlStore<E> {
    fn create_handoff(&mut self, new: &NewHandoff) -> Result<Handoff> {
        self.engine.write(|tx| handoffs::create_handoff(tx, new))
    }

    fn load_handoff(&mut self, id: &HandoffId) -> Result<Option<Handoff>> {
        self.engine.read(|tx| handoffs::load_handoff(tx, id))
    }

    fn list_handoffs(&mut self, filter: HandoffFilter) -> Result<Vec<Handoff>> {
        self.engine.read(|tx| handoffs::list_handoffs(tx, filter))
    }

    fn accept_handoff(
        &mut self,
        request: &AcceptHandoffRequest,
    ) -> Result<HandoffResult<AcceptedHandoff>> {
        self.engine.write(|tx| handoffs::accept_handoff(tx, request))
    }

    fn reject_handoff(&mut self, request: &RejectHandoffRequest) -> Result<HandoffResult<Handoff>> {
        self.engine.write(|tx| handoffs::reject_handoff(tx, request))
    }
}
