//! Renders what a hook prints. All text is cleaned here, wherever it came from.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::TerminalAlert;
use crate::text::redact::redact_tokens;
use crate::text::{CONTEXT_LIMIT, clean_block, without_runner_commands, write_plain_json};

/// Longest text printed, in characters. Text for the agent has its own limit where it is built.
const MAX_TEXT_CHARS: usize = 100_000;

/// The hand-off guard's decision on a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolDecision {
    /// The tool must not run.
    Deny,
    /// The user is asked.
    Ask,
}

/// The guard's decision with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolVerdict {
    /// The event it answers.
    pub event: &'static str,
    /// The decision.
    pub decision: ToolDecision,
    /// The reason, shown to the user.
    pub reason: String,
}

/// A hook's answer; an empty one prints nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookResponse {
    /// Shown to the user.
    pub system_message: Option<String>,
    /// Text for the agent, with the event it answers.
    pub context: Option<(&'static str, String)>,
    /// Files to watch from now on. The client accepts them only in the answer to a session start.
    pub watch_paths: Vec<String>,
    /// The guard's verdict on a tool.
    pub verdict: Option<ToolVerdict>,
    /// The reason to keep the turn from stopping.
    pub block: Option<String>,
    /// What the terminal shows, for whoever does not look at the session.
    pub alert: Option<TerminalAlert>,
}

impl HookResponse {
    /// Renders the JSON line to print; `None` if there is nothing to say.
    pub fn render(&self) -> Option<String> {
        let mut answer = Map::new();
        if let Some(message) = &self.system_message {
            answer.insert("systemMessage".to_owned(), clean_text(&truncate_context(message)));
        }
        if let Some(reason) = &self.block {
            answer.insert("decision".to_owned(), json!("block"));
            answer.insert("reason".to_owned(), clean_text(reason));
        }
        if let Some((event, context)) = &self.context {
            let mut specific = json!({"hookEventName": event, "additionalContext": clean_text(&truncate_context(context))});
            if let Some(specific) = specific.as_object_mut()
                && !self.watch_paths.is_empty()
            {
                specific.insert("watchPaths".to_owned(), json!(self.watch_paths));
            }
            answer.insert("hookSpecificOutput".to_owned(), specific);
        }
        if let Some(verdict) = &self.verdict {
            let word = match verdict.decision {
                ToolDecision::Deny => "deny",
                ToolDecision::Ask => "ask",
            };
            let specific = json!({
                "hookEventName": verdict.event,
                "permissionDecision": word,
                "permissionDecisionReason": clean_text(&verdict.reason),
            });
            answer.insert("hookSpecificOutput".to_owned(), specific);
        }
        if let Some(alert) = &self.alert {
            answer.insert("terminalSequence".to_owned(), json!(alert.render()));
        }
        if answer.is_empty() {
            return None;
        }
        let mut line = Vec::with_capacity(256);
        write_plain_json(&mut line, &answer).ok()?;
        String::from_utf8(line).ok()
    }
}

fn clean_text(text: &str) -> Value {
    let clean = clean_block(text, MAX_TEXT_CHARS);
    let clean = redact_tokens(&clean);
    Value::String(without_runner_commands(&clean).into_owned())
}

/// Truncates text that is too long for the client, with a notice.
fn truncate_context(text: &str) -> Cow<'_, str> {
    let Some((end, _)) = text.char_indices().nth(CONTEXT_LIMIT) else {
        return Cow::Borrowed(text);
    };
    let notice = "\n(the rest is omitted)";
    let kept = text.get(..end).unwrap_or_default();
    let kept = kept.char_indices().rev().nth(notice.len() - 1);
    let kept = kept.and_then(|(at, _)| text.get(..at)).unwrap_or_default();
    Cow::Owned(format!("{kept}{notice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_prints_nothing() {
        assert_eq!(HookResponse::default().render(), None);
    }

    #[test]
    fn files_to_watch_stand_beside_the_context() {
        let response = HookResponse {
            context: Some(("SessionStart", "told".to_owned())),
            watch_paths: vec!["/r/STATE.md".to_owned()],
            ..HookResponse::default()
        };
        assert_eq!(
            response.render().unwrap(),
            r#"{"hookSpecificOutput":{"hookEventName":"SessionStart","additionalContext":"told","watchPaths":["/r/STATE.md"]}}"#
        );
    }

    #[test]
    fn no_line_of_an_answer_is_a_command_of_a_runner() {
        let text = || "told\n::error::x\n##[error]y".to_owned();
        let response = HookResponse {
            system_message: Some(text()),
            context: Some(("Stop", text())),
            block: Some(text()),
            ..HookResponse::default()
        };
        let line = response.render().unwrap();
        assert!(!line.contains("##[") && !line.contains("\\n::"), "{line}");
        assert_eq!(line.matches("\\n: :error").count(), 3, "{line}");
    }

    #[test]
    fn a_denial_has_the_clients_shape() {
        let response = HookResponse {
            verdict: Some(ToolVerdict {
                event: "PreToolUse",
                decision: ToolDecision::Deny,
                reason: "why".to_owned(),
            }),
            ..HookResponse::default()
        };
        assert_eq!(
            response.render().unwrap(),
            r#"{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"why"}}"#
        );
    }
}
