//! The record of what changed in metadata files.

use super::engine::Tx;
use super::events::record_event;
use crate::store::event_draft::EventDraft;
use crate::store::{MetadataChange, Provenance, Result};

pub(super) fn record_metadata_change(
    tx: &mut impl Tx,
    change: &MetadataChange,
    provenance: &Provenance,
) -> Result<()> {
    if tx.is_replay(provenance)? {
        return Ok(());
    }
    record_event(tx, provenance, &EventDraft::of_metadata(change))
}
