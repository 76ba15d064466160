//! Requests to the model, parsed for assertions.

use serde_json::Value;

use super::RequestKind;

/// The body of one request to the model.
#[derive(Clone, Debug)]
pub struct Request {
    body: Value,
}

/// The result of a tool call, as the model read it.
#[derive(Clone, Debug)]
pub struct ToolResult {
    /// The text of the result.
    pub text: String,
    /// Whether the client marked it as an error.
    pub is_error: bool,
}

impl Request {
    pub(super) fn new(body: Value) -> Self {
        Self { body }
    }

    /// Returns the purpose of the request.
    pub fn kind(&self) -> RequestKind {
        if self.asks_for_summary() {
            RequestKind::Compaction
        } else if as_list(&self.body["tools"]).is_empty() {
            RequestKind::Side
        } else {
            RequestKind::Conversation
        }
    }

    fn asks_for_summary(&self) -> bool {
        let last =
            as_list(&self.body["messages"]).iter().rfind(|message| message["role"] == "user");
        let text = last.map(|message| collect_texts(&message["content"]).join("\n").to_lowercase());
        text.is_some_and(|text| {
            text.contains("detailed summary of") && text.contains("conversation")
        })
    }

    /// Returns the texts of all messages, without tool calls and their results.
    pub fn texts(&self) -> Vec<String> {
        as_list(&self.body["messages"])
            .iter()
            .flat_map(|one| collect_texts(&one["content"]))
            .collect()
    }

    /// Returns the texts that hooks of `event` put before the model.
    pub fn hook_context(&self, event: &str) -> Vec<String> {
        let marks = [format!("{event} hook "), format!("{event}:")];
        let told = |text: &String| marks.iter().any(|mark| text.contains(mark.as_str()));
        self.texts().into_iter().filter(told).collect()
    }

    /// Returns the result of the latest tool call whose input contains `fragment`.
    pub fn tool_result_of(&self, fragment: &str) -> Option<ToolResult> {
        let blocks: Vec<&Value> = as_list(&self.body["messages"])
            .iter()
            .flat_map(|one| as_list(&one["content"]))
            .collect();
        let call = blocks.iter().rfind(|block| {
            block["type"] == "tool_use" && block["input"].to_string().contains(fragment)
        })?;
        let result = blocks
            .iter()
            .rfind(|block| block["type"] == "tool_result" && block["tool_use_id"] == call["id"])?;
        Some(ToolResult {
            text: collect_texts(&result["content"]).join("\n"),
            is_error: result["is_error"] == true,
        })
    }
}

fn as_list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn collect_texts(content: &Value) -> Vec<String> {
    if let Some(text) = content.as_str() {
        return vec![text.to_owned()];
    }
    let texts = as_list(content).iter().filter(|block| block["type"] == "text");
    texts.filter_map(|block| block["text"].as_str()).map(str::to_owned).collect()
}
