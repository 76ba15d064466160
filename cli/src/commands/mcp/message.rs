//! JSON-RPC 2.0: messages of the client, and what is answered.

use serde_json::{Map, Value, json};
use trueup_core::text::lenient_json;

/// The text is not JSON.
const PARSE_ERROR: i64 = -32_700;
/// The JSON is no message.
const INVALID_REQUEST: i64 = -32_600;
/// There is no such method.
const METHOD_NOT_FOUND: i64 = -32_601;
/// The parameters do not fit the method.
const INVALID_PARAMS: i64 = -32_602;
/// The version of the protocol is not supported.
const UNSUPPORTED_VERSION: i64 = -32_022;

/// A message of the client.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// A request, which is answered.
    Request(Request),
    /// A notification or an answer. Nothing here waits for one: a call that the client cancels has
    /// been made or will be, and its answer is ignored by the client.
    Unanswered,
    /// No message, with its id if it has one.
    Invalid(Value),
}

/// A request of the client.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub(super) id: Value,
    pub(super) method: String,
    pub(super) params: Map<String, Value>,
}

/// The messages of one line.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    One(Message),
    /// Several, which are answered together, as the protocol of 2025-03-26 has it.
    Batch(Vec<Message>),
}

/// Why a request cannot be answered with a result.
#[derive(Debug)]
pub(super) struct RequestError {
    code: i64,
    message: String,
    data: Value,
}

impl RequestError {
    fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: Value::Null }
    }

    /// The line is not JSON.
    pub(super) fn not_json(reason: &str) -> Self {
        Self::new(PARSE_ERROR, format!("not JSON: {reason}"))
    }

    /// The JSON is no message.
    pub(super) fn invalid_request(reason: &str) -> Self {
        Self::new(INVALID_REQUEST, reason)
    }

    /// There is no such method.
    pub(super) fn unknown_method(method: &str) -> Self {
        Self::new(METHOD_NOT_FOUND, format!("there is no method {method:?}"))
    }

    /// The parameters do not fit the method.
    pub(super) fn invalid_params(reason: impl Into<String>) -> Self {
        Self::new(INVALID_PARAMS, reason)
    }

    /// The version of the protocol is not supported.
    pub(super) fn unsupported_version(requested: &str, supported: &[&str]) -> Self {
        Self {
            data: json!({"requested": requested, "supported": supported}),
            ..Self::new(UNSUPPORTED_VERSION, "unsupported protocol version")
        }
    }
}

/// Parses the messages of a line.
///
/// # Errors
///
/// When it is not JSON, or an empty list.
pub(super) fn parse_line(bytes: &[u8]) -> Result<Line, RequestError> {
    let value = lenient_json::from_slice(bytes);
    match value.map_err(|error| RequestError::not_json(&error.to_string()))? {
        Value::Array(batch) if batch.is_empty() => {
            Err(RequestError::invalid_request("an empty list is no message"))
        }
        Value::Array(batch) => Ok(Line::Batch(batch.into_iter().map(parse_message).collect())),
        value => Ok(Line::One(parse_message(value))),
    }
}

fn parse_message(value: Value) -> Message {
    let Value::Object(mut fields) = value else {
        return Message::Invalid(Value::Null);
    };
    let id = fields.remove("id").filter(|id| id.is_string() || id.is_number());
    let is_version_2 = fields.get("jsonrpc").and_then(Value::as_str) == Some("2.0");
    let params = match fields.remove("params") {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Object(params)) => Some(params),
        Some(_) => None,
    };
    let is_answer = fields.contains_key("result") || fields.contains_key("error");
    match (fields.remove("method"), id, params) {
        _ if !is_version_2 => Message::Invalid(Value::Null),
        (Some(Value::String(method)), Some(id), Some(params)) => {
            Message::Request(Request { id, method, params })
        }
        (Some(Value::String(_)), None, _) => Message::Unanswered,
        (None, _, _) if is_answer => Message::Unanswered,
        (_, id, _) => Message::Invalid(id.unwrap_or_default()),
    }
}

/// Builds the answer to a request.
pub(super) fn build_answer(id: &Value, result: Result<Value, RequestError>) -> Value {
    match result {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(RequestError { code, message, data }) => {
            let mut error = json!({"code": code, "message": message});
            if !data.is_null() {
                error["data"] = data;
            }
            json!({"jsonrpc": "2.0", "id": id, "error": error})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: Value, method: &str) -> Message {
        Message::Request(Request { id, method: method.to_owned(), params: Map::new() })
    }

    #[test]
    fn messages_are_told_apart() {
        for (text, expected) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, request(json!(1), "ping")),
            (
                "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"ping\",\"params\":{}}",
                request(json!("a"), "ping"),
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null}"#,
                request(json!(1), "ping"),
            ),
            (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, Message::Unanswered),
            (r#"{"jsonrpc":"2.0","method":"ping","params":[1]}"#, Message::Unanswered),
            (r#"{"jsonrpc":"2.0","id":7,"result":{}}"#, Message::Unanswered),
            (r#"{"jsonrpc":"2.0","id":7,"error":{"code":1}}"#, Message::Unanswered),
            (
                r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}"#,
                Message::Invalid(json!(7)),
            ),
            (r#"{"jsonrpc":"2.0","id":7,"method":3}"#, Message::Invalid(json!(7))),
            (r#"{"jsonrpc":"2.0","id":7}"#, Message::Invalid(json!(7))),
            (r#"{"id":1,"method":"ping"}"#, Message::Invalid(Value::Null)),
            ("3", Message::Invalid(Value::Null)),
        ] {
            assert_eq!(parse_line(text.as_bytes()).unwrap(), Line::One(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        let deep = "[".repeat(100_000);
        for text in [&b"{"[..], b"\xff", b"[]", deep.as_bytes(), b"{\"jsonrpc\":\"2.0\"} x"] {
            assert!(parse_line(text).is_err());
        }
        let batch = parse_line(br#"[{"jsonrpc":"2.0","id":1,"method":"ping"},4]"#).unwrap();
        let expected = vec![request(json!(1), "ping"), Message::Invalid(Value::Null)];
        assert_eq!(batch, Line::Batch(expected));
    }
}
