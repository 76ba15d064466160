//! SQLite as an engine of the operations.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

use crate::store::sql::{Arg, Kind, Row, Statement, Tx};
use crate::store::{Result, StoreError};

/// A connection, or the transaction that is open on it.
#[derive(Clone, Copy)]
pub struct SqliteTx<'c> {
    connection: &'c Connection,
}

impl<'c> SqliteTx<'c> {
    pub(super) const fn new(connection: &'c Connection) -> Self {
        Self { connection }
    }

    /// Prepares a statement with the values of its parameters; hands it to `run`.
    fn prepared<T>(
        self,
        statement: &Statement,
        args: &[Arg<'_>],
        run: impl FnOnce(&mut rusqlite::Statement<'_>) -> Result<T>,
    ) -> Result<T> {
        debug_assert!(is_as_declared(statement, args), "{}: {args:?}", statement.name());
        if statement.is_repeated() {
            let mut cached: CachedStatement<'_> =
                self.connection.prepare_cached(statement.sqlite())?;
            bind(&mut cached, args)?;
            run(&mut cached)
        } else {
            let mut prepared = self.connection.prepare(statement.sqlite())?;
            bind(&mut prepared, args)?;
            run(&mut prepared)
        }
    }

    fn run_text(self, text: &str) -> Result<()> {
        self.connection.prepare_cached(text)?.execute([])?;
        Ok(())
    }
}

/// Whether the values are of the kinds that the statement declares. SQLite would take any; a
/// database that reads them from JSON would not.
fn is_as_declared(statement: &Statement, args: &[Arg<'_>]) -> bool {
    let params = statement.params();
    params.len() <= args.len()
        && params.iter().zip(args).all(|(kind, arg)| match arg {
            Arg::Text(_) => matches!(kind, Kind::Text | Kind::Json),
            Arg::Integer(_) => *kind == Kind::Integer,
        })
}

/// Binds the parameters in their order. Statements that answer one question in several ways are
/// given the same values, of which some use only the first.
fn bind(prepared: &mut rusqlite::Statement<'_>, args: &[Arg<'_>]) -> Result<()> {
    let count = prepared.parameter_count();
    debug_assert!(count <= args.len(), "{:?}", prepared.expanded_sql());
    for (number, arg) in (1..=count).zip(args) {
        prepared.raw_bind_parameter(number, arg)?;
    }
    Ok(())
}

impl ToSql for Arg<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Arg::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Arg::Integer(Some(integer)) => ValueRef::Integer(*integer),
            Arg::Text(None) | Arg::Integer(None) => ValueRef::Null,
        }))
    }
}

struct SqliteRow<'r>(&'r rusqlite::Row<'r>);

impl Row for SqliteRow<'_> {
    fn text(&self, place: usize) -> Result<Option<&str>> {
        match self.0.get_ref(place)? {
            ValueRef::Null => Ok(None),
            value => value.as_str().map(Some).map_err(|error| StoreError::unreadable(&error)),
        }
    }

    fn integer(&self, place: usize) -> Result<Option<i64>> {
        match self.0.get_ref(place)? {
            ValueRef::Null => Ok(None),
            value => value.as_i64().map(Some).map_err(|error| StoreError::unreadable(&error)),
        }
    }
}

impl Tx for SqliteTx<'_> {
    fn for_each_row(
        &mut self,
        statement: &'static Statement,
        args: &[Arg<'_>],
        mut visit: impl FnMut(&dyn Row) -> Result<()>,
    ) -> Result<()> {
        self.prepared(statement, args, |prepared| {
            let mut rows = prepared.raw_query();
            while let Some(row) = rows.next()? {
                visit(&SqliteRow(row))?;
            }
            Ok(())
        })
    }

    fn row<T>(
        &mut self,
        statement: &'static Statement,
        args: &[Arg<'_>],
        read: impl FnOnce(&dyn Row) -> Result<T>,
    ) -> Result<Option<T>> {
        self.prepared(statement, args, |prepared| {
            let mut rows = prepared.raw_query();
            rows.next()?.map(|row| read(&SqliteRow(row))).transpose()
        })
    }

    fn execute(&mut self, statement: &'static Statement, args: &[Arg<'_>]) -> Result<()> {
        self.count_changes(statement, args).map(drop)
    }

    fn count_changes(&mut self, statement: &'static Statement, args: &[Arg<'_>]) -> Result<u64> {
        self.prepared(statement, args, |prepared| {
            let changed = prepared.raw_execute()?;
            Ok(u64::try_from(changed).unwrap_or(u64::MAX))
        })
    }

    fn attempt<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.run_text("SAVEPOINT attempt")?;
        let outcome = part(self);
        if outcome.is_err() {
            self.run_text("ROLLBACK TO attempt")?;
        }
        self.run_text("RELEASE attempt")?;
        outcome
    }
}
