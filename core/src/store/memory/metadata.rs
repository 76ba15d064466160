//! The record of what was taken out of metadata files.

use serde_json::Value as Json;

use super::MemoryStore;
use super::events::record;
use crate::store::news::News;
use crate::store::{MetadataFix, MetadataStore, Provenance, Result};

impl MetadataStore for MemoryStore {
    fn record_metadata_fix(&mut self, fix: &MetadataFix, provenance: &Provenance) -> Result<()> {
        let work = |store: &mut Self| {
            let news = News {
                entity: "metadata",
                key: fix.id.as_str(),
                kind: "fixed",
                before: Json::Object(fix.before.clone()),
                after: fix.outcome(),
                epoch: None,
            };
            record(store, provenance, news);
            Ok(())
        };
        self.write("record_metadata_fix", provenance, work, |_| Ok(()))
    }
}
