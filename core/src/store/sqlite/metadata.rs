//! The record of what changed in metadata files.

use rusqlite::params;

use super::errors::from_sqlite;
use super::free::{free_json, free_object};
use super::{SqliteStore, was_done};
use crate::store::{MetadataChange, MetadataStore, Provenance, Result};

impl MetadataStore for SqliteStore {
    fn record_metadata_change(
        &mut self,
        change: &MetadataChange,
        provenance: &Provenance,
    ) -> Result<()> {
        self.write(|tx| {
            if was_done(tx, provenance)? {
                return Ok(());
            }
            tx.execute(
                "INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
                 VALUES (?1, 'metadata', ?2, ?7, ?3, ?4, ?5, ?6)",
                params![
                    provenance.actor,
                    change.id.as_str(),
                    free_object(&change.before),
                    free_json(&change.outcome()),
                    provenance.reason,
                    provenance.op_id,
                    change.deed.as_str()
                ],
            )
            .map_err(from_sqlite)?;
            Ok(())
        })
    }
}
