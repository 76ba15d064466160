//! Filling a database from an export.

use std::io::BufRead;

use super::error::TransferError;
use super::export::read_table;
use super::lines::{ExportSummary, TableSummary};
use super::reader::ExportReader;
use super::tables::{META_TABLE, TRANSFER_TABLES};
use super::{OnProgress, TransferProgress, TransferResult, TransferStage, TransferTarget};

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOutcome {
    /// What the database holds now.
    pub summary: ExportSummary,
    /// Whether the database held all of it before, so that nothing was written.
    pub was_there: bool,
}

/// Fills an empty database, within the transaction that the target is. A database that holds
/// exactly the rows of the export already is left as it is, so that an import whose answer was lost
/// may be repeated.
///
/// # Errors
///
/// When the database has work of its own, the export is damaged, or what is read back differs; then
/// the caller drops the transaction.
pub fn import_rows<R: BufRead>(
    target: &mut dyn TransferTarget,
    mut export: ExportReader<R>,
    on_progress: OnProgress<'_>,
) -> TransferResult<ImportOutcome> {
    let own_rows = count_own_rows(target)?;
    if !own_rows.is_empty() {
        let occupied = TransferError::Occupied(own_rows.join(", "));
        if target.load_lineage()? != *export.lineage() {
            return Err(occupied);
        }
        let summary = export.check(on_progress)?;
        return match verify_rows(target, &summary, on_progress) {
            Ok(()) => Ok(ImportOutcome { summary, was_there: true }),
            Err(TransferError::NotAsExported(_)) => Err(occupied),
            Err(error) => Err(error),
        };
    }
    target.clear_meta()?;
    let mut progress =
        TransferProgress { stage: TransferStage::Importing, done: 0, total: export.rows() };
    let mut tables = Vec::new();
    for table in TRANSFER_TABLES {
        let mut rows = export.table_rows(table);
        target.insert_rows(table, &mut || {
            let row = rows.next_row()?;
            progress.done += u64::from(row.is_some());
            on_progress(progress);
            Ok(row)
        })?;
        tables.push(rows.finish());
    }
    let summary = export.finish(tables)?;
    target.finish_rows()?;
    verify_rows(target, &summary, on_progress)?;
    if target.load_lineage()? != summary.lineage {
        return Err(TransferError::NotAsExported(META_TABLE));
    }
    Ok(ImportOutcome { summary, was_there: false })
}

/// Names the tables in which a database has rows of its own, with how many.
fn count_own_rows(target: &mut dyn TransferTarget) -> TransferResult<Vec<String>> {
    let mut own_rows = Vec::new();
    for table in TRANSFER_TABLES.iter().filter(|table| table.name() != META_TABLE) {
        match target.count_rows(table)? {
            0 => {}
            count => own_rows.push(format!("{count} in {}", table.name())),
        }
    }
    Ok(own_rows)
}

/// Reads all rows, and compares their number and digest with those of the export.
fn verify_rows(
    target: &mut dyn TransferTarget,
    summary: &ExportSummary,
    on_progress: OnProgress<'_>,
) -> TransferResult<()> {
    let mut progress =
        TransferProgress { stage: TransferStage::Verifying, done: 0, total: summary.rows() };
    for (table, expected) in TRANSFER_TABLES.iter().zip(&summary.tables) {
        let found: TableSummary = read_table(target, table, &mut |_| {
            progress.done += 1;
            on_progress(progress);
            Ok(())
        })?;
        if found != *expected {
            return Err(TransferError::NotAsExported(expected.table));
        }
    }
    Ok(())
}
