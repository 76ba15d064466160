//! Writes that wait until the database can take them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
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
        // A drain holds this lock only while it takes the file over, so it is always had. If
        // not, to append without it is better than not to.
        let _lock = FileLock::exclusive(&self.beside("append.lock"), patience).ok();
        lines::append(&self.path, pending)
    }

    /// Lists what waits, oldest first.
    ///
    /// # Errors
    ///
    /// When a file exists and cannot be read.
    pub fn waiting(&self) -> io::Result<Vec<Pending>> {
        let mut waiting = Vec::new();
        for path in [self.taken(), self.path.clone()] {
            // The usual case costs two looks at the directory.
            if path.exists() {
                waiting.extend(lines::read::<Pending>(&path)?.records);
            }
        }
        Ok(waiting)
    }

    /// Counts the lines that are damaged.
    ///
    /// # Errors
    ///
    /// When a file exists and cannot be read.
    pub fn damaged(&self) -> io::Result<usize> {
        let count =
            |path: &Path| -> io::Result<usize> { Ok(lines::read::<Pending>(path)?.damaged.len()) };
        Ok(count(&self.taken())? + count(&self.path)?)
    }

    /// Sends what waits, in order, and keeps what `send` does not take. Returns how many were
    /// sent. Another drain under way is left to do it.
    ///
    /// The file is taken over whole before anything is sent, so what is put in meanwhile goes
    /// to a new one. A drain that is killed leaves what it took to the next.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or rewritten; then everything is still there.
    pub fn drain<E>(
        &self,
        patience: Duration,
        mut send: impl FnMut(&Pending) -> Result<(), E>,
    ) -> io::Result<usize> {
        if self.waiting()?.is_empty() {
            return Ok(0);
        }
        let Ok(_lock) = FileLock::exclusive(&self.beside("lock"), patience) else {
            return Ok(0);
        };
        let taken = self.taken();
        if !taken.exists() {
            let _lock = FileLock::exclusive(&self.beside("append.lock"), patience)?;
            match fs::rename(&self.path, &taken) {
                // Another drain was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
                other => other?,
            }
            lines::sync_folder(&taken)?;
        }
        let found = lines::read::<Pending>(&taken)?;
        let total = found.records.len();
        // Order matters within a session: after its first failure its rest waits too, but
        // nobody else's.
        let mut held = BTreeSet::new();
        let mut left = found.records;
        left.retain(|pending| {
            let keep = held.contains(&pending.session) || send(pending).is_err();
            if keep {
                held.insert(pending.session.clone());
            }
            keep
        });
        if left.len() < total {
            lines::rewrite(&taken, &left, &found.damaged)?;
        }
        Ok(total - left.len())
    }

    /// The file of a drain under way.
    fn taken(&self) -> PathBuf {
        self.beside("taken.jsonl")
    }

    fn beside(&self, end: &str) -> PathBuf {
        self.path.with_extension(end)
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

    #[test]
    fn what_is_put_in_while_a_drain_sends_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::new(folder.path().join("outbox.jsonl"));
        outbox.put(&pending(1), Duration::from_secs(5)).unwrap();
        let sent = outbox.drain(Duration::from_secs(5), |_| {
            outbox.put(&pending(2), Duration::from_secs(5))
        });
        assert_eq!(sent.unwrap(), 1);
        let left = outbox.waiting().unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].op_id, "op-2");
    }

    #[test]
    fn a_session_whose_write_fails_holds_nobody_else_up() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::new(folder.path().join("outbox.jsonl"));
        for (n, session) in [(1, "s1"), (2, "s2"), (3, "s1")] {
            let session = session.parse().unwrap();
            let pending = Pending {
                session,
                ..pending(n)
            };
            outbox.put(&pending, Duration::from_secs(5)).unwrap();
        }
        let send = |p: &Pending| if p.op_id == "op-1" { Err(()) } else { Ok(()) };
        assert_eq!(outbox.drain(Duration::from_secs(5), send).unwrap(), 1);
        let left = outbox.waiting().unwrap();
        let left: Vec<&str> = left.iter().map(|p| p.op_id.as_str()).collect();
        assert_eq!(left, ["op-1", "op-3"], "a session's own order is kept");
    }
}
