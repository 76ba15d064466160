//! Writing an export.

use std::io::Write;

use super::error::TransferError;
use super::lines::{
    ExportSummary, FORMAT, Footer, Header, TableDigest, TableSummary, push_row_line,
};
use super::tables::{TRANSFER_TABLES, TransferTable};
use super::{OnProgress, TransferProgress, TransferResult, TransferSource, TransferStage};
use crate::model::Timestamp;
use crate::store::SCHEMA_VERSION;

/// Writes all rows of a database, one after another.
///
/// # Errors
///
/// When the database cannot be read or the export cannot be written.
pub fn write_export(
    source: &mut dyn TransferSource,
    out: &mut dyn Write,
    exported_at: Timestamp,
    on_progress: OnProgress<'_>,
) -> TransferResult<ExportSummary> {
    let header = load_header(source, exported_at)?;
    write_line(out, &to_json(&header)?)?;
    let mut progress =
        TransferProgress { stage: TransferStage::Exporting, done: 0, total: header.total() };
    let mut tables = Vec::new();
    for table in TRANSFER_TABLES {
        let summary = read_table(source, table, &mut |line| {
            progress.done += 1;
            on_progress(progress);
            write_line(out, line)
        })?;
        // The rows of one moment are as many as were counted at it.
        if summary.rows != header.rows_of(table) {
            return Err(TransferError::Changed);
        }
        tables.push(summary);
    }
    if load_header(source, exported_at)? != header {
        return Err(TransferError::Changed);
    }
    let digests = tables.iter().map(|it| (it.table.to_owned(), it.digest.clone())).collect();
    write_line(out, &to_json(&Footer { digests })?)?;
    out.flush().map_err(TransferError::Unwritable)?;
    Ok(ExportSummary { lineage: header.lineage, schema: header.schema, tables })
}

/// Reads the rows of a table as lines.
pub(super) fn read_table(
    source: &mut dyn TransferSource,
    table: &'static TransferTable,
    on_line: &mut dyn FnMut(&[u8]) -> TransferResult<()>,
) -> TransferResult<TableSummary> {
    let mut digest = TableDigest::new();
    let mut line = Vec::new();
    source.for_each_row(table, &mut |row| {
        line.clear();
        push_row_line(table, row, &mut line);
        digest.add_line(&line);
        on_line(&line)
    })?;
    Ok(digest.finish(table))
}

fn load_header(source: &mut dyn TransferSource, exported_at: Timestamp) -> TransferResult<Header> {
    let lineage = source.load_lineage()?;
    let mut rows = std::collections::BTreeMap::new();
    for table in TRANSFER_TABLES {
        rows.insert(table.name().to_owned(), source.count_rows(table)?);
    }
    Ok(Header { trueup_export: FORMAT, lineage, schema: SCHEMA_VERSION, exported_at, rows })
}

fn to_json(line: &impl serde::Serialize) -> TransferResult<Vec<u8>> {
    serde_json::to_vec(line).map_err(|error| TransferError::Unwritable(error.into()))
}

fn write_line(out: &mut dyn Write, line: &[u8]) -> TransferResult<()> {
    out.write_all(line).and_then(|()| out.write_all(b"\n")).map_err(TransferError::Unwritable)
}
