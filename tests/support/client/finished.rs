//! What is left of a run that ended well.

use serde_json::Value;

use super::{HookResponse, Kind, Outcome, Request};

/// Is a run that ended well.
#[derive(Debug)]
pub struct Finished {
    events: Vec<Value>,
    requests: Vec<Request>,
}

impl Finished {
    pub(super) fn new(events: Vec<Value>, requests: Vec<Request>) -> Self {
        Self { events, requests }
    }

    /// Returns the session's id.
    pub fn session_id(&self) -> Outcome<String> {
        session_id(&self.events)
    }

    /// Returns how the plugin's hooks ended whose name starts with `prefix`.
    pub fn hooks(&self, prefix: &str) -> Vec<HookResponse> {
        let all = self.events.iter().filter_map(HookResponse::read);
        all.filter(|hook| hook.name.starts_with(prefix)).collect()
    }

    /// Returns the conversation's requests, oldest first.
    pub fn conversation(&self) -> Vec<Request> {
        conversation(self.requests.clone())
    }

    /// Returns what the model read first.
    pub fn first_request(&self) -> Outcome<Request> {
        self.conversation()
            .into_iter()
            .next()
            .ok_or_else(|| "the model was never asked".into())
    }

    /// Returns what the model read last.
    pub fn last_request(&self) -> Outcome<Request> {
        self.conversation()
            .pop()
            .ok_or_else(|| "the model was never asked".into())
    }

    /// Counts the requests of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.requests
            .iter()
            .filter(|request| request.kind() == kind)
            .count()
    }
}

/// Keeps the conversation's requests.
pub(super) fn conversation(requests: Vec<Request>) -> Vec<Request> {
    requests
        .into_iter()
        .filter(|request| request.kind() == Kind::Conversation)
        .collect()
}

/// Events before `init` may carry a provisional id, so the result is asked first.
fn session_id(events: &[Value]) -> Outcome<String> {
    let named = |key: &str, value: &str| {
        events.iter().rfind(|event| event[key] == value)?["session_id"]
            .as_str()
            .map(str::to_owned)
    };
    let id = named("type", "result").or_else(|| named("subtype", "init"));
    id.ok_or_else(|| "the client named no session".into())
}
