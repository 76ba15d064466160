//! A model that gives scripted answers and records every request.

pub(crate) mod http;
mod wire;

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

use super::{HarnessResult, Request};

/// One answer of the model.
#[derive(Clone, Debug)]
pub enum Turn {
    /// Ends the turn with a text.
    Say(String),
    /// Asks the client to run a tool.
    Call {
        /// The tool's name as the client offers it.
        tool: String,
        /// The tool's input.
        input: Value,
    },
}

impl Turn {
    /// Ends the turn with `text`.
    pub fn say(text: &str) -> Self {
        Self::Say(text.to_owned())
    }

    /// Asks the client to run `tool`.
    pub fn call(tool: &str, input: Value) -> Self {
        Self::Call { tool: tool.to_owned(), input }
    }

    /// Asks the client to run a shell command.
    pub fn bash(command: &str) -> Self {
        Self::call("Bash", json!({"command": command, "description": "scripted"}))
    }
}

/// The purpose of a request to the model.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RequestKind {
    /// The conversation: it takes the next scripted turn.
    Conversation,
    /// A summary for compaction.
    Compaction,
    /// Anything without tools, such as a title.
    Side,
}

/// The summary that every compaction gets. It names nothing, so what the agent knows afterwards
/// comes from the hooks.
const SUMMARY: &str = "<analysis>scripted</analysis>\n<summary>Work went on.</summary>";

/// Serves the Messages API on a loopback port until it is dropped.
#[derive(Debug)]
pub struct ScriptedModel {
    address: SocketAddr,
    shared: Arc<SharedTurns>,
}

#[derive(Debug, Default)]
struct SharedTurns {
    turns: Mutex<VecDeque<Turn>>,
    requests: Mutex<Vec<Request>>,
    closed: AtomicBool,
}

impl ScriptedModel {
    /// Starts to listen; conversation requests get `turns` in order, later ones the text `done`.
    pub fn start(turns: Vec<Turn>) -> HarnessResult<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared =
            Arc::new(SharedTurns { turns: Mutex::new(turns.into()), ..SharedTurns::default() });
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if served.closed.load(Ordering::SeqCst) {
                    break;
                }
                let shared = Arc::clone(&served);
                thread::spawn(move || answer_request(&stream, &shared));
            }
        });
        Ok(Self { address, shared })
    }

    /// Returns the base URL to give the client.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns every request seen so far, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        lock_ignoring_poison(&self.shared.requests).clone()
    }
}

impl Drop for ScriptedModel {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees the flag.
        drop(TcpStream::connect(self.address));
    }
}

/// Locks a mutex even when it is poisoned, so that the first panic is the one reported.
pub(crate) fn lock_ignoring_poison<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client that hangs up is no error here: the test sees it elsewhere.
fn answer_request(stream: &TcpStream, shared: &SharedTurns) {
    let Ok(incoming) = http::read_request(stream) else {
        return;
    };
    let body: Value = serde_json::from_slice(&incoming.body).unwrap_or(Value::Null);
    let reply = match (incoming.method.as_str(), incoming.path.as_str()) {
        ("POST", "/v1/messages") => {
            let turn = shared.next_turn(&body);
            wire::message_reply(&body, &turn)
        }
        ("POST", "/v1/messages/count_tokens") => {
            wire::json_reply(200, &json!({"input_tokens": incoming.body.len() / 4 + 1}))
        }
        _ => wire::not_found(),
    };
    drop(http::write_reply(stream, &reply));
}

impl SharedTurns {
    fn next_turn(&self, body: &Value) -> Turn {
        let request = Request::new(body.clone());
        let kind = request.kind();
        lock_ignoring_poison(&self.requests).push(request);
        match kind {
            RequestKind::Conversation => {
                lock_ignoring_poison(&self.turns).pop_front().unwrap_or_else(|| Turn::say("done"))
            }
            RequestKind::Compaction => Turn::say(SUMMARY),
            RequestKind::Side => Turn::say(r#"{"title": "scripted session"}"#),
        }
    }
}
