//! The status of a session.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownStatus;

/// The status of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionStatus {
    /// It is in a turn, or has just registered.
    Active,
    /// Between turns.
    Idle,
    /// The client ended the session. Claims are kept until the lease ends.
    Ended,
    /// Two pieces of evidence showed that it died. It holds nothing; what it was doing stays
    /// readable.
    Lost,
}

impl SessionStatus {
    /// The statuses of sessions that count as present.
    pub const PRESENT: &'static [Self] = &[Self::Active, Self::Idle];

    /// Returns the stored text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Idle => "idle",
            Self::Ended => "ended",
            Self::Lost => "lost",
        }
    }

    /// Returns whether the session counts as present. It may still have died unnoticed.
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
            _ => {
                Err(UnknownStatus { found: text.to_owned(), allowed: "active, idle, ended, lost" })
            }
        }
    }
}

impl fmt::Display for SessionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
