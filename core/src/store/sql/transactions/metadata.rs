//! Changes of metadata files, as events.

use super::super::engine::Engine;
use super::super::{SqlStore, metadata};
use crate::store::{MetadataChange, MetadataStore, Provenance, Result};

impl<E: Engine> MetadataStore for SqlStore<E> {
    fn record_metadata_change(
        &mut self,
        change: &MetadataChange,
        provenance: &Provenance,
    ) -> Result<()> {
        self.engine.write(|tx| metadata::record_metadata_change(tx, change, provenance))
    }
}
