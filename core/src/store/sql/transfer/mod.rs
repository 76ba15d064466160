//! Moving a whole database: an export is a file of JSON Lines that any of the databases imports.
//!
//! The first line says of which database and schema the rows are, and how many each table has; the
//! last one has a digest of the lines of each table. Between them every row is a line, in an order
//! that does not depend on the database, so exports of equal databases are equal.
//!
//! An import is one transaction: it is read back and compared before it is committed, and an
//! interrupted one leaves nothing behind. Rows are stored as they are. The rules and events of the
//! schema do not apply to them: they did when the rows were written.

mod error;
mod export;
mod import;
mod lines;
mod paged_source;
mod reader;
mod row_value;
mod tables;

pub use error::TransferError;
pub use export::write_export;
pub use import::{ImportOutcome, import_rows};
pub use lines::{ExportSummary, TableSummary};
pub use paged_source::PagedSource;
pub use reader::ExportReader;
pub use row_value::RowValue;
pub(super) use tables::page_statements;
pub use tables::{TRANSFER_TABLES, TransferColumn, TransferTable};

use crate::model::Lineage;

/// The result of a part of an export or an import.
pub type TransferResult<T> = Result<T, TransferError>;

/// What is being done, for a display of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferStage {
    /// An export is written.
    Exporting,
    /// A file is checked before anything of it is written.
    Checking,
    /// Rows are written.
    Importing,
    /// Rows are read back and compared.
    Verifying,
}

/// How far an export or import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferProgress {
    /// What is being done.
    pub stage: TransferStage,
    /// The rows that are done.
    pub done: u64,
    /// All rows.
    pub total: u64,
}

/// Is told how far an export or import has come.
pub type OnProgress<'a> = &'a mut dyn FnMut(TransferProgress);

/// Is given rows one by one.
pub type OnRow<'a> = &'a mut dyn FnMut(&[RowValue]) -> TransferResult<()>;

/// Gives rows one by one.
pub type NextRow<'a> = &'a mut dyn FnMut() -> TransferResult<Option<Vec<RowValue>>>;

/// A database at one moment, or the transaction that fills one.
pub trait TransferSource {
    /// Loads the lineage.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    fn load_lineage(&mut self) -> TransferResult<Lineage>;

    /// Counts the rows of a table.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    fn count_rows(&mut self, table: &'static TransferTable) -> TransferResult<u64>;

    /// Reads the rows of a table in the order of an export.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or `on_row` says so.
    fn for_each_row(
        &mut self,
        table: &'static TransferTable,
        on_row: OnRow<'_>,
    ) -> TransferResult<()>;
}

/// A transaction that fills a database. Dropped without a commit, it leaves nothing behind.
pub trait TransferTarget: TransferSource {
    /// Removes what a new database has of its own: its lineage.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    fn clear_meta(&mut self) -> TransferResult<()>;

    /// Stores rows as they are.
    ///
    /// # Errors
    ///
    /// When the database refuses one, or `next_row` fails.
    fn insert_rows(
        &mut self,
        table: &'static TransferTable,
        next_row: NextRow<'_>,
    ) -> TransferResult<()>;

    /// Checks that no row refers to one that is missing, and has new rows numbered behind these.
    ///
    /// # Errors
    ///
    /// When a row does.
    fn finish_rows(&mut self) -> TransferResult<()>;
}
