//! Parses a payload into an event.

use super::clients::{Client, find_sender};
use super::event::HookEvent;
use super::wire::Payload;
use crate::model::{IdError, SessionId};
use crate::text::lenient_json;

/// Why a payload cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// Nothing on stdin.
    #[error("stdin was empty; a hook reads one JSON object")]
    Empty,
    /// It is not a JSON object.
    #[error("stdin is not a hook payload: {0}")]
    Syntax(#[from] serde_json::Error),
    /// The session id is missing or invalid.
    #[error("stdin has no valid session: {0}")]
    Session(#[from] IdError),
}

/// A parsed payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookPayload {
    /// The client that sent it.
    pub client: &'static Client,
    /// The session that sent it.
    pub session: SessionId,
    /// The session's working directory.
    pub cwd: Option<String>,
    /// Whether a subagent sent it, whose directory and branch are its own.
    pub is_subagent: bool,
    /// The event of a payload.
    pub event: HookEvent,
}

/// Parses a payload; `None` if trueup has nothing to do with it, such as an event of a newer
/// client.
///
/// # Errors
///
/// When the text is not a JSON object or has no valid session id.
pub fn parse_payload(text: &[u8]) -> Result<Option<HookPayload>, PayloadError> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(PayloadError::Empty);
    }
    let payload: Payload = lenient_json::from_slice(text)?;
    let client = find_sender(&payload);
    let Some(event) = (client.parse_event)(&payload) else {
        return Ok(None);
    };
    Ok(Some(HookPayload {
        client,
        session: payload.session_id.0.as_deref().unwrap_or_default().parse()?,
        cwd: payload.cwd.0.filter(|cwd| !cwd.is_empty()),
        is_subagent: payload.agent_id.0.is_some(),
        event,
    }))
}
