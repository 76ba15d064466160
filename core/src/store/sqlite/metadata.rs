//! The record of what was taken out of metadata files.

use rusqlite::params;
use serde_json::Value as Json;

use super::errors::from_sqlite;
use super::{SqliteStore, was_done};
use crate::store::{MetadataFix, MetadataStore, Provenance, Result};

impl MetadataStore for SqliteStore {
    fn record_metadata_fix(&mut self, fix: &MetadataFix, provenance: &Provenance) -> Result<()> {
        self.write(|tx| {
            if was_done(tx, provenance)? {
                return Ok(());
            }
            tx.execute(
                "INSERT INTO events (actor, entity, key, kind, before, after, reason, op_id)
                 VALUES (?1, 'metadata', ?2, 'fixed', ?3, ?4, ?5, ?6)",
                params![
                    provenance.actor,
                    fix.id.as_str(),
                    Json::Object(fix.before.clone()).to_string(),
                    fix.outcome().to_string(),
                    provenance.reason,
                    provenance.op_id
                ],
            )
            .map_err(from_sqlite)?;
            Ok(())
        })
    }
}
