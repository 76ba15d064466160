//! The tables of a PostgreSQL database within one transaction.

use std::cmp::Ordering;
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::model::Lineage;
use trueup_core::store::sql::transfer::{
    NextRow, OnRow, TRANSFER_TABLES, TransferError, TransferResult, TransferSource, TransferTable,
    TransferTarget,
};
use trueup_core::store::{SCHEMA_VERSION, StoreError};

use super::copy_text::{parse_row, push_row};
use super::failed;
use crate::error::TransportError;
use crate::postgres::PinnedTransaction;

/// How long the server may take over one part of a transfer, beyond the patience of a command: it
/// sorts or checks a whole table in it.
const PART_LIMIT: Duration = Duration::from_mins(10);

/// The tables, as the transaction sees them.
pub(super) struct PostgresTables<'l> {
    transaction: PinnedTransaction<'l>,
    patience: Duration,
}

/// An error on the way of a row: of the transport, or of who takes it.
struct RowError(TransferError);

impl From<TransportError> for RowError {
    fn from(error: TransportError) -> Self {
        Self(failed(error))
    }
}

impl<'l> PostgresTables<'l> {
    pub(super) const fn new(transaction: PinnedTransaction<'l>, patience: Duration) -> Self {
        Self { transaction, patience }
    }

    /// Refuses a database of another schema.
    pub(super) fn check_schema(&mut self) -> TransferResult<()> {
        let version = self.read_value("SELECT max(version) FROM schema_migrations")?;
        let found: i64 = version.and_then(|version| version.parse().ok()).unwrap_or_default();
        match found.cmp(&SCHEMA_VERSION) {
            Ordering::Equal => Ok(()),
            Ordering::Greater => {
                Err(StoreError::SchemaTooNew { found, known: SCHEMA_VERSION }.into())
            }
            Ordering::Less => {
                Err(StoreError::SchemaTooOld { found, needed: SCHEMA_VERSION }.into())
            }
        }
    }

    pub(super) fn commit(mut self) -> TransferResult<()> {
        self.run("COMMIT")
    }

    fn part_deadline(&self) -> Deadline {
        Deadline::after(self.patience.max(PART_LIMIT))
    }

    fn run(&mut self, sql: &str) -> TransferResult<()> {
        let deadline = self.part_deadline();
        self.transaction.run_batch(sql, deadline).map(drop).map_err(failed)
    }

    /// Reads the first value of the first row.
    fn read_value(&mut self, sql: &str) -> TransferResult<Option<String>> {
        let deadline = self.part_deadline();
        let rows = self.transaction.run_batch(sql, deadline).map_err(failed)?;
        Ok(rows.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
    }
}

impl TransferSource for PostgresTables<'_> {
    fn load_lineage(&mut self) -> TransferResult<Lineage> {
        let lineage = self.read_value("SELECT value FROM trueup_meta WHERE key = 'lineage'")?;
        let lineage = lineage.map(Lineage);
        Ok(lineage.ok_or_else(|| StoreError::corrupt("the database has no lineage"))?)
    }

    fn count_rows(&mut self, table: &'static TransferTable) -> TransferResult<u64> {
        let count = self.read_value(&format!("SELECT count(*) FROM {}", table.name()))?;
        let count = count.and_then(|count| count.parse().ok());
        Ok(count.ok_or_else(|| StoreError::unreadable(&"a number of rows is missing"))?)
    }

    fn for_each_row(
        &mut self,
        table: &'static TransferTable,
        on_row: OnRow<'_>,
    ) -> TransferResult<()> {
        let sql = format!("COPY ({}) TO STDOUT", table.select_text());
        let limit = self.patience.max(PART_LIMIT);
        let outcome = self.transaction.download(
            &sql,
            || Deadline::after(limit),
            |line| {
                let row = parse_row(table, line).map_err(|error| RowError(error.into()))?;
                on_row(&row).map_err(RowError)
            },
        );
        outcome.map_err(|RowError(error)| error)
    }
}

impl TransferTarget for PostgresTables<'_> {
    /// Turns off the rules and events of all tables as well, until [`Self::finish_rows`]. That is
    /// a part of the transaction, and nobody else sees it.
    fn clear_meta(&mut self) -> TransferResult<()> {
        let alter =
            |table: &TransferTable| format!("ALTER TABLE {} DISABLE TRIGGER USER; ", table.name());
        let disable: String = TRANSFER_TABLES.iter().map(alter).collect();
        self.run(&format!("{disable} DELETE FROM trueup_meta"))
    }

    fn insert_rows(
        &mut self,
        table: &'static TransferTable,
        next_row: NextRow<'_>,
    ) -> TransferResult<()> {
        let sql = format!("COPY {} ({}) FROM STDIN", table.name(), table.column_list());
        let deadline = self.part_deadline();
        let mut upload = self.transaction.begin_upload(&sql, deadline).map_err(failed)?;
        let mut line = Vec::new();
        while let Some(row) = next_row()? {
            line.clear();
            push_row(table, &row, &mut line)?;
            let deadline = self.part_deadline();
            self.transaction.upload(&mut upload, &line, deadline).map_err(failed)?;
        }
        let deadline = self.part_deadline();
        self.transaction.finish_upload(upload, deadline).map_err(failed)?;
        Ok(())
    }

    /// Rows that refer to others are checked as each table is complete. The statistics let the
    /// first statements find their indexes.
    fn finish_rows(&mut self) -> TransferResult<()> {
        for table in TRANSFER_TABLES {
            let name = table.name();
            let mut sql = format!("ALTER TABLE {name} ENABLE TRIGGER USER; ANALYZE {name}");
            if let Some(column) = table.number_column() {
                sql = format!(
                    "DO $$ DECLARE next bigint; BEGIN \
                     SELECT coalesce(max({column}), 0) + 1 INTO next FROM {name}; \
                     EXECUTE format('ALTER TABLE {name} ALTER COLUMN {column} RESTART WITH %s', \
                     next); END $$; {sql}"
                );
            }
            self.run(&sql)?;
        }
        Ok(())
    }
}
