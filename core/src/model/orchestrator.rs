//! Orchestrators: runs of a plan, and what is reported of those that died.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::silence;
use super::{
    Epoch, Host, OrchestratorId, OrchestratorStatus, PlanId, ProcessId, Revision, SessionId,
    Timestamp,
};

/// How the process of a run ended, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEnd {
    /// Its exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// A row of `orchestrators`: one run of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orchestrator {
    /// Its id.
    pub id: OrchestratorId,
    /// The plan it runs.
    pub plan: PlanId,
    /// The session that it was started from.
    pub session: Option<SessionId>,
    /// The machine it runs on.
    pub host: Host,
    /// The process that is the orchestrator.
    pub process: ProcessId,
    /// Whether that process is trueup itself, which stops the command it supervises on request.
    pub supervised: bool,
    /// The status.
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
    /// Rises with every run of the plan.
    pub epoch: Epoch,
    /// The number of changes, heartbeats not counted.
    pub revision: Revision,
    /// The database's clock when this was read, from which every age is computed.
    pub read_at: Timestamp,
}

impl Orchestrator {
    /// Returns what an event records of it. A heartbeat is not recorded.
    pub fn event_facts(&self) -> Json {
        json!({
            "plan_id": self.plan, "status": self.status, "session_id": self.session,
            "host": self.host, "pid": self.process.pid, "exit_code": self.end.exit_code,
            "signal": self.end.signal, "reason": self.reason,
        })
    }

    /// Returns the seconds since the last heartbeat, by the database's clock.
    pub fn silence_seconds(&self) -> u64 {
        silence::silence_seconds(self.read_at, self.heartbeat_at)
    }

    /// Describes the silence in a phrase.
    pub fn describe_silence(&self) -> String {
        silence::describe_silence(self.read_at, self.heartbeat_at)
    }

    /// Returns whether it is still live and has given no heartbeat since `read`.
    pub fn is_unchanged_since(&self, read: &Self) -> bool {
        self.status.is_live()
            && self.status == read.status
            && self.heartbeat_at == read.heartbeat_at
    }

    /// Describes why the work it had started is returned to the queue when it ends with this status.
    pub fn describe_interruption(&self, end: OrchestratorStatus, reason: Option<&str>) -> String {
        let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        format!("orchestrator {} {end}{why}", self.id)
    }

    /// Returns whether the last heartbeat is more than this many seconds ago.
    pub fn is_silent_longer_than(&self, seconds: u64) -> bool {
        silence::is_silent_longer_than(self.read_at, self.heartbeat_at, seconds)
    }
}

/// Most names shown in a line about interrupted work.
const MAX_NAMES_SHOWN: usize = 5;

/// An orchestrator that died without reporting its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadOrchestrator {
    /// The row as it was read, or as it is after it was marked crashed.
    pub orchestrator: Orchestrator,
    /// What proves its death.
    pub evidence: String,
    /// The names of the tasks and phases that it had started and that were put back; empty until it
    /// is marked crashed.
    pub interrupted: Vec<String>,
}

impl DeadOrchestrator {
    /// Renders the line for a person.
    pub fn render_line(&self) -> String {
        let Orchestrator { id, plan, process, host, .. } = &self.orchestrator;
        let pid = process.pid;
        let what = if self.orchestrator.status.is_live() {
            "the next command that changes something records this"
        } else {
            "marked crashed"
        };
        let left = match describe_interrupted(&self.interrupted) {
            Some(line) => format!(", {line}"),
            None => String::new(),
        };
        format!(
            "orchestrator {id} of plan {plan} died (pid {pid} on {host}): {}; {what}{left}",
            self.evidence
        )
    }
}

/// Describes in a phrase what a run left unfinished, or `None` if nothing.
pub fn describe_interrupted(names: &[String]) -> Option<String> {
    let (first, more) = names.split_at(names.len().min(MAX_NAMES_SHOWN));
    let more = match more.len() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    (!first.is_empty()).then(|| format!("interrupted {}{more}", first.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_a_few_and_counts_the_rest() {
        let names = |count: usize| -> Vec<String> { (0..count).map(|n| format!("t{n}")).collect() };
        assert_eq!(describe_interrupted(&[]), None);
        assert_eq!(describe_interrupted(&names(2)).unwrap(), "interrupted t0, t1");
        let line = describe_interrupted(&names(7)).unwrap();
        assert_eq!(line, "interrupted t0, t1, t2, t3, t4 and 2 more");
    }
}
