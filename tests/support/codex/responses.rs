//! A model that speaks the Responses API, gives scripted answers and records every request.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::client::HarnessResult;
use crate::client::scripted_model::http::{self, HttpReply};
use crate::client::scripted_model::lock_ignoring_poison;

/// One answer of the model.
#[derive(Clone, Debug)]
pub enum CodexTurn {
    /// Ends the turn with a text.
    Say(String),
    /// Runs a shell command.
    Exec(String),
    /// Applies a patch.
    Patch(String),
}

/// Serves the Responses API on a loopback port until it is dropped.
#[derive(Debug)]
pub struct ScriptedResponses {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    turns: Mutex<VecDeque<CodexTurn>>,
    requests: Mutex<Vec<Value>>,
    closed: AtomicBool,
}

impl ScriptedResponses {
    /// Starts to listen; requests get `turns` in order, later ones the text `done`.
    pub fn start(turns: Vec<CodexTurn>) -> HarnessResult<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            turns: Mutex::new(turns.into()),
            requests: Mutex::default(),
            closed: AtomicBool::new(false),
        });
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
        format!("http://{}/v1", self.address)
    }

    /// Returns the body of every request so far, oldest first.
    pub fn requests(&self) -> Vec<Value> {
        lock_ignoring_poison(&self.shared.requests).clone()
    }
}

impl Drop for ScriptedResponses {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees the flag.
        drop(TcpStream::connect(self.address));
    }
}

/// A client that hangs up is no error here: the test sees it elsewhere.
fn answer_request(stream: &TcpStream, shared: &Shared) {
    let Ok(incoming) = http::read_request(stream) else {
        return;
    };
    let reply = if incoming.method == "POST" && incoming.path == "/v1/responses" {
        let body = serde_json::from_slice(&incoming.body).unwrap_or(Value::Null);
        lock_ignoring_poison(&shared.requests).push(body);
        let turn = lock_ignoring_poison(&shared.turns).pop_front();
        let body = stream_events(&turn.unwrap_or_else(|| CodexTurn::Say("done".to_owned())));
        HttpReply { status: 200, content_type: "text/event-stream", body }
    } else {
        let body = json!({"error": {"message": "not scripted"}}).to_string();
        HttpReply { status: 404, content_type: "application/json", body }
    };
    drop(http::write_reply(stream, &reply));
}

/// Renders the events of one response.
fn stream_events(turn: &CodexTurn) -> String {
    let id = next_identifier("resp");
    let usage = json!({"input_tokens": 10, "output_tokens": 1, "total_tokens": 11,
        "input_tokens_details": null, "output_tokens_details": null});
    let events = [
        json!({"type": "response.created", "response": {"id": id}}),
        json!({"type": "response.output_item.done", "item": render_item(turn)}),
        json!({"type": "response.completed", "response": {"id": id, "usage": usage}}),
    ];
    events.iter().fold(String::new(), |mut body, event| {
        let name = event["type"].as_str().unwrap_or_default();
        // Writing to a string cannot fail.
        let _: std::fmt::Result = write!(body, "event: {name}\ndata: {event}\n\n");
        body
    })
}

fn render_item(turn: &CodexTurn) -> Value {
    let (id, call) = (next_identifier("item"), next_identifier("call"));
    match turn {
        CodexTurn::Say(text) => json!({"type": "message", "id": id, "role": "assistant",
            "content": [{"type": "output_text", "text": text}]}),
        CodexTurn::Exec(command) => json!({"type": "function_call", "id": id, "call_id": call,
            "name": "exec_command", "arguments": json!({"cmd": command, "login": false}).to_string()}),
        CodexTurn::Patch(patch) => json!({"type": "custom_tool_call", "id": id, "call_id": call,
            "name": "apply_patch", "input": patch}),
    }
}

fn next_identifier(prefix: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{prefix}_scripted{:08}", NEXT.fetch_add(1, Ordering::Relaxed))
}
