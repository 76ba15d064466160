//! The closed vocabularies of status, and the one alias table for spellings found in the wild.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A spelling that no vocabulary knows. Reported on read, refused on write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown status {found:?}; known are {allowed}")]
pub struct UnknownStatus {
    found: String,
    allowed: &'static str,
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionStatus {
    /// In a turn, or just registered.
    Active,
    /// Between turns.
    Idle,
    /// The client said goodbye. A claim is kept until the lease ends.
    Ended,
    /// Two witnesses said it died. It holds nothing; what it was doing stays readable.
    Lost,
}

impl SessionStatus {
    /// The statuses of sessions that count as present.
    pub const PRESENT: &'static [Self] = &[Self::Active, Self::Idle];

    /// Returns the stored spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Idle => "idle",
            Self::Ended => "ended",
            Self::Lost => "lost",
        }
    }

    /// Tells whether the session counts as present (it may still have died unnoticed).
    pub const fn is_present(self) -> bool {
        matches!(self, Self::Active | Self::Idle)
    }
}

impl FromStr for SessionStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        match text {
            "active" => Ok(Self::Active),
            "idle" => Ok(Self::Idle),
            "ended" => Ok(Self::Ended),
            "lost" => Ok(Self::Lost),
            _ => Err(UnknownStatus {
                found: text.to_owned(),
                allowed: "active, idle, ended, lost",
            }),
        }
    }
}

impl fmt::Display for SessionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a work item or a phase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemStatus {
    /// Known, not started.
    Queued,
    /// Nothing it depends on is open.
    Ready,
    /// Being worked on.
    Running,
    /// Waiting for something named.
    Blocked,
    /// Finished.
    Completed,
    /// Ended with an error.
    Failed,
    /// Abandoned.
    Cancelled,
}

impl ItemStatus {
    /// Every status, in the order of the contract.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Ready,
        Self::Running,
        Self::Blocked,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Returns the stored spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Blocked => "blocked",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns the rank of the no-regress rule: 0 not started, 1 active or waiting,
    /// 2 finished or abandoned. A status never moves to a lower rank without a reopen.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Queued | Self::Ready => 0,
            Self::Running | Self::Blocked => 1,
            Self::Completed | Self::Failed | Self::Cancelled => 2,
        }
    }

    /// Tells whether nobody can claim the item any more.
    pub const fn is_finished(self) -> bool {
        self.rank() == 2
    }
}

impl FromStr for ItemStatus {
    type Err = UnknownStatus;

    /// Reads any known spelling; case, spaces and dashes do not matter.
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let folded: String = text
            .trim()
            .chars()
            .map(|c| {
                if matches!(c, ' ' | '-') {
                    '_'
                } else {
                    c.to_ascii_lowercase()
                }
            })
            .collect();
        // Spellings counted in the data of the five seeds.
        match folded.as_str() {
            "queued" | "todo" | "pending" | "proposed" | "backlog" | "draft" => Ok(Self::Queued),
            "ready" => Ok(Self::Ready),
            "running" | "in_progress" | "progress" | "active" | "doing" => Ok(Self::Running),
            "blocked" | "wait" | "waiting" | "paused" | "parked" | "deferred" => Ok(Self::Blocked),
            "completed" | "complete" | "done" | "finished" => Ok(Self::Completed),
            "failed" | "crashed" => Ok(Self::Failed),
            "cancelled" | "canceled" | "cancel" | "skipped" | "archived" => Ok(Self::Cancelled),
            _ => Err(UnknownStatus {
                found: text.chars().take(40).collect(),
                allowed: "queued, ready, running, blocked, completed, failed, cancelled",
            }),
        }
    }
}

impl fmt::Display for ItemStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stored_spelling_reads_back() {
        for status in ItemStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        for text in ["active", "idle", "ended", "lost"] {
            assert_eq!(text.parse::<SessionStatus>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn spellings_of_the_wild_are_normalised() {
        for (text, status) in [
            ("TODO", ItemStatus::Queued),
            ("In Progress", ItemStatus::Running),
            ("in-progress", ItemStatus::Running),
            ("canceled", ItemStatus::Cancelled),
            (" done ", ItemStatus::Completed),
            ("paused", ItemStatus::Blocked),
        ] {
            assert_eq!(text.parse(), Ok(status), "{text}");
        }
        let error = "almost".parse::<ItemStatus>().unwrap_err().to_string();
        assert!(
            error.contains("\"almost\"") && error.contains("queued, ready"),
            "{error}"
        );
    }
}
