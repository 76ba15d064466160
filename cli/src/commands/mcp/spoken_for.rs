//! Whom the calls of a connection act for.

use std::process::Command;

use trueup_core::model::SessionId;

/// Whom the calls act for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SpokenFor {
    /// The session of `--session`, which others keep alive.
    Named(SessionId),
    /// The session of the environment, which the client's hooks keep alive.
    Environment,
    /// A session of this connection alone.
    Own(SessionId),
}

impl SpokenFor {
    /// Makes a command act for the session. The process of a session of its own is this one, which
    /// lives as long as the connection.
    pub(super) fn speak_through(&self, command: &mut Command) {
        match self {
            Self::Named(id) => {
                command.arg("--session").arg(id.as_str());
            }
            Self::Environment => {}
            Self::Own(id) => {
                command.env("TRUEUP_SESSION_ID", id.as_str());
                command.env("CLAUDE_PID", std::process::id().to_string());
            }
        }
    }
}
