//! The clients whose hooks call trueup. Each is a file of this folder and a row of [`CLIENTS`]: how its
//! payloads are told from others' and read, what it takes for an answer, and how it is found among
//! processes.

mod claude_code;
mod codex;

use std::fmt;

use super::wire::{Lenient, Payload};
use super::{HookEvent, HookResponse};
use crate::bounds::PAYLOAD_NAME;

/// All clients. The first one that knows a payload for its own has sent it.
pub static CLIENTS: [&Client; 2] = [&codex::CODEX, &claude_code::CLAUDE_CODE];

/// A program that runs an agent and calls hooks.
pub struct Client {
    /// The agent's name, by which sessions are labelled.
    pub agent: &'static str,
    /// A field that only this client's payloads have, by which a broken one is recognised.
    mark: Option<&'static str>,
    is_sender: fn(&Payload) -> bool,
    pub(super) parse_event: fn(&Payload) -> Option<HookEvent>,
    fit_response: fn(&mut HookResponse, &HookEvent),
    /// Whether its agent is told the stderr of a refusal, and not the reason in the answer.
    pub tells_stderr: bool,
    /// Names of its process.
    pub process_names: &'static [&'static str],
    /// Parts of the path of its script, where an interpreter runs it.
    pub script_names: &'static [&'static str],
    /// The variables that tell a command its session, the first one first.
    pub session_variables: &'static [&'static str],
    /// Variables that it sets for its hooks. Another client that it started inherits them, for which
    /// they are wrong.
    pub variables: &'static [&'static str],
}

impl Client {
    /// Takes out of an answer what the client would refuse the whole answer for.
    pub fn fit_response(&self, response: &mut HookResponse, event: &HookEvent) {
        (self.fit_response)(response, event);
    }

    /// Returns the label of its sessions; those of Claude Code have none.
    pub fn label(&'static self) -> Option<&'static str> {
        (*self != *Self::unmarked()).then_some(self.agent)
    }

    /// Finds the client of an agent.
    pub fn of_agent(agent: &str) -> Option<&'static Self> {
        CLIENTS.into_iter().find(|client| client.agent == agent)
    }

    /// Returns the client of what bears no other one's mark.
    pub fn unmarked() -> &'static Self {
        &claude_code::CLAUDE_CODE
    }

    /// Guesses who sent a payload that is cut or broken.
    pub fn guess_sender(text: &str) -> &'static Self {
        let has_mark =
            |client: &&Self| client.mark.is_some_and(|mark| text.contains(&format!("\"{mark}\"")));
        CLIENTS.into_iter().find(has_mark).unwrap_or_else(Self::unmarked)
    }

    /// Returns the variables that only other clients set.
    pub fn foreign_variables(&'static self) -> impl Iterator<Item = &'static str> {
        let others = CLIENTS.into_iter().filter(move |other| **other != *self);
        others.flat_map(|other| other.variables.iter().copied())
    }
}

/// Clients are told apart by the agent's name.
impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        self.agent == other.agent
    }
}

impl Eq for Client {}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.agent)
    }
}

/// Finds who sent a payload.
pub(super) fn find_sender(payload: &Payload) -> &'static Client {
    let sender = CLIENTS.into_iter().find(|client| (client.is_sender)(payload));
    sender.unwrap_or_else(Client::unmarked)
}

/// Returns an id or a reason, truncated: it is stored in rows and lines of the outbox.
fn bounded_name(text: &Lenient<String>) -> Option<String> {
    let text = text.0.as_deref()?;
    let end = text.char_indices().nth(PAYLOAD_NAME.len());
    Some(text.get(..end.map_or(text.len(), |(at, _)| at))?.to_owned())
}

/// Returns the field by which it would be known what a call does, if it cannot be read. `shells` are
/// the tools that run commands.
fn find_unreadable_field(payload: &Payload, shells: &[&str]) -> Option<&'static str> {
    if payload.tool_name.is_unreadable() {
        return Some("tool_name");
    }
    let name = payload.tool_name.0.as_deref().unwrap_or_default();
    let input = payload.tool_input.0.as_ref();
    match shells.contains(&name) {
        true if payload.tool_input.is_unreadable() => Some("tool_input"),
        true if input.is_some_and(|input| input.command.is_unreadable()) => Some("command"),
        _ => None,
    }
}

/// Returns why a session ends.
fn read_end_reason(payload: &Payload) -> String {
    let reason = bounded_name(&payload.reason).filter(|reason| !reason.is_empty());
    reason.unwrap_or_else(|| "other".to_owned())
}
