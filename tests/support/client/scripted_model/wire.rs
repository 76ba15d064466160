//! The Messages API's replies, plain and streamed.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::Turn;
use super::http::HttpReply;

/// Answers a Messages request with `turn`, in the form that the request asked for.
pub(super) fn message_reply(request: &Value, turn: &Turn) -> HttpReply {
    let message = whole_message(request, turn);
    if request["stream"] == true {
        HttpReply { status: 200, content_type: "text/event-stream", body: stream_message(&message) }
    } else {
        json_reply(200, &message)
    }
}

/// Answers with one JSON value.
pub(super) fn json_reply(status: u16, value: &Value) -> HttpReply {
    HttpReply { status, content_type: "application/json", body: value.to_string() }
}

/// Answers a path that is not scripted.
pub(super) fn not_found() -> HttpReply {
    let error = json!({"type": "not_found_error", "message": "not scripted"});
    json_reply(404, &json!({"type": "error", "error": error}))
}

/// Ids are unique in the whole process, since a resumed conversation must not see one twice.
fn next_identifier(prefix: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{prefix}_scripted{:08}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn whole_message(request: &Value, turn: &Turn) -> Value {
    let (block, stop_reason) = match turn {
        Turn::Say(text) => (json!({"type": "text", "text": text}), "end_turn"),
        Turn::Call { tool, input } => {
            let id = next_identifier("toolu");
            (json!({"type": "tool_use", "id": id, "name": tool, "input": input}), "tool_use")
        }
    };
    json!({
        "id": next_identifier("msg"),
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [block],
        "stop_reason": stop_reason,
        "stop_sequence": null,
        "usage": {
            "input_tokens": 100, "output_tokens": 20,
            "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        },
    })
}

fn stream_message(message: &Value) -> String {
    let mut start = message.clone();
    start["content"] = json!([]);
    start["stop_reason"] = Value::Null;
    let mut body = String::new();
    push_event(&mut body, &json!({"type": "message_start", "message": start}));
    let blocks = message["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (index, block) in blocks.iter().enumerate() {
        let (opened, delta) = start_and_delta(block);
        let start = json!({"type": "content_block_start", "index": index, "content_block": opened});
        push_event(&mut body, &start);
        push_event(
            &mut body,
            &json!({"type": "content_block_delta", "index": index, "delta": delta}),
        );
        push_event(&mut body, &json!({"type": "content_block_stop", "index": index}));
    }
    let delta = json!({"stop_reason": message["stop_reason"], "stop_sequence": null});
    push_event(
        &mut body,
        &json!({"type": "message_delta", "delta": delta, "usage": message["usage"]}),
    );
    push_event(&mut body, &json!({"type": "message_stop"}));
    body
}

fn start_and_delta(block: &Value) -> (Value, Value) {
    let mut opened = block.clone();
    if block["type"] == "text" {
        opened["text"] = json!("");
        (opened, json!({"type": "text_delta", "text": block["text"]}))
    } else {
        opened["input"] = json!({});
        let partial = block["input"].to_string();
        (opened, json!({"type": "input_json_delta", "partial_json": partial}))
    }
}

fn push_event(body: &mut String, event: &Value) {
    let name = event["type"].as_str().unwrap_or_default();
    // Writing to a string cannot fail.
    let _: std::fmt::Result = write!(body, "event: {name}\ndata: {event}\n\n");
}
