//! What the server says of itself: versions of the protocol, capabilities, instructions, tools.

use serde_json::{Map, Value, json};

use super::message::RequestError;
use super::tool::Tool;
use super::tools::TOOLS;

/// Versions of the protocol whose connections begin with `initialize`, newest first.
const VERSIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// The version without a beginning: each request names it.
const STATELESS_VERSION: &str = "2026-07-28";

/// The version that a request names, where connections have no beginning.
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";

/// The client that a request names, where connections have no beginning.
const CLIENT_KEY: &str = "io.modelcontextprotocol/clientInfo";

/// What an agent is told about all tools.
const INSTRUCTIONS: &str = "trueup keeps in one database who works on what. Claim an item before \
    you work on it (`next` with claim, or `claim`), call `checkpoint` when phase or task changes, \
    and end with `release` or `handoff`. Answers may name commands such as `trueup claim SD-1`: \
    the tool of that name does the same.";

/// A client, as it names itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientInfo {
    pub(super) name: String,
    pub(super) version: Option<String>,
}

impl ClientInfo {
    fn from_value(value: &Value) -> Option<Self> {
        let name = value["name"].as_str()?.to_owned();
        Some(Self { name, version: value["version"].as_str().map(str::to_owned) })
    }

    /// Reads who makes a request.
    pub(super) fn from_params(params: &Map<String, Value>) -> Option<Self> {
        let meta = params.get("_meta").and_then(|meta| meta.get(CLIENT_KEY));
        params.get("clientInfo").or(meta).and_then(Self::from_value)
    }
}

/// How a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// As since the first version.
    Connected,
    /// As where each request stands alone: the answer says that it is complete.
    Stateless,
}

impl Dialect {
    /// Reads how a request is to be answered.
    ///
    /// # Errors
    ///
    /// When it names a version that is not supported.
    pub(super) fn from_params(params: &Map<String, Value>) -> Result<Self, RequestError> {
        let version = params.get("_meta").and_then(|meta| meta.get(VERSION_KEY));
        match version.and_then(Value::as_str) {
            None => Ok(Self::Connected),
            Some(version) if version == STATELESS_VERSION => Ok(Self::Stateless),
            Some(version) if VERSIONS.contains(&version) => Ok(Self::Connected),
            Some(version) => Err(RequestError::unsupported_version(version, &list_versions())),
        }
    }

    /// Adds to a result what the dialect asks for.
    pub(super) fn complete(self, mut result: Value) -> Value {
        if self == Self::Stateless {
            result["resultType"] = json!("complete");
        }
        result
    }

    /// Adds to a result also how long it may be kept: the tools are always the same.
    fn complete_lasting(self, mut result: Value) -> Value {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        if self == Self::Stateless {
            result["ttlMs"] = json!(DAY_MS);
            result["cacheScope"] = json!("private");
        }
        self.complete(result)
    }
}

fn list_versions() -> Vec<&'static str> {
    std::iter::once(STATELESS_VERSION).chain(VERSIONS).collect()
}

/// Answers `initialize`: the version that the client asks for, else the newest.
pub(super) fn describe_connection(params: &Map<String, Value>) -> Value {
    let asked = params.get("protocolVersion").and_then(Value::as_str);
    let [newest, ..] = VERSIONS;
    let version = VERSIONS.into_iter().find(|known| Some(*known) == asked).unwrap_or(newest);
    let mut result = describe_server();
    result["protocolVersion"] = json!(version);
    result
}

/// Answers `server/discover`.
pub(super) fn describe_versions(dialect: Dialect) -> Value {
    let mut result = describe_server();
    result["supportedVersions"] = json!(list_versions());
    dialect.complete_lasting(result)
}

fn describe_server() -> Value {
    json!({
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "trueup", "version": env!("CARGO_PKG_VERSION")},
        "instructions": INSTRUCTIONS,
    })
}

/// Answers `tools/list`.
pub(super) fn describe_tools(dialect: Dialect) -> Value {
    let tools: Vec<Value> = TOOLS.iter().map(Tool::to_description).collect();
    dialect.complete_lasting(json!({"tools": tools}))
}

/// Builds the result of a call. An error of the tool is a result, which the model reads and acts
/// upon; an error of the protocol is one of the client.
pub(super) fn build_call_result(text: &str, is_error: bool) -> Value {
    json!({"content": [{"type": "text", "text": text}], "isError": is_error})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn the_version_that_the_client_asks_for_is_spoken_if_it_is_known() {
        for (asked, spoken) in [
            (json!({"protocolVersion": "2024-11-05"}), "2024-11-05"),
            (json!({"protocolVersion": "2025-06-18"}), "2025-06-18"),
            (json!({"protocolVersion": "2026-07-28"}), "2025-11-25"),
            (json!({"protocolVersion": "1999-01-01"}), "2025-11-25"),
            (json!({"protocolVersion": 7}), "2025-11-25"),
            (json!({}), "2025-11-25"),
        ] {
            assert_eq!(describe_connection(&params(&asked))["protocolVersion"], spoken, "{asked}");
        }
    }

    #[test]
    fn a_request_that_stands_alone_gets_a_complete_result() {
        let meta = |version: &str| params(&json!({"_meta": {VERSION_KEY: version}}));
        assert_eq!(Dialect::from_params(&meta("2026-07-28")).unwrap(), Dialect::Stateless);
        assert_eq!(Dialect::from_params(&meta("2025-11-25")).unwrap(), Dialect::Connected);
        assert!(Dialect::from_params(&meta("2031-01-01")).is_err());
        let list = describe_tools(Dialect::Stateless);
        assert_eq!(list["resultType"], "complete");
        assert_eq!(list["cacheScope"], "private");
        assert_eq!(describe_tools(Dialect::Connected).get("resultType"), None);
    }

    #[test]
    fn a_client_names_itself_at_the_beginning_or_in_each_request() {
        let cursor = ClientInfo { name: "cursor".to_owned(), version: Some("1.2".to_owned()) };
        let info = json!({"name": "cursor", "version": "1.2"});
        for (given, expected) in [
            (json!({"clientInfo": info}), Some(&cursor)),
            (json!({"_meta": {CLIENT_KEY: info}}), Some(&cursor)),
            (json!({"clientInfo": {"version": "1"}}), None),
            (json!({"clientInfo": "cursor"}), None),
            (json!({}), None),
        ] {
            assert_eq!(ClientInfo::from_params(&params(&given)).as_ref(), expected, "{given}");
        }
    }
}
