//! Orchestrators: who runs which plan.

use serde_json::{Value as Json, json};

use super::silence;
use super::{
    Epoch, Host, OrchestratorId, OrchestratorStatus, PlanId, ProcessId, Revision, SessionId,
    Timestamp,
};

/// How a run's process ended, as far as anybody knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunEnd {
    /// Its exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// A row of `orchestrators`: one run of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orchestrator {
    /// Its id.
    pub id: OrchestratorId,
    /// The plan it runs.
    pub plan: PlanId,
    /// The session it was started from.
    pub session: Option<SessionId>,
    /// The machine.
    pub host: Host,
    /// The process that is the orchestrator.
    pub process: ProcessId,
    /// Whether that process is trueup itself, which ends its command when told to.
    pub supervised: bool,
    /// Where it stands.
    pub status: OrchestratorStatus,
    /// When it began.
    pub started_at: Timestamp,
    /// Last sign of life.
    pub heartbeat_at: Timestamp,
    /// When it ended.
    pub stopped_at: Option<Timestamp>,
    /// How it ended.
    pub end: RunEnd,
    /// Why it ended.
    pub reason: Option<String>,
    /// Rises with each run of the plan.
    pub epoch: Epoch,
    /// Counts changes; a sign of life is none.
    pub revision: Revision,
    /// The database's clock when this was read; every age is computed from it.
    pub read_at: Timestamp,
}

impl Orchestrator {
    /// Returns what an event shows of it: a sign of life is no news.
    pub fn event_facts(&self) -> Json {
        json!({
            "plan_id": self.plan, "status": self.status, "session_id": self.session,
            "host": self.host, "pid": self.process.pid, "exit_code": self.end.exit_code,
            "signal": self.end.signal, "reason": self.reason,
        })
    }

    /// Returns seconds since the last sign of life, by the database's clock.
    pub fn silence_seconds(&self) -> u64 {
        silence::silence_seconds(self.read_at, self.heartbeat_at)
    }

    /// Returns the silence in words for a person.
    pub fn describe_silence(&self) -> String {
        silence::describe_silence(self.read_at, self.heartbeat_at)
    }

    /// Tells whether nothing was heard of it since it was read, and it is still at work.
    pub fn is_unchanged_since(&self, read: &Self) -> bool {
        self.status.is_live()
            && self.status == read.status
            && self.heartbeat_at == read.heartbeat_at
    }

    /// Returns why what it had begun is put back, when it ends so.
    pub fn describe_interruption(&self, end: OrchestratorStatus, reason: Option<&str>) -> String {
        let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        format!("orchestrator {} {end}{why}", self.id)
    }

    /// Tells whether the last sign of life is longer ago than so many seconds.
    pub fn is_silent_longer_than(&self, seconds: u64) -> bool {
        silence::is_silent_longer_than(self.read_at, self.heartbeat_at, seconds)
    }
}
