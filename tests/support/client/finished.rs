//! The result of a client run that succeeded.

use serde_json::Value;

use super::{HarnessResult, HookResponse, Request, RequestKind};

/// The result of a client run that succeeded.
#[derive(Debug)]
pub struct FinishedRun {
    events: Vec<Value>,
    requests: Vec<Request>,
}

impl FinishedRun {
    pub(super) fn new(events: Vec<Value>, requests: Vec<Request>) -> Self {
        Self { events, requests }
    }

    /// Returns the session's id.
    pub fn session_id(&self) -> HarnessResult<String> {
        find_session_id(&self.events)
    }

    /// Returns the responses of the plugin's hooks whose name starts with `prefix`.
    pub fn hooks(&self, prefix: &str) -> Vec<HookResponse> {
        let all = self.events.iter().filter_map(HookResponse::from_event);
        all.filter(|hook| hook.name.starts_with(prefix)).collect()
    }

    /// Returns the conversation's requests, oldest first.
    pub fn conversation(&self) -> Vec<Request> {
        conversation_only(self.requests.clone())
    }

    /// Returns the first request of the conversation.
    pub fn first_request(&self) -> HarnessResult<Request> {
        self.conversation().into_iter().next().ok_or_else(|| "the model was never asked".into())
    }

    /// Returns the last request of the conversation.
    pub fn last_request(&self) -> HarnessResult<Request> {
        self.conversation().pop().ok_or_else(|| "the model was never asked".into())
    }

    /// Counts the requests of a kind.
    pub fn count(&self, kind: RequestKind) -> usize {
        self.requests.iter().filter(|request| request.kind() == kind).count()
    }
}

/// Keeps the conversation's requests.
pub(super) fn conversation_only(requests: Vec<Request>) -> Vec<Request> {
    requests.into_iter().filter(|request| request.kind() == RequestKind::Conversation).collect()
}

/// Events before `init` may carry a provisional id, so the `result` event comes first.
fn find_session_id(events: &[Value]) -> HarnessResult<String> {
    let named = |key: &str, value: &str| {
        events.iter().rfind(|event| event[key] == value)?["session_id"].as_str().map(str::to_owned)
    };
    let id = named("type", "result").or_else(|| named("subtype", "init"));
    id.ok_or_else(|| "the client named no session".into())
}
