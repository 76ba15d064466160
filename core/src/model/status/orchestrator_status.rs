//! The status of a run of a plan.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownStatus;

/// The status of a run of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrchestratorStatus {
    /// It works.
    Running,
    /// It was asked to stop and has not stopped yet.
    Stopping,
    /// It ended as it should.
    Stopped,
    /// It died without reporting its end.
    Crashed,
}

impl OrchestratorStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Running, Self::Stopping, Self::Stopped, Self::Crashed];

    /// Returns the stored text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Crashed => "crashed",
        }
    }

    /// Returns whether the run still occupies its plan.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Running | Self::Stopping)
    }

    /// Returns whether the status may change to `next`. A run that ended keeps its status; a new run
    /// is a new row.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Running => true,
            Self::Stopping => !matches!(next, Self::Running),
            Self::Stopped => matches!(next, Self::Stopped),
            Self::Crashed => matches!(next, Self::Crashed),
        }
    }
}

impl FromStr for OrchestratorStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let known = Self::ALL.into_iter().find(|status| status.as_str() == text);
        known.ok_or_else(|| UnknownStatus {
            found: text.to_owned(),
            allowed: "running, stopping, stopped, crashed",
        })
    }
}

impl fmt::Display for OrchestratorStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_stays_as_it_ended_and_nothing_runs_again() {
        use OrchestratorStatus::{Crashed, Running, Stopped, Stopping};
        for from in OrchestratorStatus::ALL {
            for to in OrchestratorStatus::ALL {
                let legal = match (from, to) {
                    (Running, _) | (Stopping, Stopping | Stopped | Crashed) => true,
                    (same, other) => same == other,
                };
                assert_eq!(from.may_become(to), legal, "{from} -> {to}");
            }
        }
    }

    #[test]
    fn every_status_is_read_as_it_is_written() {
        for status in OrchestratorStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        let error = "dead".parse::<OrchestratorStatus>().unwrap_err().to_string();
        assert!(error.contains("\"dead\"") && error.contains("crashed"), "{error}");
    }
}
