//! Exporting the database, and filling a new one from an export.

use std::io::{BufRead, Write};

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ToSql, types::ToSqlOutput};

use super::{SqliteStore, open};
use crate::model::{Lineage, Timestamp};
use crate::store::sql::Kind;
use crate::store::sql::transfer::{
    ExportReader, ExportSummary, ImportOutcome, NextRow, OnProgress, OnRow, RowValue,
    TransferError, TransferResult, TransferSource, TransferTable, TransferTarget, import_rows,
    write_export,
};
use crate::store::{Result, StoreError};

/// The page cache while rows are imported, in KiB. With the usual 2 MiB, pages of indexes would be
/// written and read again for most rows.
const IMPORT_CACHE_KIB: i64 = 64 * 1024;

impl SqliteStore {
    /// Writes all rows as they are at one moment, while other processes go on working.
    ///
    /// # Errors
    ///
    /// When the database cannot be read or the export cannot be written.
    pub fn export(
        &mut self,
        out: &mut dyn Write,
        exported_at: Timestamp,
        on_progress: OnProgress<'_>,
    ) -> TransferResult<ExportSummary> {
        let transaction = self.engine.connection.transaction()?;
        write_export(&mut TableAccess(&transaction), out, exported_at, on_progress)
    }

    /// Fills the database, which has no rows yet, in one transaction.
    ///
    /// # Errors
    ///
    /// Those of [`import_rows`]; then the database is as it was.
    pub fn import<R: BufRead>(
        &mut self,
        export: ExportReader<R>,
        on_progress: OnProgress<'_>,
    ) -> TransferResult<ImportOutcome> {
        let usual_cache: i64 =
            self.engine.connection.query_row("PRAGMA cache_size", [], |row| row.get(0))?;
        // A transaction cannot change what applies to it.
        configure(&self.engine.connection, false, -IMPORT_CACHE_KIB)?;
        let outcome = self.engine.run_write(|transaction| {
            import_rows(&mut TableAccess(transaction), export, on_progress)
        });
        configure(&self.engine.connection, true, usual_cache)?;
        outcome
    }
}

/// Sets whether the connection applies triggers and foreign keys, and the size of its page cache.
/// Rows of an export were written under both, and some refer to rows that come later.
fn configure(connection: &Connection, applies_rules: bool, cache_size: i64) -> Result<()> {
    for setting in [DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY]
    {
        connection.set_db_config(setting, applies_rules)?;
    }
    Ok(connection.pragma_update(None, "cache_size", cache_size)?)
}

/// The tables within a transaction.
struct TableAccess<'c>(&'c Connection);

impl TransferSource for TableAccess<'_> {
    fn load_lineage(&mut self) -> TransferResult<Lineage> {
        Ok(open::load_lineage(self.0)?)
    }

    fn count_rows(&mut self, table: &'static TransferTable) -> TransferResult<u64> {
        let sql = format!("SELECT count(*) FROM {}", table.name());
        let count: i64 = self.0.query_row(&sql, [], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    fn for_each_row(
        &mut self,
        table: &'static TransferTable,
        on_row: OnRow<'_>,
    ) -> TransferResult<()> {
        let mut select = self.0.prepare(&table.select_text())?;
        let mut rows = select.query([])?;
        let mut values = Vec::with_capacity(table.columns().len());
        while let Some(row) = rows.next()? {
            values.clear();
            for (place, column) in table.columns().iter().enumerate() {
                values.push(read_value(row, place, column.kind)?);
            }
            on_row(&values)?;
        }
        Ok(())
    }
}

fn read_value(row: &rusqlite::Row<'_>, place: usize, kind: Kind) -> Result<RowValue> {
    match row.get_ref(place)? {
        ValueRef::Null => Ok(RowValue::Null),
        ValueRef::Integer(number) => Ok(RowValue::Integer(number)),
        text => {
            let text = text.as_str().map_err(|error| StoreError::unreadable(&error))?;
            RowValue::from_text(text, kind)
        }
    }
}

impl TransferTarget for TableAccess<'_> {
    fn clear_meta(&mut self) -> TransferResult<()> {
        self.0.execute("DELETE FROM trueup_meta", [])?;
        Ok(())
    }

    fn insert_rows(
        &mut self,
        table: &'static TransferTable,
        next_row: NextRow<'_>,
    ) -> TransferResult<()> {
        let places: Vec<String> =
            (1..=table.columns().len()).map(|place| format!("?{place}")).collect();
        let (name, columns, places) = (table.name(), table.column_list(), places.join(", "));
        let sql = format!("INSERT INTO {name} ({columns}) VALUES ({places})");
        let mut insert = self.0.prepare(&sql)?;
        while let Some(row) = next_row()? {
            insert.execute(rusqlite::params_from_iter(&row))?;
        }
        Ok(())
    }

    /// SQLite numbers new rows behind the highest number by itself.
    fn finish_rows(&mut self) -> TransferResult<()> {
        let mut check = self.0.prepare("PRAGMA foreign_key_check")?;
        let mut rows = check.query([])?;
        match rows.next()? {
            None => Ok(()),
            Some(row) => {
                let table: String = row.get(0)?;
                let parent: String = row.get(2)?;
                let problem =
                    format!("a row of {table} refers to a row of {parent} that is missing");
                Err(TransferError::Store(StoreError::denied(problem)))
            }
        }
    }
}

impl From<rusqlite::Error> for TransferError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl ToSql for RowValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
