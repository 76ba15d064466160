//! What a hook prints: cleaned here, where it leaves, whatever it was put together from.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::text::redact::redact_tokens;
use crate::text::{CONTEXT_LIMIT, block, to_plain_json, without_runner_commands};

/// Longest text printed, in characters; what reaches a model is bounded where it is made.
const LONGEST: usize = 100_000;

/// A verdict of the gate on a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The tool must not run.
    Deny,
    /// The user is asked.
    Ask,
}

/// A verdict with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The event it answers.
    pub event: &'static str,
    /// The verdict.
    pub decision: Decision,
    /// Why.
    pub reason: String,
}

/// An answer; an empty one prints nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// Shown to the user.
    pub system_message: Option<String>,
    /// Told to the model, with the event it answers.
    pub context: Option<(&'static str, String)>,
    /// Files to watch from now on; only a start's answer may ask for that.
    pub watch_paths: Vec<String>,
    /// The gate's verdict on a tool.
    pub verdict: Option<Verdict>,
    /// Keeps a turn from stopping, with the reason.
    pub block: Option<String>,
}

impl Response {
    /// Returns the JSON line to print, or nothing.
    pub fn render(&self) -> Option<String> {
        let mut answer = Map::new();
        if let Some(message) = &self.system_message {
            answer.insert("systemMessage".to_owned(), clean(&cut(message)));
        }
        if let Some(reason) = &self.block {
            answer.insert("decision".to_owned(), json!("block"));
            answer.insert("reason".to_owned(), clean(reason));
        }
        if let Some((event, context)) = &self.context {
            let mut specific =
                json!({"hookEventName": event, "additionalContext": clean(&cut(context))});
            if let Some(specific) = specific.as_object_mut()
                && !self.watch_paths.is_empty()
            {
                specific.insert("watchPaths".to_owned(), json!(self.watch_paths));
            }
            answer.insert("hookSpecificOutput".to_owned(), specific);
        }
        if let Some(verdict) = &self.verdict {
            let word = match verdict.decision {
                Decision::Deny => "deny",
                Decision::Ask => "ask",
            };
            let specific = json!({
                "hookEventName": verdict.event,
                "permissionDecision": word,
                "permissionDecisionReason": clean(&verdict.reason),
            });
            answer.insert("hookSpecificOutput".to_owned(), specific);
        }
        if answer.is_empty() {
            return None;
        }
        let mut line = Vec::with_capacity(256);
        to_plain_json(&mut line, &answer).ok()?;
        String::from_utf8(line).ok()
    }
}

fn clean(text: &str) -> Value {
    let clean = block(text, LONGEST);
    let clean = redact_tokens(&clean);
    Value::String(without_runner_commands(&clean).into_owned())
}

/// Cuts what is too long for the client, and says so.
fn cut(text: &str) -> Cow<'_, str> {
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
        assert_eq!(Response::default().render(), None);
    }

    #[test]
    fn files_to_watch_stand_beside_the_context() {
        let response = Response {
            context: Some(("SessionStart", "told".to_owned())),
            watch_paths: vec!["/r/STATE.md".to_owned()],
            ..Response::default()
        };
        assert_eq!(
            response.render().unwrap(),
            r#"{"hookSpecificOutput":{"hookEventName":"SessionStart","additionalContext":"told","watchPaths":["/r/STATE.md"]}}"#
        );
    }

    #[test]
    fn no_line_of_an_answer_is_a_command_of_a_runner() {
        let text = || "told\n::error::x\n##[error]y".to_owned();
        let response = Response {
            system_message: Some(text()),
            context: Some(("Stop", text())),
            block: Some(text()),
            ..Response::default()
        };
        let line = response.render().unwrap();
        assert!(!line.contains("##[") && !line.contains("\\n::"), "{line}");
        assert_eq!(line.matches("\\n: :error").count(), 3, "{line}");
    }

    #[test]
    fn a_denial_has_the_clients_shape() {
        let response = Response {
            verdict: Some(Verdict {
                event: "PreToolUse",
                decision: Decision::Deny,
                reason: "why".to_owned(),
            }),
            ..Response::default()
        };
        assert_eq!(
            response.render().unwrap(),
            r#"{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"why"}}"#
        );
    }
}
