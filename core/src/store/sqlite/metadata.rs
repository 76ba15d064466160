//! The record of what changed in metadata files.

use rusqlite::params;

use super::errors::from_sqlite;
use super::stored_text::{stored_json, stored_object};
use super::{SqliteStore, is_replay};
use crate::store::{MetadataChange, MetadataStore, Provenance, Result};

impl MetadataStore for SqliteStore {
    fn record_metadata_change(
        &mut self,
        change: &MetadataChange,
        provenance: &Provenance,
    ) -> Result<()> {
        self.run_write(|tx| {
            if is_replay(tx, provenance)? {
                return Ok(());
            }
            tx.execute(
                "INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
                 VALUES (?1, 'metadata', ?2, ?7, ?3, ?4, ?5, ?6)",
                params![
                    provenance.actor,
                    change.id.as_str(),
                    stored_object(&change.before),
                    stored_json(&change.event_facts()),
                    provenance.reason,
                    provenance.op_id,
                    change.action.as_str()
                ],
            )
            .map_err(from_sqlite)?;
            Ok(())
        })
    }
}
