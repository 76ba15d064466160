//! Tasks of plans, and their ids.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::model::{OrchestratorId, PlanId, PlanTaskStatus, Revision, SessionId, Timestamp};

/// The id of a task in its plan, such as `1.2`, `3.2.A` or `VERIFY-1`.
///
/// Letters, digits and `.`, `_`, `-`, `:`, `#`, spelled as in the plan. Numbers in ids sort by
/// value: `1.2` comes before `1.10`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlanTaskId(String);

/// The error for a text that is not the id of a task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a task id such as 1.2 or VERIFY-1")]
pub struct PlanTaskIdError(String);

/// Longest id, in characters.
const MAX_ID_CHARS: usize = 100;

impl PlanTaskId {
    /// Returns the id as it is spelled in the plan.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the numbers of an id that consists of numbers and dots.
    pub fn numeric_parts(&self) -> Option<Vec<u32>> {
        self.0.split('.').map(|part| part.parse().ok()).collect()
    }

    /// Makes an id from any text. A character that an id cannot have becomes a dash.
    pub fn from_text(text: &str) -> Self {
        let kept = |c: char| if is_id_char(c) { c } else { '-' };
        let text: String = text.trim().chars().take(MAX_ID_CHARS).map(kept).collect();
        let text = text.trim_start_matches(|c: char| !c.is_alphanumeric());
        Self(if text.is_empty() { "unnamed" } else { text }.to_owned())
    }
}

fn is_id_char(c: char) -> bool {
    c.is_alphanumeric() || "._-:#".contains(c)
}

impl FromStr for PlanTaskId {
    type Err = PlanTaskIdError;

    fn from_str(text: &str) -> Result<Self, PlanTaskIdError> {
        let begins = text.starts_with(char::is_alphanumeric);
        if !begins || !text.chars().all(is_id_char) || text.chars().count() > MAX_ID_CHARS {
            return Err(PlanTaskIdError(text.chars().take(40).collect()));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A run of digits, compared by value, or a run of other characters.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum IdRun<'a> {
    /// The number of digits without leading zeros, then the digits, so that numbers of any length
    /// compare by value.
    Number(usize, &'a [u8]),
    Text(&'a [u8]),
}

fn split_runs(text: &[u8]) -> impl Iterator<Item = IdRun<'_>> {
    text.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()).map(|run| {
        if !run.first().is_some_and(u8::is_ascii_digit) {
            return IdRun::Text(run);
        }
        let zeros = run.iter().take_while(|digit| **digit == b'0').count();
        let digits = run.get(zeros..).unwrap_or_default();
        IdRun::Number(digits.len(), digits)
    })
}

/// Returns how much of the beginning two texts share, without the digits at its end: the number
/// that they belong to may go on in one text only.
fn shared_prefix_length(a: &[u8], b: &[u8]) -> usize {
    let shared = a.iter().zip(b).take_while(|(a, b)| a == b);
    shared.enumerate().fold(
        0,
        |kept, (at, (byte, _))| {
            if byte.is_ascii_digit() { kept } else { at + 1 }
        },
    )
}

impl Ord for PlanTaskId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (a, b) = (self.0.as_bytes(), other.0.as_bytes());
        // Ids of a plan share their beginnings, and a plan of thousands of tasks is sorted.
        let shared = shared_prefix_length(a, b);
        split_runs(&a[shared..]).cmp(split_runs(&b[shared..])).then_with(|| a.cmp(b))
    }
}

impl PartialOrd for PlanTaskId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl TryFrom<String> for PlanTaskId {
    type Error = PlanTaskIdError;

    fn try_from(text: String) -> Result<Self, PlanTaskIdError> {
        text.parse()
    }
}

impl From<PlanTaskId> for String {
    fn from(id: PlanTaskId) -> Self {
        id.0
    }
}

impl fmt::Display for PlanTaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A row of `plan_tasks`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanTask {
    /// Its plan.
    pub plan: PlanId,
    /// Its id in the plan.
    pub id: PlanTaskId,
    /// The number of its phase.
    pub phase_number: Option<u32>,
    /// The title of its phase.
    pub phase_title: Option<String>,
    /// The title.
    pub title: String,
    /// The status.
    pub status: PlanTaskStatus,
    /// The priority, in the plan's own words.
    pub priority: Option<String>,
    /// Its position in the plan.
    pub position: i64,
    /// The tasks that have to be completed or skipped first.
    pub depends_on: Vec<PlanTaskId>,
    /// Other fields of its status file, unchanged.
    pub extra: Map<String, Value>,
    /// When it was started; `None` while it is pending.
    pub started_at: Option<Timestamp>,
    /// When it ended, in whatever way.
    pub completed_at: Option<Timestamp>,
    /// Why it failed or was interrupted.
    pub error: Option<String>,
    /// Why it was skipped.
    pub skip_reason: Option<String>,
    /// How often it was retried.
    pub retry_count: u8,
    /// Whether it failed because it gave no sign of life.
    pub stuck: bool,
    /// The orchestrator it was started under.
    pub orchestrator: Option<OrchestratorId>,
    /// The session that works on it, or worked on it last.
    pub session: Option<SessionId>,
    /// Who started it: a session id or a person's name.
    pub started_by: Option<String>,
    /// The number of changes.
    pub revision: Revision,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl PlanTask {
    /// Returns the id among all plans, which is the key of its events.
    pub fn key(&self) -> String {
        format!("{}/{}", self.plan, self.id)
    }

    /// Sets the times that a change of status brings with it: a start, an end, or neither for a
    /// pending task.
    pub fn update_status_times(&mut self, before: PlanTaskStatus, now: Timestamp) {
        if self.status == before {
            return;
        }
        match self.status {
            PlanTaskStatus::Pending => self.started_at = None,
            PlanTaskStatus::InProgress => self.started_at = Some(now),
            PlanTaskStatus::Completed | PlanTaskStatus::Failed | PlanTaskStatus::Skipped => {}
        }
        self.completed_at = self.status.is_finished().then_some(now);
    }

    /// Returns what an event records of a task.
    pub fn event_facts(&self) -> Value {
        json!({
            "title": self.title, "status": self.status, "phase_number": self.phase_number,
            "phase_title": self.phase_title, "priority": self.priority,
            "position": self.position, "depends_on": self.depends_on, "error": self.error,
            "skip_reason": self.skip_reason, "retry_count": self.retry_count,
            "stuck": u8::from(self.stuck), "orchestrator": self.orchestrator,
            "session": self.session, "started_by": self.started_by, "extra": self.extra,
        })
    }
}
