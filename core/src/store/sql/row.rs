//! Rows into values. A stored text that is no value of its type is a damaged row, and says so.

use std::str::FromStr;

use serde::de::DeserializeOwned;

use super::statement::Column;
use crate::model::phase::PhaseName;
use crate::model::{
    AttentionId, AttentionKind, Epoch, HandoffId, HandoffStatus, HandoffType, ItemKey,
    ItemPriority, ItemStatus, Lineage, OrchestratorId, OrchestratorStatus, PlanId, PlanTaskId,
    PlanTaskStatus, PortSlot, ProcessId, ProcessPlace, QueueId, RepoSlug, ReservationId, Revision,
    SessionId, SessionStatus, Timestamp, TokenName, TokenRole, WorkplanLink,
};
use crate::store::{Result, StoreError};
use crate::text;

/// A row that a statement returned.
pub trait Row {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when it is none.
    fn text(&self, place: usize) -> Result<Option<&str>>;

    /// Reads a number or a flag.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when it is none.
    fn integer(&self, place: usize) -> Result<Option<i64>>;
}

/// A value that is stored in one column.
pub trait FromColumn: Sized {
    /// Reads a value that may be absent.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when the column holds something else.
    fn from_column(row: &dyn Row, place: usize) -> Result<Option<Self>>;
}

/// What is read of a column: a value that must be there, or one that may be absent.
pub trait ColumnValue: Sized {
    /// Reads the column.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when the column holds something else.
    fn read(row: &dyn Row, place: usize) -> Result<Self>;
}

impl<T: FromColumn> ColumnValue for T {
    fn read(row: &dyn Row, place: usize) -> Result<Self> {
        T::from_column(row, place)?.ok_or_else(|| StoreError::unreadable(&"a value is missing"))
    }
}

impl<T: FromColumn> ColumnValue for Option<T> {
    fn read(row: &dyn Row, place: usize) -> Result<Self> {
        T::from_column(row, place)
    }
}

impl dyn Row + '_ {
    /// Reads a column.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when it holds no value of this type.
    pub fn get<T: ColumnValue>(&self, column: impl Column) -> Result<T> {
        T::read(self, column.place())
    }

    /// Reads a time that may be absent; one that others wrote in a form nobody reads is absent.
    pub(super) fn lenient_time(&self, column: impl Column) -> Option<Timestamp> {
        self.get(column).unwrap_or_default()
    }

    /// Reads JSON. Others write keys of their own into it, with whatever tool.
    pub(super) fn json<T: DeserializeOwned>(&self, column: impl Column) -> Result<T> {
        let text: &str = self.required_text(column)?;
        text::lenient_json::from_str(text).map_err(|error| StoreError::unreadable(&error))
    }

    /// Reads a text that must be there, without copying it.
    pub(super) fn required_text(&self, column: impl Column) -> Result<&str> {
        let text = self.text(column.place())?;
        text.ok_or_else(|| StoreError::unreadable(&"a value is missing"))
    }

    /// Reads a process that may be absent, from its number and the four columns behind it:
    /// `pid_started, boot_id, machine_id, pid_namespace`.
    pub(super) fn process(&self, first: impl Column) -> Result<Option<ProcessId>> {
        let first = first.place();
        let Some(pid) = self.get(first)? else {
            return Ok(None);
        };
        let started: Option<i64> = self.get(first + 1)?;
        Ok(Some(ProcessId {
            pid,
            started: started.and_then(|ticks| u64::try_from(ticks).ok()),
            place: ProcessPlace {
                boot: self.get(first + 2)?,
                machine: self.get(first + 3)?,
                namespace: self.get(first + 4)?,
            },
        }))
    }
}

impl FromColumn for String {
    fn from_column(row: &dyn Row, place: usize) -> Result<Option<Self>> {
        Ok(row.text(place)?.map(str::to_owned))
    }
}

impl FromColumn for i64 {
    fn from_column(row: &dyn Row, place: usize) -> Result<Option<Self>> {
        row.integer(place)
    }
}

impl FromColumn for bool {
    fn from_column(row: &dyn Row, place: usize) -> Result<Option<Self>> {
        Ok(row.integer(place)?.map(|flag| flag != 0))
    }
}

macro_rules! narrow_integers {
    ($($integer:ty),+) => {$(
        impl FromColumn for $integer {
            fn from_column(row: &dyn Row, place: usize) -> Result<Option<Self>> {
                let wide = row.integer(place)?;
                let narrow = wide.map(Self::try_from).transpose();
                narrow.map_err(|error| StoreError::unreadable(&error))
            }
        }
    )+};
}
narrow_integers!(u64, u32, i32, u16, u8);

macro_rules! parsed_texts {
    ($($parsed:ty),+ $(,)?) => {$(
        impl FromColumn for $parsed {
            fn from_column(row: &dyn Row, place: usize) -> Result<Option<Self>> {
                let parsed = row.text(place)?.map(<$parsed as FromStr>::from_str).transpose();
                parsed.map_err(|error| StoreError::unreadable(&error))
            }
        }
    )+};
}
parsed_texts!(
    AttentionId,
    AttentionKind,
    HandoffId,
    HandoffStatus,
    HandoffType,
    ItemKey,
    ItemStatus,
    OrchestratorId,
    OrchestratorStatus,
    PhaseName,
    PlanId,
    PlanTaskId,
    PlanTaskStatus,
    QueueId,
    RepoSlug,
    ReservationId,
    SessionId,
    SessionStatus,
    Timestamp,
    TokenName,
    TokenRole,
    WorkplanLink,
);

impl FromColumn for Epoch {
    fn from_column(row: &dyn Row, place: usize) -> Result<Option<Self>> {
        Ok(u64::from_column(row, place)?.map(Self))
    }
}

impl FromColumn for Revision {
    fn from_column(row: &dyn Row, place: usize) -> Result<Option<Self>> {
        Ok(u64::from_column(row, place)?.map(Self))
    }
}

impl FromColumn for ItemPriority {
    fn from_column(row: &dyn Row, place: usize) -> Result<Option<Self>> {
        let priority = row.integer(place)?.map(Self::try_from).transpose();
        priority.map_err(|error| StoreError::unreadable(&error))
    }
}

impl FromColumn for Lineage {
    fn from_column(row: &dyn Row, place: usize) -> Result<Option<Self>> {
        Ok(String::from_column(row, place)?.map(Self))
    }
}

/// A slot is stored as the port of its backend.
impl FromColumn for PortSlot {
    fn from_column(row: &dyn Row, place: usize) -> Result<Option<Self>> {
        let Some(port) = u16::from_column(row, place)? else {
            return Ok(None);
        };
        let slot = Self::from_backend_port(port);
        let slot = slot.ok_or_else(|| StoreError::unreadable(&format!("port {port} is no slot")));
        slot.map(Some)
    }
}
