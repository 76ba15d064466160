//! Writes that wait until the database can take them.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::lines;
use crate::cache::lock::FileLock;
use crate::model::{Field, SessionId, Timestamp, Value};

/// What waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "write", rename_all = "snake_case")]
pub enum Write {
    /// A change of the session's state that was observed.
    State {
        /// The fields.
        changes: BTreeMap<Field, Value>,
        /// The branch.
        branch: Option<String>,
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
}

/// A write that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Makes the write happen once, however often it is sent.
    pub op_id: String,
    /// When it was made, by the local clock.
    pub at: Timestamp,
    /// Whose.
    pub session: SessionId,
    /// What.
    #[serde(flatten)]
    pub write: Write,
}

/// The outbox file.
#[derive(Debug, Clone)]
pub struct Outbox {
    path: PathBuf,
}

impl Outbox {
    /// Takes a file for the outbox; it need not exist.
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Puts a write in, durably.
    ///
    /// # Errors
    ///
    /// When it could not be written; then the caller must say that it is lost.
    pub fn put(&self, pending: &Pending, patience: Duration) -> io::Result<()> {
        // A drain that rewrites the file must not miss this line. Who cannot have the lock in
        // time appends all the same: losing to a drain is rarer than not writing at all.
        let _lock = self.lock(patience).ok();
        lines::append(&self.path, pending)
    }

    /// Lists what waits, oldest first.
    ///
    /// # Errors
    ///
    /// When the file exists and cannot be read.
    pub fn waiting(&self) -> io::Result<Vec<Pending>> {
        // The usual case costs one look at the directory.
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        Ok(lines::read(&self.path)?.records)
    }

    /// Sends what waits, in order, and keeps what `send` does not take. Returns how many were
    /// sent. Another drain under way is left to do it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or rewritten; then everything is still in it.
    pub fn drain<E>(
        &self,
        patience: Duration,
        mut send: impl FnMut(&Pending) -> Result<(), E>,
    ) -> io::Result<usize> {
        if self.waiting()?.is_empty() {
            return Ok(0);
        }
        let Ok(_lock) = self.lock(patience) else {
            return Ok(0);
        };
        let waiting = self.waiting()?;
        // Order matters within a session: after the first failure the rest waits too.
        let taken = waiting
            .iter()
            .take_while(|pending| send(pending).is_ok())
            .count();
        if taken > 0 {
            lines::rewrite(&self.path, waiting.get(taken..).unwrap_or_default())?;
        }
        Ok(taken)
    }

    fn lock(&self, patience: Duration) -> io::Result<FileLock> {
        FileLock::exclusive(&self.path.with_extension("lock"), patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(n: i64) -> Pending {
        Pending {
            op_id: format!("op-{n}"),
            at: Timestamp::from_millis(n),
            session: "s1".parse().unwrap(),
            write: Write::End {
                reason: "other".to_owned(),
            },
        }
    }

    #[test]
    fn what_is_not_taken_stays_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::new(folder.path().join("outbox.jsonl"));
        for n in 1..=3 {
            outbox.put(&pending(n), Duration::from_secs(5)).unwrap();
        }
        let mut taken = Vec::new();
        let sent = outbox
            .drain(Duration::from_secs(5), |p| {
                taken.push(p.op_id.clone());
                if p.op_id == "op-2" { Err(()) } else { Ok(()) }
            })
            .unwrap();
        assert_eq!(
            (sent, taken),
            (1, vec!["op-1".to_owned(), "op-2".to_owned()])
        );
        let left: Vec<String> = outbox
            .waiting()
            .unwrap()
            .into_iter()
            .map(|p| p.op_id)
            .collect();
        assert_eq!(left, ["op-2", "op-3"]);
        assert_eq!(
            outbox
                .drain(Duration::from_secs(5), |_| Ok::<(), ()>(()))
                .unwrap(),
            2
        );
        assert!(outbox.waiting().unwrap().is_empty());
    }
}
