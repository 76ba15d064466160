//! A Claude Code session as the database knows it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::silence::{self, FOREVER, MAX_LEASE_SECONDS, QUIET_PERIOD_CEILING_SECONDS};
use super::{
    Epoch, ExecutionState, ItemKey, Lineage, ProcessId, Revision, SessionId, SessionStatus,
    Timestamp,
};

/// The name of a machine, as `uname -n` gives it.
pub type Host = String;

/// A row of `claude_sessions`, with the item the session holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The database it was read from.
    pub lineage: Lineage,
    /// The id that the client gave it.
    pub id: SessionId,
    /// The name of its repository.
    pub repo: Option<String>,
    /// The project directory whose cache belongs to this session.
    pub worktree: Option<String>,
    /// The machine.
    pub host: Option<Host>,
    /// The client's process.
    pub process: Option<ProcessId>,
    /// The status.
    pub status: SessionStatus,
    /// Why it ended, in the client's word.
    pub ended_reason: Option<String>,
    /// The session that this one continues after `/clear` or a fork.
    pub predecessor: Option<SessionId>,
    /// When it first registered.
    pub registered_at: Timestamp,
    /// When it last gave a sign of life.
    pub heartbeat_at: Timestamp,
    /// Until when silence means nothing.
    pub lease_expires_at: Timestamp,
    /// Until when it announced silence.
    pub silent_until: Option<Timestamp>,
    /// The number of changes of what the cache mirrors.
    pub revision: Revision,
    /// The newest revision that the agent of this session knows.
    pub acknowledged: Revision,
    /// Everything else, merged key by key.
    pub metadata: Map<String, Value>,
    /// The item that it holds.
    pub item: Option<ItemKey>,
    /// The epoch of that claim, its fencing token.
    pub epoch: Option<Epoch>,
    /// When it claimed the item.
    pub claimed_at: Option<Timestamp>,
    /// The database's clock when this was read, from which every age is computed.
    pub read_at: Timestamp,
}

impl Session {
    /// Parses the execution state in the metadata.
    pub fn execution_state(&self) -> ExecutionState {
        ExecutionState::from_metadata(&self.metadata)
    }

    /// Returns the branch that was observed last.
    pub fn branch(&self) -> Option<&str> {
        self.metadata.get("branch").and_then(Value::as_str)
    }

    /// Returns the agent that it is of; nothing for one of Claude Code.
    pub fn agent(&self) -> Option<&str> {
        self.metadata.get("agent").and_then(Value::as_str)
    }

    /// Returns the seconds since the last sign of life, by the database's clock, or
    /// [`FOREVER`](super::FOREVER) when that is dated in the future.
    pub fn silence_seconds(&self) -> u64 {
        silence::silence_seconds(self.read_at, self.heartbeat_at)
    }

    /// Describes the silence in a phrase.
    pub fn describe_silence(&self) -> String {
        silence::describe_silence(self.read_at, self.heartbeat_at)
    }

    /// Returns whether the last sign of life is more than this many seconds ago.
    pub fn is_silent_longer_than(&self, seconds: u64) -> bool {
        silence::is_silent_longer_than(self.read_at, self.heartbeat_at, seconds)
    }

    /// Returns whether the lease has expired, by the database's clock. A lease that a wrong clock
    /// granted counts as expired.
    pub fn is_lease_expired(&self) -> bool {
        silence::is_too_far_ahead(self.read_at, self.heartbeat_at, 0)
            || !silence::is_still_valid(self.read_at, self.lease_expires_at, MAX_LEASE_SECONDS)
    }

    /// Returns whether the lease has expired even if the clock is this many seconds ahead.
    pub fn is_lease_expired_despite(&self, doubt_seconds: u64) -> bool {
        let granted = self.lease_expires_at;
        let is_over = if granted > self.read_at {
            doubt_seconds < FOREVER
        } else {
            self.read_at.seconds_since(granted) >= doubt_seconds
        };
        self.is_lease_expired() && is_over
    }

    /// Returns whether the next sign of life has to renew the lease: `seconds` have passed since the
    /// last one, or a wrong clock dated it.
    pub fn is_renewal_due(&self, seconds: u64) -> bool {
        self.silence_seconds() >= seconds
            || silence::is_too_far_ahead(self.read_at, self.lease_expires_at, MAX_LEASE_SECONDS)
    }

    /// Returns for how many more seconds silence is announced.
    pub fn quiet_seconds_left(&self) -> u64 {
        self.silent_until
            .filter(|until| {
                silence::is_still_valid(self.read_at, *until, QUIET_PERIOD_CEILING_SECONDS)
            })
            .map_or(0, |until| until.seconds_since(self.read_at))
    }

    /// Returns whether the session announced its present silence, within the longest silence that an
    /// announcement covers.
    pub fn is_in_quiet_period(&self) -> bool {
        self.silent_until.is_some_and(|until| {
            silence::is_still_valid(self.read_at, until, QUIET_PERIOD_CEILING_SECONDS)
        }) && !self.is_silent_longer_than(QUIET_PERIOD_CEILING_SECONDS)
    }
}
