//! Exporting a remote database, and filling a new one from an export.

mod copy_text;
mod postgres_tables;

use std::io::{BufRead, Write};
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::model::Timestamp;
use trueup_core::store::sql::transfer::{
    ExportReader, ExportSummary, ImportOutcome, OnProgress, PagedSource, TransferError,
    TransferResult, import_rows, write_export,
};
use trueup_core::store::{CommandStore as _, SCHEMA_VERSION, StoreError};

use crate::error::{FailureKind, TransportError};
use crate::exchange::{ExchangeEngine, RemoteStore};
use crate::remote_database::RemoteDatabase;
use postgres_tables::PostgresTables;

/// Reads all tables as they are at one moment.
const BEGIN_EXPORT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
     SET LOCAL search_path = trueup, pg_temp; \
     SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
     SELECT value FROM trueup_meta WHERE key = 'lineage'";

/// Takes the turn of all writers, as whoever owns the tables. Nobody waits for long: the database
/// is new.
const BEGIN_IMPORT: &str = "BEGIN; SELECT 'trueup.trueup_meta'::regclass; \
     SET LOCAL ROLE trueup_owner; SET LOCAL search_path = trueup, pg_temp; \
     SET LOCAL lock_timeout = '10s'; \
     SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
     SELECT take_turn()";

impl RemoteDatabase {
    /// Writes all rows: as they are at one moment where the user of a `postgres://` URL may read the
    /// tables, otherwise by pages, which fails if the database changes meanwhile.
    ///
    /// # Errors
    ///
    /// When the database cannot be read or the export cannot be written.
    pub fn export(
        &self,
        out: &mut dyn Write,
        exported_at: Timestamp,
        patience: Duration,
        on_progress: OnProgress<'_>,
    ) -> TransferResult<ExportSummary> {
        if self.is_postgres() {
            let mut connection =
                self.connect_directly(Deadline::after(patience)).map_err(failed)?;
            match connection.begin(BEGIN_EXPORT, Deadline::after(patience)) {
                Ok(transaction) => {
                    let mut tables = PostgresTables::new(transaction, patience);
                    tables.check_schema()?;
                    return write_export(&mut tables, out, exported_at, on_progress);
                }
                // A client may call the function that exchanges, and read no table.
                Err(error) if error.kind == FailureKind::PermissionDenied => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let transport = Box::new(self.open_transport().map_err(failed)?);
        let engine = ExchangeEngine::new(transport, SCHEMA_VERSION, Deadline::after(patience));
        let renew = |store: &mut RemoteStore| store.set_deadline(Deadline::after(patience));
        let mut source = PagedSource::new(RemoteStore::new(engine), renew);
        write_export(&mut source, out, exported_at, on_progress)
    }

    /// Fills the database, which has no rows yet, in one transaction over a direct connection.
    ///
    /// # Errors
    ///
    /// Those of [`import_rows`], and when the URL is not `postgres://` or its user does not own the
    /// tables; then the database is as it was.
    pub fn import<R: BufRead>(
        &self,
        export: ExportReader<R>,
        patience: Duration,
        on_progress: OnProgress<'_>,
    ) -> TransferResult<ImportOutcome> {
        let mut connection = self.connect_directly(Deadline::after(patience)).map_err(failed)?;
        let begun = connection.begin(BEGIN_IMPORT, Deadline::after(patience));
        let mut tables = PostgresTables::new(begun.map_err(failed)?, patience);
        tables.check_schema()?;
        let outcome = import_rows(&mut tables, export, on_progress)?;
        tables.commit()?;
        Ok(outcome)
    }
}

fn failed(error: TransportError) -> TransferError {
    TransferError::Store(StoreError::from(error))
}
