//! What a worker writes down of each operation, and where.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::LoadError;

/// An operation of a simulated session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    /// Registers the session.
    Register,
    /// Adds an item.
    Add,
    /// Claims the next item.
    Claim,
    /// Loads the session.
    Load,
    /// Pushes a task.
    Push,
    /// Gives a sign of life.
    Heartbeat,
    /// Completes the item.
    Complete,
    /// Releases the item.
    Release,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The database answered that it is done.
    Acknowledged,
    /// The database answered that it will not be done.
    Refused(String),
    /// It was repeated for as long as the worker has patience.
    GivenUp(String),
}

/// What a worker knows of one operation. The texts that an operation leaves alone are empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) operation: Operation,
    pub(crate) session: String,
    /// A heartbeat and a read have none.
    pub(crate) op_id: Option<String>,
    pub(crate) item: Option<String>,
    /// The epoch of the claim that it made, or was made under.
    pub(crate) epoch: Option<u64>,
    /// The task that was pushed.
    pub(crate) task: Option<String>,
    pub(crate) outcome: Outcome,
    /// How often it was begun: more than once if a deadline passed.
    pub(crate) attempts: u64,
    /// Requests to the database, those that failed, and those of them that may have been carried
    /// out.
    pub(crate) requests: u64,
    pub(crate) failed_requests: u64,
    pub(crate) doubtful_requests: u64,
    /// When it began and ended, in microseconds since the Unix epoch.
    pub(crate) began: u64,
    pub(crate) ended: u64,
}

impl Record {
    pub(crate) fn is_acknowledged(&self) -> bool {
        self.outcome == Outcome::Acknowledged
    }
}

/// The first line of a follower's log: the cursor it began at. Each further line is one event.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct FollowedFrom {
    pub(crate) after: i64,
}

/// A file with a JSON value on each line.
#[derive(Debug)]
pub(crate) struct Log(File);

impl Log {
    pub(crate) fn create(path: &Path) -> Result<Self, LoadError> {
        Ok(Self(File::create(path)?))
    }

    /// Appends a line with one call of the system, so that a reader sees it whole.
    pub(crate) fn append(&mut self, value: &impl Serialize) -> Result<(), LoadError> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.0.write_all(&line)?;
        Ok(())
    }
}

/// Returns the time in microseconds since the Unix epoch.
pub(crate) fn current_micros() -> Result<u64, LoadError> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?)
}
