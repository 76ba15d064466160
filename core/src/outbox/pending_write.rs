//! A write that waits, and where it comes from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    Epoch, FieldValue, ItemKey, Lineage, Revision, SessionId, StateField, Timestamp,
};

/// What waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "write", rename_all = "snake_case")]
pub enum PendingChange {
    /// A change of the session's state that was observed.
    State {
        /// The fields.
        changes: BTreeMap<StateField, FieldValue>,
        /// The branch.
        branch: Option<String>,
    },
    /// A task was taken up; what it is, the database knows.
    TaskStarted {
        /// Its id in the session.
        task: String,
    },
    /// A task was finished or dropped.
    TaskFinished {
        /// Its id in the session.
        task: String,
    },
    /// A task was named.
    Task {
        /// Its id in the session.
        task: String,
        /// What it is.
        subject: String,
    },
    /// The session ended.
    End {
        /// The client's reason.
        reason: String,
    },
    /// The session was taken up again: an end before this one is over.
    Resumed,
}

/// What a write was made on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteOrigin {
    /// The digest of the database's address.
    pub database: String,
    /// Which database, when it was known.
    pub lineage: Option<Lineage>,
    /// The session's newest revision known, when there was any.
    pub base: Option<Revision>,
    /// The claim that the session had, when it was known.
    pub claim: Option<(ItemKey, Epoch)>,
}

/// A write that waits. Its place among the others is its sequence: no clock decides what came
/// first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingWrite {
    /// Makes the write happen once, however often it is sent.
    pub op_id: String,
    /// When it was made, by the local clock; for people.
    pub at: Timestamp,
    /// Whose.
    pub session: SessionId,
    /// What it was made on; absent in what older versions wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<WriteOrigin>,
    /// What.
    #[serde(flatten)]
    pub write: PendingChange,
}

/// Names the operation that ends a session, of the two that an event at its end is: the work
/// is broken off, and the session ends.
pub fn end_op_id(op_id: &str) -> String {
    format!("{op_id}-end")
}

/// A write that the database refuses for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefusedWrite {
    /// Why.
    pub reason: String,
    /// What.
    pub record: PendingWrite,
}

/// The database at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrainTarget {
    /// Which it is.
    pub lineage: Lineage,
    /// The digest of its address.
    pub database: String,
}

impl DrainTarget {
    /// Tells whether a write is for this database. What names no lineage was written before the
    /// address was ever in contact, and belongs to whatever is found there first.
    pub fn owns(&self, pending: &PendingWrite) -> bool {
        match &pending.origin {
            None => true,
            Some(origin) => match &origin.lineage {
                Some(lineage) => *lineage == self.lineage,
                None => origin.database == self.database,
            },
        }
    }
}
