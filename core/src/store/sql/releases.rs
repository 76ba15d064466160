//! Releasing an item, with what ends with the claim.

use super::claims::{clear_current_work, clear_holder};
use super::engine::Tx;
use super::{handoffs, items};
use crate::model::Item;
use crate::store::{ReleaseRequest, Result, StoreError};

pub(super) fn release_item(tx: &mut impl Tx, request: &ReleaseRequest) -> Result<Item> {
    let provenance = &request.provenance;
    if tx.is_replay(provenance)?
        && let Some(item) = items::load_item(tx, &request.item)?
    {
        return Ok(item);
    }
    let handoff = handoffs::find_handoff_of(tx, &request.item, &request.session)?;
    if !clear_holder(tx, &request.session, &request.item, provenance, None)? {
        return Err(StoreError::Conflict(format!(
            "session {} does not hold {}",
            request.session, request.item
        )));
    }
    if let Some(handoff) = &handoff {
        handoffs::withdraw_given_up(tx, handoff, provenance)?;
    }
    clear_current_work(tx, &request.session, provenance)?;
    tx.finish();
    // As the triggers left it.
    items::load_existing_item(tx, &request.item)
}
