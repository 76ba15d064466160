//! A waiting write and the state it was made on.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::fs::short_digest;
use crate::model::{
    AttentionId, AttentionKind, Epoch, FieldValue, ItemKey, Lineage, NewAttention, Revision,
    SessionId, StateField, Timestamp,
};
use crate::text::one_line;

/// What a waiting write changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "write", rename_all = "snake_case")]
pub enum PendingChange {
    /// An observed change of the session's state.
    State {
        /// The fields to change.
        changes: BTreeMap<StateField, FieldValue>,
        /// The new branch, if it changed.
        branch: Option<String>,
    },
    /// A task was started; the database knows its subject.
    TaskStarted {
        /// The task's id in the session.
        task: String,
    },
    /// A task was finished or dropped.
    TaskFinished {
        /// The task's id in the session.
        task: String,
    },
    /// A task got its subject.
    Task {
        /// The task's id in the session.
        task: String,
        /// The task's subject.
        subject: String,
    },
    /// The session ended.
    End {
        /// The client's reason.
        reason: String,
    },
    /// The session was resumed, which undoes an earlier `End`.
    Resumed,
    /// The session has come so far.
    Checkpoint {
        /// How many operations it had.
        operations: u64,
        /// What it is recorded at, for the record of changes.
        reason: String,
    },
    /// Something needs a person.
    AttentionRaised {
        /// What it is.
        attention: Box<NewAttention>,
        /// What found it, for the record of changes.
        reason: String,
    },
    /// Something needs a person no more.
    AttentionEnded {
        /// What it was.
        attention: AttentionId,
        /// How it ended.
        reason: String,
    },
}

impl PendingChange {
    /// The name of the change, as a record has it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::State { .. } => "state",
            Self::TaskStarted { .. } => "task_started",
            Self::TaskFinished { .. } => "task_finished",
            Self::Task { .. } => "task",
            Self::End { .. } => "end",
            Self::Resumed => "resumed",
            Self::Checkpoint { .. } => "checkpoint",
            Self::AttentionRaised { .. } => "attention_raised",
            Self::AttentionEnded { .. } => "attention_ended",
        }
    }
}

/// The state of the database that a write was made on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteOrigin {
    /// The digest of the database's address.
    pub database: String,
    /// The address as it may be shown; absent in records of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The lineage of the database, if it was known.
    pub lineage: Option<Lineage>,
    /// The newest known revision of the session, if there was one.
    pub base: Option<Revision>,
    /// The database that `base` is a revision of, where `lineage` was not known: the address may be
    /// another name of that one, or lead to one that was never met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_lineage: Option<Lineage>,
    /// The session's claim, if it was known.
    pub claim: Option<(ItemKey, Epoch)>,
}

impl WriteOrigin {
    /// Returns the newest known revision of the session in a database.
    pub fn base_in(&self, lineage: &Lineage) -> Option<Revision> {
        let counted_in = self.lineage.as_ref().or(self.base_lineage.as_ref());
        self.base.filter(|_| counted_in.is_none_or(|counted_in| counted_in == lineage))
    }
}

/// A waiting write. Its position in the file is its sequence number; clocks do not decide the
/// order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingWrite {
    /// The operation id, by which the write takes effect once, however often it is sent.
    pub op_id: String,
    /// When it was made, by the local clock; shown to people only.
    pub at: Timestamp,
    /// The session that made it.
    pub session: SessionId,
    /// What it was made on; absent in records of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<WriteOrigin>,
    /// What it changes.
    #[serde(flatten)]
    pub write: PendingChange,
}

/// Derives the operation id of a session's end from the id of the event, which also interrupts the
/// work.
pub fn end_op_id(op_id: &str) -> String {
    format!("{op_id}-end")
}

/// A write that the database refused for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefusedWrite {
    /// The database's reason.
    pub reason: String,
    /// What it changes.
    pub record: PendingWrite,
}

impl RefusedWrite {
    /// Longest reason in the line for a person, in characters.
    const MAX_REASON_CHARS: usize = 300;

    /// Returns what tells a person of it, and lets it be sent again from any machine.
    pub fn as_attention(&self, host: Option<&str>) -> NewAttention {
        let Self { reason, record } = self;
        let line = format!(
            "a write ({}) of session {} was refused: {}",
            record.write.name(),
            record.session,
            one_line(reason, Self::MAX_REASON_CHARS)
        );
        let id = Self::attention_id(&record.op_id);
        NewAttention {
            session: Some(record.session.clone()),
            host: host.map(str::to_owned),
            command: Some(format!("trueup outbox retry {}", record.op_id)),
            content: serde_json::to_value(self).unwrap_or_default(),
            ..NewAttention::new(id, AttentionKind::DeadLetter, line)
        }
    }

    /// Returns the id of what tells a person of a refused write.
    pub fn attention_id(op_id: &str) -> AttentionId {
        AttentionKind::DeadLetter.id_of(op_id, |op_id| short_digest(op_id.as_bytes()))
    }
}

/// The database to which writes are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrainTarget {
    /// Its lineage.
    pub lineage: Lineage,
    /// The digests of the addresses at which it was found.
    pub addresses: BTreeSet<String>,
    /// Sessions of this database that wrote before any database was found at an address: the
    /// digest of the address, and the session.
    pub adopted: BTreeSet<(String, SessionId)>,
}

impl DrainTarget {
    /// Returns whether a write is for this database. A write without a lineage was made before the
    /// address was first contacted; it belongs to the first database found there, or else to the
    /// one that has its session.
    pub fn owns(&self, pending: &PendingWrite) -> bool {
        match &pending.origin {
            None => true,
            Some(origin) => match &origin.lineage {
                Some(lineage) => *lineage == self.lineage,
                None => {
                    self.addresses.contains(&origin.database)
                        || self
                            .adopted
                            .contains(&(origin.database.clone(), pending.session.clone()))
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_counts_in_the_database_that_it_is_of() {
        let lineage = |name: &str| Lineage(name.into());
        for (known, of, expected) in [
            (Some("a"), None, true),
            (Some("b"), None, false),
            (None, Some("a"), true),
            (None, Some("b"), false),
            (None, None, true),
        ] {
            let origin = WriteOrigin {
                database: "address".into(),
                address: None,
                lineage: known.map(lineage),
                base: Some(Revision(3)),
                base_lineage: of.map(lineage),
                claim: None,
            };
            let base = origin.base_in(&lineage("a"));
            assert_eq!(base, expected.then_some(Revision(3)), "{known:?} {of:?}");
        }
    }
}
