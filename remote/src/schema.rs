//! Creating and upgrading the schema of a remote database over a direct connection.

use trueup_core::deadline::Deadline;
use trueup_core::store::SCHEMA_VERSION;
use trueup_core::store::sql::{PostgresFlavor, postgres_schema};
use trueup_core::store::{Result, StoreError};

use crate::postgres::DirectConnection;

/// Whether the schema is there, and whether the server has the roles of Supabase's and
/// `PostgREST`'s gateways.
const FIND_QUERY: &str = "SELECT to_regclass('trueup.schema_migrations') IS NOT NULL, EXISTS \
     (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname IN ('authenticator', 'service_role'))";

const VERSION_QUERY: &str = "SELECT max(version) FROM trueup.schema_migrations";

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MigratedSchema {
    /// The schema before; none where the database had none.
    pub before: Option<i64>,
    /// The schema now, read back.
    pub after: i64,
    /// For which kind of server the schema was made.
    pub flavor: PostgresFlavor,
}

/// Creates the schema, or brings it up to date. The script is one transaction under a lock, so of
/// several that migrate at once one does it and the others find it done.
///
/// # Errors
///
/// [`StoreError::SchemaTooNew`] when a newer trueup migrated the database; then, as with every
/// other error, nothing was changed.
pub fn migrate_schema(
    connection: &mut DirectConnection,
    deadline: Deadline,
) -> Result<MigratedSchema> {
    let (before, flavor) = inspect_schema(connection, deadline)?;
    refuse_newer(before)?;
    connection.run_batch(&postgres_schema(flavor), deadline)?;
    let (after, _) = inspect_schema(connection, deadline)?;
    refuse_newer(after)?;
    let after = after.ok_or_else(|| StoreError::unavailable("the schema was not created"))?;
    Ok(MigratedSchema { before, after, flavor })
}

fn refuse_newer(version: Option<i64>) -> Result<()> {
    match version {
        Some(found) if found > SCHEMA_VERSION => {
            Err(StoreError::SchemaTooNew { found, known: SCHEMA_VERSION })
        }
        _ => Ok(()),
    }
}

/// Reads the version of the schema, and what kind of server it is.
fn inspect_schema(
    connection: &mut DirectConnection,
    deadline: Deadline,
) -> Result<(Option<i64>, PostgresFlavor)> {
    let row = read_row(connection, FIND_QUERY, deadline)?;
    let is_true = |column: usize| row.get(column).and_then(Option::as_deref) == Some("t");
    let flavor = if is_true(1) { PostgresFlavor::Supabase } else { PostgresFlavor::Postgres };
    if !is_true(0) {
        return Ok((None, flavor));
    }
    let row = read_row(connection, VERSION_QUERY, deadline)?;
    let version = row.first().and_then(Option::as_deref).and_then(|text| text.parse().ok());
    Ok((version, flavor))
}

fn read_row(
    connection: &mut DirectConnection,
    sql: &str,
    deadline: Deadline,
) -> Result<Vec<Option<String>>> {
    let rows = connection.run_batch(sql, deadline)?;
    rows.into_iter().next().ok_or_else(|| StoreError::unavailable("the server gave no answer"))
}
