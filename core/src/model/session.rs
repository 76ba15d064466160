//! A Claude Code session as the database knows it.

use serde_json::{Map, Value};

use super::{
    Epoch, ExecutionState, ItemKey, Lineage, Revision, SessionId, SessionStatus, Timestamp,
};

/// How long a silence may last that is honoured because it was announced, in seconds.
///
/// Source: seed 0's armed silence window, hard release cap.
pub const SPAN_CEILING_SECONDS: u64 = 45 * 60;

/// The name of a machine, as `uname -n` gives it.
pub type Host = String;

/// A process that cannot be confused with a later one of the same number.
///
/// The number alone is not life: it is reused. With the start time and the boot it names one
/// incarnation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessId {
    /// The process number.
    pub pid: u32,
    /// When it started, in the kernel's ticks since boot; absent where that cannot be read.
    pub started: Option<u64>,
    /// Which boot of the machine; absent where that cannot be read.
    pub boot: Option<String>,
}

/// A row of `claude_sessions`, with the item the session holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Which database it was read from.
    pub lineage: Lineage,
    /// The client's id.
    pub id: SessionId,
    /// Which repository, by name.
    pub repo: Option<String>,
    /// The project directory whose cache belongs to this session.
    pub worktree: Option<String>,
    /// The machine.
    pub host: Option<Host>,
    /// The client's process.
    pub process: Option<ProcessId>,
    /// Where it stands.
    pub status: SessionStatus,
    /// Why it ended, in the client's word.
    pub ended_reason: Option<String>,
    /// The session this one continues after `/clear` or a fork.
    pub predecessor: Option<SessionId>,
    /// First registration.
    pub registered_at: Timestamp,
    /// Last sign of life.
    pub heartbeat_at: Timestamp,
    /// Until when silence means nothing.
    pub lease_expires_at: Timestamp,
    /// Until when silence was announced.
    pub silent_until: Option<Timestamp>,
    /// Counts changes of what the cache mirrors.
    pub revision: Revision,
    /// The newest revision the model of this session was told.
    pub acknowledged: Revision,
    /// Everything else, merged key by key.
    pub metadata: Map<String, Value>,
    /// The item held.
    pub item: Option<ItemKey>,
    /// The fence of that claim.
    pub epoch: Option<Epoch>,
    /// Since when it is held.
    pub claimed_at: Option<Timestamp>,
    /// The database's clock when this was read; every age is computed from it.
    pub read_at: Timestamp,
}

impl Session {
    /// Reads the execution state out of the metadata.
    pub fn execution_state(&self) -> ExecutionState {
        ExecutionState::from_metadata(&self.metadata)
    }

    /// Returns the branch last observed.
    pub fn branch(&self) -> Option<&str> {
        self.metadata.get("branch").and_then(Value::as_str)
    }

    /// Returns seconds since the last sign of life, by the database's clock.
    pub fn silence_seconds(&self) -> u64 {
        self.read_at.seconds_since(self.heartbeat_at)
    }

    /// Tells whether the last sign of life is longer ago than so many seconds.
    pub fn silent_longer_than(&self, seconds: u64) -> bool {
        silent_longer_than(self.read_at, self.heartbeat_at, seconds)
    }

    /// Tells whether the lease has run out, by the database's clock.
    pub fn lease_expired(&self) -> bool {
        self.lease_expires_at <= self.read_at
    }

    /// Tells whether the session is inside a silence it announced, and not silent for longer
    /// than any announcement is honoured.
    pub fn in_declared_span(&self) -> bool {
        self.silent_until.is_some_and(|until| until > self.read_at)
            && !self.silent_longer_than(SPAN_CEILING_SECONDS)
    }
}

/// Tells whether a sign of life is longer ago than so many seconds; one in the future is not.
pub(super) fn silent_longer_than(now: Timestamp, heartbeat: Timestamp, seconds: u64) -> bool {
    let silence = now.as_millis() - heartbeat.as_millis();
    u64::try_from(silence).is_ok_and(|millis| millis > seconds.saturating_mul(1000))
}
