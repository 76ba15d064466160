//! A task of a plan, and its id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::model::{OrchestratorId, PlanId, PlanTaskStatus, Revision, SessionId, Timestamp};

/// The id of a task in its plan, such as `1.2` or `1.2.3`.
///
/// Two or three whole numbers with dots, spelled as the plan spells them. Ids sort as their
/// numbers do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlanTaskId {
    text: String,
    parts: Vec<u32>,
}

/// Why a text is no id of a task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no task id such as 1.2 or 1.2.3")]
pub struct PlanTaskIdError(String);

impl PlanTaskId {
    /// Returns the id as the plan spells it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns its numbers, two or three.
    pub fn parts(&self) -> &[u32] {
        &self.parts
    }
}

impl FromStr for PlanTaskId {
    type Err = PlanTaskIdError;

    fn from_str(text: &str) -> Result<Self, PlanTaskIdError> {
        let wrong = || PlanTaskIdError(text.chars().take(40).collect());
        // A sign is no digit, though a number may have one.
        if !text.chars().all(|c| c.is_ascii_digit() || c == '.') {
            return Err(wrong());
        }
        let parts: Result<Vec<u32>, _> = text.split('.').map(str::parse).collect();
        let parts = parts.map_err(|_| wrong())?;
        // Leading zeros have no end of their own.
        if !(2..=3).contains(&parts.len()) || text.len() > 40 {
            return Err(wrong());
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }
}

impl Ord for PlanTaskId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (&self.parts, &self.text).cmp(&(&other.parts, &other.text))
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
        id.text
    }
}

impl fmt::Display for PlanTaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A row of `plan_tasks`.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanTask {
    /// Its plan.
    pub plan: PlanId,
    /// Its id there.
    pub id: PlanTaskId,
    /// The number of its phase.
    pub phase_number: Option<u32>,
    /// The name of its phase.
    pub phase_title: Option<String>,
    /// What is to be done.
    pub title: String,
    /// Where it stands.
    pub status: PlanTaskStatus,
    /// A word of the plan's choice.
    pub priority: Option<String>,
    /// Its place in the plan.
    pub position: i64,
    /// What has to be completed or skipped first.
    pub depends_on: Vec<PlanTaskId>,
    /// What else a status file said of it, value for value.
    pub extra: Map<String, Value>,
    /// When it was started; empty while it is pending.
    pub started_at: Option<Timestamp>,
    /// When it ended, whichever way.
    pub completed_at: Option<Timestamp>,
    /// Why it failed, or was interrupted.
    pub error: Option<String>,
    /// Why it was left out.
    pub skip_reason: Option<String>,
    /// How often it was tried again.
    pub retry_count: u8,
    /// Whether it failed for want of a sign of life.
    pub stuck: bool,
    /// The orchestrator it was started under.
    pub orchestrator: Option<OrchestratorId>,
    /// The session that works on it, or did last.
    pub session: Option<SessionId>,
    /// Who started it: a session id, or a person's name.
    pub started_by: Option<String>,
    /// Counts changes.
    pub revision: Revision,
    /// When it changed last.
    pub updated_at: Timestamp,
}

impl PlanTask {
    /// Returns the id that is unique among all plans: the key of its events.
    pub fn key(&self) -> String {
        format!("{}/{}", self.plan, self.id)
    }

    /// Dates a change of status, as every store does by its own clock: a start, an end, and
    /// neither for what is pending again.
    pub fn date(&mut self, before: PlanTaskStatus, now: Timestamp) {
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

    /// Returns what an event shows of a task.
    pub fn facts(&self) -> Value {
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
