//! Which schema a database has.

use serde::{Deserialize, Serialize};

/// The newest schema that this program knows, of every engine.
pub const SCHEMA_VERSION: i64 = 22;

/// A migration that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedMigration {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// When it was applied, by the database's clock.
    pub applied_at: String,
    /// Whether its text is still the one that was applied.
    pub is_unchanged: bool,
}

/// The schema of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaStatus {
    /// Its version.
    pub version: i64,
    /// The newest version that this program knows.
    pub newest_known: i64,
    /// The migrations that were applied.
    pub applied: Vec<AppliedMigration>,
}
