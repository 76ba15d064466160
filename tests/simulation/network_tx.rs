//! A transaction of SQLite that says of itself what one behind a network says.

use trueup_core::store::Result;
use trueup_core::store::sql::{Arg, Row, Statement, Tx};
use trueup_core::store::sqlite::SqliteTx;

/// A transaction at the server.
pub(crate) struct NetworkTx<'c>(pub(crate) SqliteTx<'c>);

impl Tx for NetworkTx<'_> {
    fn for_each_row(
        &mut self,
        statement: &'static Statement,
        args: &[Arg<'_>],
        visit: impl FnMut(&dyn Row) -> Result<()>,
    ) -> Result<()> {
        self.0.for_each_row(statement, args, visit)
    }

    fn row<T>(
        &mut self,
        statement: &'static Statement,
        args: &[Arg<'_>],
        read: impl FnOnce(&dyn Row) -> Result<T>,
    ) -> Result<Option<T>> {
        self.0.row(statement, args, read)
    }

    fn execute(&mut self, statement: &'static Statement, args: &[Arg<'_>]) -> Result<()> {
        self.0.execute(statement, args)
    }

    fn count_changes(&mut self, statement: &'static Statement, args: &[Arg<'_>]) -> Result<u64> {
        self.0.count_changes(statement, args)
    }

    fn attempt<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.0.attempt(|tx| part(&mut NetworkTx(*tx)))
    }

    /// As an exchange says: so a batch reads first what it needs, and predicts what each write
    /// leaves behind.
    fn has_costly_later_reads(&self) -> bool {
        true
    }
}
