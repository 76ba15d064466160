//! What the operations need of a database.

use std::borrow::Cow;

use super::row::Row;
use super::statement::{Statement, statements};
use crate::deadline::Deadline;
use crate::model::{
    AttentionId, Epoch, HandoffId, ItemKey, ItemPriority, OrchestratorId, PlanId, PlanTaskId,
    QueueId, RepoSlug, ReservationId, Revision, SessionId, TokenName, WorkplanLink,
};
use crate::store::{Provenance, Result, StoreError};

/// A value that a parameter of a statement is bound to. An absent one has a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arg<'a> {
    /// A text.
    Text(Option<&'a str>),
    /// A number, a counter or a flag.
    Integer(Option<i64>),
}

/// A value that a parameter can be bound to.
pub trait ToArg {
    /// What an absent value of this type is bound as.
    const ABSENT: Arg<'static>;

    /// Returns the value as it is bound.
    fn to_arg(&self) -> Arg<'_>;
}

impl ToArg for str {
    const ABSENT: Arg<'static> = Arg::Text(None);

    fn to_arg(&self) -> Arg<'_> {
        Arg::Text(Some(self))
    }
}

impl ToArg for String {
    const ABSENT: Arg<'static> = Arg::Text(None);

    fn to_arg(&self) -> Arg<'_> {
        Arg::Text(Some(self))
    }
}

impl ToArg for Cow<'_, str> {
    const ABSENT: Arg<'static> = Arg::Text(None);

    fn to_arg(&self) -> Arg<'_> {
        Arg::Text(Some(self))
    }
}

impl<T: ToArg + ?Sized> ToArg for &T {
    const ABSENT: Arg<'static> = T::ABSENT;

    fn to_arg(&self) -> Arg<'_> {
        T::to_arg(self)
    }
}

impl<T: ToArg> ToArg for Option<T> {
    const ABSENT: Arg<'static> = T::ABSENT;

    fn to_arg(&self) -> Arg<'_> {
        self.as_ref().map_or(T::ABSENT, T::to_arg)
    }
}

macro_rules! integers {
    ($($integer:ty),+) => {$(
        impl ToArg for $integer {
            const ABSENT: Arg<'static> = Arg::Integer(None);

            fn to_arg(&self) -> Arg<'_> {
                Arg::Integer(Some(i64::from(*self)))
            }
        }
    )+};
}
integers!(i64, i32, u32, u16, u8, bool);

/// A counter fits the database's signed integers; one that does not matches no row.
impl ToArg for u64 {
    const ABSENT: Arg<'static> = Arg::Integer(None);

    fn to_arg(&self) -> Arg<'_> {
        Arg::Integer(Some(i64::try_from(*self).unwrap_or(-1)))
    }
}

/// Lists the values of a statement's parameters, in their order.
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::sql::engine::ToArg::to_arg(&$value)),*]
    };
}
pub(super) use args;

statements! {
    /// Whether an operation was carried out before.
    IS_REPLAY(text) = @repeated "SELECT EXISTS (SELECT 1 FROM events WHERE op_id = ?1)";
}

/// The database at one moment, or within one transaction.
pub trait Tx {
    /// Reads rows one by one.
    ///
    /// # Errors
    ///
    /// When the database cannot be read, or `visit` says so.
    fn for_each_row(
        &mut self,
        statement: &'static Statement,
        args: &[Arg<'_>],
        visit: impl FnMut(&dyn Row) -> Result<()>,
    ) -> Result<()>;

    /// Reads the first row, where there is one.
    ///
    /// # Errors
    ///
    /// When the database or the row cannot be read.
    fn row<T>(
        &mut self,
        statement: &'static Statement,
        args: &[Arg<'_>],
        read: impl FnOnce(&dyn Row) -> Result<T>,
    ) -> Result<Option<T>>;

    /// Writes, however many rows that changes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`] when a rule of the schema forbids it: at once, or when the
    /// transaction is committed. Inside [`Self::attempt`] it is known at its end.
    fn execute(&mut self, statement: &'static Statement, args: &[Arg<'_>]) -> Result<()>;

    /// Writes; returns how many rows the statement changed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`] when a rule of the schema forbids it.
    fn count_changes(&mut self, statement: &'static Statement, args: &[Arg<'_>]) -> Result<u64>;

    /// Runs a part of a transaction whose failure undoes that part alone. An engine behind a network
    /// may go on before it is certain that the rules allow the part, and run the operation again
    /// when they do not.
    ///
    /// # Errors
    ///
    /// What the part fails with.
    fn attempt<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T>
    where
        Self: Sized;

    /// Reads all rows.
    ///
    /// # Errors
    ///
    /// When the database or a row cannot be read.
    fn rows<T>(
        &mut self,
        statement: &'static Statement,
        args: &[Arg<'_>],
        mut read: impl FnMut(&dyn Row) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.for_each_row(statement, args, |row| {
            rows.push(read(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Reads the one row that a statement always returns.
    ///
    /// # Errors
    ///
    /// When the database or the row cannot be read.
    fn one_row<T>(
        &mut self,
        statement: &'static Statement,
        args: &[Arg<'_>],
        read: impl FnOnce(&dyn Row) -> Result<T>,
    ) -> Result<T> {
        let row = self.row(statement, args, read)?;
        row.ok_or_else(|| StoreError::invalid("Query returned no rows"))
    }

    /// Writes on a condition; returns whether a row was changed. An engine behind a network may go
    /// on before it is certain, as if one were, and have the commit check it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`] when a rule of the schema forbids it.
    fn try_change(&mut self, statement: &'static Statement, args: &[Arg<'_>]) -> Result<bool> {
        Ok(self.count_changes(statement, args)? > 0)
    }

    /// Writes on a condition: changes a row, or fails as `otherwise` says.
    ///
    /// # Errors
    ///
    /// `otherwise` when no row was changed.
    fn change(
        &mut self,
        statement: &'static Statement,
        args: &[Arg<'_>],
        otherwise: impl FnOnce() -> StoreError,
    ) -> Result<()> {
        if self.try_change(statement, args)? { Ok(()) } else { Err(otherwise()) }
    }

    /// Says that only reads follow, whatever they find: an engine behind a network commits with
    /// the first of them, and what they return is what was committed. Inside [`Self::attempt`],
    /// which others follow, it says nothing.
    fn finish(&mut self) {}

    /// Says that a read will be asked for. An engine behind a network fetches it together with the
    /// next one; without a network there is nothing to gain.
    #[inline]
    fn prefetch(&mut self, _statement: &'static Statement, _args: &[Arg<'_>]) {}

    /// Asks a question whose answer is mostly no. An engine behind a network may go on before it
    /// is certain, and have the commit check it.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    fn is_usually_false(
        &mut self,
        statement: &'static Statement,
        args: &[Arg<'_>],
    ) -> Result<bool> {
        self.one_row(statement, args, |row| row.get(0))
    }

    /// Runs a search whose result the writes behind it verify: what it read may change until the
    /// commit, as long as the rows that are written are still as they were found. An engine behind
    /// a network would otherwise start again for every change nearby.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    fn search<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        part(self)
    }

    /// Whether a read behind a write takes a request of its own, so that what can be known before
    /// the first write should be.
    fn has_costly_later_reads(&self) -> bool {
        false
    }

    /// Whether this operation was carried out before, so that its answer may have been lost and
    /// this is a repetition.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    fn is_replay(&mut self, provenance: &Provenance) -> Result<bool> {
        if self.is_certainly_new(provenance) {
            return Ok(false);
        }
        self.is_usually_false(&IS_REPLAY, args![provenance.op_id])
    }

    /// Whether an operation cannot have been carried out before, so that an engine behind a network
    /// need not ask.
    fn is_certainly_new(&self, _provenance: &Provenance) -> bool {
        false
    }
}

/// A database that speaks SQL.
pub trait Engine {
    /// What the operations work on.
    type Tx<'t>: Tx
    where
        Self: 't;

    /// How many writes of the outbox one transaction delivers. In a file all of them wait for the
    /// disk once.
    const WRITES_PER_DELIVERY: usize = usize::MAX;

    /// Runs a read that consists of one statement.
    ///
    /// # Errors
    ///
    /// When the read fails.
    fn read<T>(&self, operation: impl Fn(&mut Self::Tx<'_>) -> Result<T>) -> Result<T>;

    /// Forgets what was read before, where an engine would answer from it.
    fn forget_reads(&self) {}

    /// Runs a read of several statements that see one moment.
    ///
    /// # Errors
    ///
    /// When the read fails.
    fn snapshot<T>(&mut self, operation: impl Fn(&mut Self::Tx<'_>) -> Result<T>) -> Result<T>;

    /// Runs a write as one transaction; returns once what it wrote survives a power cut. An
    /// engine that loses a race runs the operation again.
    ///
    /// # Errors
    ///
    /// When the write fails; then nothing of it remains.
    fn write<T>(&mut self, operation: impl Fn(&mut Self::Tx<'_>) -> Result<T>) -> Result<T>;

    /// Runs a write as [`Self::write`] does, but under a deadline of its own.
    ///
    /// # Errors
    ///
    /// When the write fails; then nothing of it remains.
    fn write_until<T>(
        &mut self,
        deadline: Deadline,
        operation: impl Fn(&mut Self::Tx<'_>) -> Result<T>,
    ) -> Result<T>;
}

macro_rules! texts {
    ($($text:ty),+ $(,)?) => {$(
        impl ToArg for $text {
            const ABSENT: Arg<'static> = Arg::Text(None);

            fn to_arg(&self) -> Arg<'_> {
                Arg::Text(Some(self.as_str()))
            }
        }
    )+};
}
texts!(
    AttentionId,
    HandoffId,
    ItemKey,
    OrchestratorId,
    PlanId,
    PlanTaskId,
    QueueId,
    RepoSlug,
    ReservationId,
    SessionId,
    TokenName,
    WorkplanLink,
);

macro_rules! counters {
    ($($counter:ty),+) => {$(
        impl ToArg for $counter {
            const ABSENT: Arg<'static> = Arg::Integer(None);

            fn to_arg(&self) -> Arg<'_> {
                self.0.to_arg()
            }
        }
    )+};
}
counters!(Epoch, Revision);

impl ToArg for ItemPriority {
    const ABSENT: Arg<'static> = Arg::Integer(None);

    fn to_arg(&self) -> Arg<'_> {
        Arg::Integer(Some(i64::from(self.number())))
    }
}
