//! Reading an export line by line.

use std::io::{BufRead, Read as _};

use super::error::TransferError;
use super::lines::{
    ExportSummary, FORMAT, Footer, Header, TableDigest, TableSummary, names_every_table,
    parse_row_line,
};
use super::row_value::RowValue;
use super::tables::{TRANSFER_TABLES, TransferTable};
use super::{OnProgress, TransferProgress, TransferResult, TransferStage};
use crate::model::Lineage;
use crate::store::SCHEMA_VERSION;

/// The longest line that is read, in bytes: far more than any row has.
const MAX_LINE_BYTES: u64 = 256 * 1024 * 1024;

/// An export whose first line was read.
#[derive(Debug)]
pub struct ExportReader<R> {
    input: R,
    /// The line that was read last, counted from 1.
    number: u64,
    line: Vec<u8>,
    header: Header,
}

impl<R: BufRead> ExportReader<R> {
    /// Reads the first line.
    ///
    /// # Errors
    ///
    /// When it is not that of an export of this schema.
    pub fn new(input: R) -> TransferResult<Self> {
        let header = Header {
            trueup_export: FORMAT,
            lineage: Lineage(String::new()),
            schema: SCHEMA_VERSION,
            exported_at: crate::model::Timestamp::from_millis(0),
            rows: std::collections::BTreeMap::new(),
        };
        let mut reader = Self { input, number: 0, line: Vec::new(), header };
        reader.read_line()?;
        let header: Header = serde_json::from_slice(&reader.line)
            .map_err(|error| reader.damage(format!("no header of an export: {error}")))?;
        if header.trueup_export != FORMAT {
            return Err(reader.damage("a newer trueup wrote this export"));
        }
        if header.schema != SCHEMA_VERSION {
            let (found, needed) = (header.schema, SCHEMA_VERSION);
            return Err(TransferError::OtherSchema { found, needed });
        }
        if !names_every_table(&header.rows) {
            return Err(reader.damage("the header does not name every table"));
        }
        reader.header = header;
        Ok(reader)
    }

    /// The lineage of the exported database.
    pub const fn lineage(&self) -> &Lineage {
        &self.header.lineage
    }

    /// How many rows the export has.
    pub fn rows(&self) -> u64 {
        self.header.total()
    }

    /// Reads to the end, and checks every line.
    ///
    /// # Errors
    ///
    /// When the export is damaged or incomplete.
    pub fn check(mut self, on_progress: OnProgress<'_>) -> TransferResult<ExportSummary> {
        let mut progress =
            TransferProgress { stage: TransferStage::Checking, done: 0, total: self.rows() };
        let mut tables = Vec::new();
        for table in TRANSFER_TABLES {
            let mut rows = self.table_rows(table);
            while rows.next_row()?.is_some() {
                progress.done += 1;
                on_progress(progress);
            }
            tables.push(rows.finish());
        }
        self.finish(tables)
    }

    /// Returns the rows of a table, which come next.
    pub(super) fn table_rows(&mut self, table: &'static TransferTable) -> TableRows<'_, R> {
        let left = self.header.rows_of(table);
        TableRows { reader: self, table, left, digest: TableDigest::new() }
    }

    /// Reads the last line, and compares it with what was read before.
    pub(super) fn finish(mut self, tables: Vec<TableSummary>) -> TransferResult<ExportSummary> {
        self.read_line()?;
        let Footer { digests } = serde_json::from_slice(&self.line)
            .map_err(|error| self.damage(format!("no last line of an export: {error}")))?;
        if !names_every_table(&digests) {
            return Err(self.damage("the last line does not name every table"));
        }
        let altered = tables.iter().find(|it| digests.get(it.table) != Some(&it.digest));
        if let Some(TableSummary { table, .. }) = altered {
            return Err(
                self.damage(format!("the rows of {table} are not those that were exported"))
            );
        }
        let rest = self.input.fill_buf().map_err(TransferError::Unreadable)?;
        if !rest.is_empty() {
            return Err(self.damage("more follows the last line"));
        }
        let Header { lineage, schema, .. } = self.header;
        Ok(ExportSummary { lineage, schema, tables })
    }

    fn damage(&self, problem: impl Into<String>) -> TransferError {
        TransferError::Damaged { line: self.number, problem: problem.into() }
    }

    fn read_line(&mut self) -> TransferResult<()> {
        self.number += 1;
        self.line.clear();
        let mut bounded = (&mut self.input).take(MAX_LINE_BYTES);
        bounded.read_until(b'\n', &mut self.line).map_err(TransferError::Unreadable)?;
        match self.line.pop() {
            Some(b'\n') => Ok(()),
            Some(_) => Err(self.damage("the line is cut off")),
            None => Err(self.damage("the export ends too early")),
        }
    }
}

/// The rows of one table.
pub(super) struct TableRows<'r, R> {
    reader: &'r mut ExportReader<R>,
    table: &'static TransferTable,
    left: u64,
    digest: TableDigest,
}

impl<R: BufRead> TableRows<'_, R> {
    pub(super) fn next_row(&mut self) -> TransferResult<Option<Vec<RowValue>>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.reader.read_line()?;
        self.digest.add_line(&self.reader.line);
        let row = parse_row_line(self.table, &self.reader.line);
        row.map(Some).map_err(|problem| self.reader.damage(problem))
    }

    pub(super) fn finish(self) -> TableSummary {
        self.digest.finish(self.table)
    }
}
