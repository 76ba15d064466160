//! Claims on items.

use super::super::engine::Engine;
use super::super::{SqlStore, claims, events, releases};
use crate::model::{Item, ItemKey};
use crate::store::{ClaimStore, ClaimedItem, GrantedClaim, Provenance, ReleaseRequest, Result};

impl<E: Engine> ClaimStore for SqlStore<E> {
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
