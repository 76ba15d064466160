//! Tokens by which others call a hub.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{Timestamp, TokenName};

/// What the bearer of a token may do. Each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenRole {
    /// Read.
    Reader,
    /// Everything that hooks and commands do.
    Agent,
    /// Everything, with what ends the work of others.
    Admin,
}

impl TokenRole {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Reader, Self::Agent, Self::Admin];

    /// Returns the stored text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Reader => "reader",
            Self::Admin => "admin",
        }
    }
}

/// The error for a word that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role of a token; known are reader, agent, admin")]
pub struct UnknownTokenRole(String);

impl FromStr for TokenRole {
    type Err = UnknownTokenRole;

    fn from_str(text: &str) -> Result<Self, UnknownTokenRole> {
        let known = Self::ALL.into_iter().find(|role| role.as_str() == text);
        known.ok_or_else(|| UnknownTokenRole(text.chars().take(40).collect()))
    }
}

impl fmt::Display for TokenRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A token, without what would let anybody in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// Whose it is: a machine or a person.
    pub name: TokenName,
    /// What its bearer may do.
    pub role: TokenRole,
    /// When it was made, by the database's clock.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Who revoked it.
    pub revoked_by: Option<String>,
}

impl AccessToken {
    /// What an event shows of it.
    pub fn event_facts(&self) -> Json {
        json!({"role": self.role, "revoked": self.revoked_at.is_some()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_read_as_it_is_written_and_no_other() {
        for role in TokenRole::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(json!(role), role.as_str());
        }
        let error = "root".parse::<TokenRole>().unwrap_err().to_string();
        assert!(error.contains("\"root\"") && error.contains("reader"), "{error}");
    }
}
