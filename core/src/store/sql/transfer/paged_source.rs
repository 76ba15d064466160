//! Reading a database by pages, where no transaction stays open between them.

use super::row_value::RowValue;
use super::tables::TransferTable;
use super::{OnRow, TransferResult, TransferSource};
use crate::model::Lineage;
use crate::store::HookStore as _;
use crate::store::sql::{Arg, Engine, Kind, SqlStore, Tx as _};

/// How many rows a page has.
const PAGE_ROWS: i64 = 500;

/// A database that is read by pages. They are of different moments: [`super::write_export`]
/// compares the number of rows, of events above all, before and after.
#[derive(Debug)]
pub struct PagedSource<E, F> {
    store: SqlStore<E>,
    before_page: F,
}

impl<E: Engine, F: FnMut(&mut SqlStore<E>)> PagedSource<E, F> {
    /// Reads through a store, which `before_page` may give a new deadline for each page.
    pub const fn new(store: SqlStore<E>, before_page: F) -> Self {
        Self { store, before_page }
    }

    /// Reads the rows from a key on.
    fn read_page(
        &mut self,
        table: &'static TransferTable,
        from: &[RowValue],
    ) -> TransferResult<Vec<Vec<RowValue>>> {
        let args: Vec<Arg<'_>> =
            from.iter().map(to_arg).chain([Arg::Integer(Some(PAGE_ROWS))]).collect();
        (self.before_page)(&mut self.store);
        let page = self.store.engine.read(|tx| {
            tx.rows(table.page_statement(), &args, |row| {
                let columns = table.columns().iter().enumerate();
                columns.map(|(place, column)| RowValue::from_row(row, place, column.kind)).collect()
            })
        });
        Ok(page?)
    }
}

impl<E: Engine, F: FnMut(&mut SqlStore<E>)> TransferSource for PagedSource<E, F> {
    fn load_lineage(&mut self) -> TransferResult<Lineage> {
        (self.before_page)(&mut self.store);
        Ok(self.store.load_lineage()?)
    }

    fn count_rows(&mut self, table: &'static TransferTable) -> TransferResult<u64> {
        let count =
            self.store.engine.read(|tx| tx.one_row(table.count_statement(), &[], |row| row.get(0)));
        Ok(count?)
    }

    fn for_each_row(
        &mut self,
        table: &'static TransferTable,
        on_row: OnRow<'_>,
    ) -> TransferResult<()> {
        let mut last = None;
        let mut from = first_key(table);
        loop {
            let page = self.read_page(table, &from)?;
            let is_last_page = page.len() < usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
            for row in page {
                // A page begins with the row that the one before ended with.
                let key = key_of(table, &row);
                if last.as_ref() != Some(&key) {
                    on_row(&row)?;
                    last = Some(key);
                }
            }
            match &last {
                Some(key) if !is_last_page => from.clone_from(key),
                _ => return Ok(()),
            }
        }
    }
}

/// A key that no row's is below.
fn first_key(table: &TransferTable) -> Vec<RowValue> {
    let lowest = |place: usize| match table.columns()[place].kind {
        Kind::Integer => RowValue::Integer(i64::MIN),
        Kind::Text | Kind::Json => RowValue::Text(String::new()),
    };
    table.key_places().map(lowest).collect()
}

fn key_of(table: &TransferTable, row: &[RowValue]) -> Vec<RowValue> {
    table.key_places().map(|place| row[place].clone()).collect()
}

fn to_arg(value: &RowValue) -> Arg<'_> {
    match value {
        RowValue::Integer(number) => Arg::Integer(Some(*number)),
        RowValue::Text(text) => Arg::Text(Some(text)),
        RowValue::Null => Arg::Text(None),
    }
}
