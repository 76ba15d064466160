//! The record of what changed in metadata files.

use serde_json::Value as Json;

use super::MemoryStore;
use super::events::record;
use crate::store::news::News;
use crate::store::{MetadataChange, MetadataStore, Provenance, Result};

impl MetadataStore for MemoryStore {
    fn record_metadata_change(
        &mut self,
        change: &MetadataChange,
        provenance: &Provenance,
    ) -> Result<()> {
        let work = |store: &mut Self| {
            let news = News {
                entity: "metadata",
                key: change.id.as_str(),
                kind: change.deed.as_str(),
                before: Json::Object(change.before.clone()),
                after: change.outcome(),
                epoch: None,
            };
            record(store, provenance, news);
            Ok(())
        };
        self.write("record_metadata_change", provenance, work, |_| Ok(()))
    }
}
