//! The plugin's own files.

use std::fs;

use serde_json::{Value, json};
use support::client::repository_root;

use crate::files::{handlers, json};

#[test]
fn the_manifest_is_one_file_with_the_workspace_version() {
    let link = fs::read_link(repository_root().join("plugin.json")).unwrap();
    assert_eq!(link.to_str(), Some(".claude-plugin/plugin.json"));
    let plugin = json("plugin.json");
    assert_eq!(plugin["name"], "trueup");
    assert_eq!(plugin["version"], env!("CARGO_PKG_VERSION"));
    for key in ["description", "author", "license", "keywords"] {
        assert!(plugin.get(key).is_some(), "{key}");
    }
    let market = json(".claude-plugin/marketplace.json");
    assert_eq!(market["name"], "trueup");
    assert_eq!(market["plugins"][0]["source"], "./");
}

#[test]
fn every_handler_is_in_exec_form_and_short() {
    let found = handlers();
    assert!(found.len() > 10);
    for (event, _, handler) in found {
        let command = handler["command"].as_str().unwrap();
        let name = command.strip_prefix("${CLAUDE_PLUGIN_ROOT}/bin/").unwrap();
        let known = ["session-start-sync", "checkpoint-push", "pre-handoff-validate"];
        assert!(known.contains(&name), "{event}: {command}");
        assert!(handler["args"].is_array(), "{event}: without args the client starts a shell");
        assert!(handler["timeout"].as_u64().is_some_and(|s| (1..=60).contains(&s)), "{event}");
    }
}

#[test]
fn a_missing_binary_can_never_lock_a_user_out() {
    for (event, matcher, handler) in handlers() {
        if handler.get("onFailure").and_then(Value::as_str) == Some("block") {
            let rule = handler["if"].as_str().unwrap_or_default();
            assert_eq!((event.as_str(), matcher.as_str()), ("PreToolUse", "Bash"), "{rule}");
            assert!(rule.contains("handoff"), "{event}: {rule}");
        }
        let is_guard = handler["command"].as_str().unwrap().ends_with("pre-handoff-validate");
        // The hook for each Bash call runs in the background (docs/adr/0007).
        if is_guard && event == "PreToolUse" && matcher == "Bash" {
            let spans = handler["args"] == json!(["--span"]);
            assert_eq!(handler.get("if").is_none(), spans, "each call would pay");
            assert_eq!(handler["async"] == true, spans, "a verdict is waited for");
        } else {
            assert_eq!(handler["args"], json!([]), "{event}");
        }
    }
}

#[test]
fn the_events_are_those_the_binaries_handle() {
    let expected = |name: &str| -> &[&str] {
        match name {
            "session-start-sync" => &["SessionStart", "UserPromptSubmit"],
            "checkpoint-push" => &[
                "PostToolUse",
                "TaskCreated",
                "TaskCompleted",
                "FileChanged",
                "Notification",
                "PreCompact",
                "Stop",
                "SubagentStop",
                "SessionEnd",
            ],
            _ => &["PreToolUse", "Stop"],
        }
    };
    let found = handlers();
    for name in ["session-start-sync", "checkpoint-push", "pre-handoff-validate"] {
        let mut events: Vec<_> = found
            .iter()
            .filter(|(_, _, handler)| handler["command"].as_str().unwrap().ends_with(name))
            .map(|(event, _, _)| event.as_str())
            .collect();
        events.sort_unstable();
        events.dedup();
        let mut wanted = expected(name).to_vec();
        wanted.sort_unstable();
        assert_eq!(events, wanted, "{name}");
    }
    for (event, matcher, handler) in found {
        if event == "PostToolUse" {
            // A task tool's event comes once, and asynchronous hooks are killed when a run ends
            // (docs/adr/0005); everything else is seen again at Stop.
            let said_once = matcher.contains("TodoWrite");
            assert_eq!(handler["async"] == true, !said_once, "{matcher}");
            assert!(!matcher.is_empty(), "each tool call would pay for it");
        } else if event == "Notification" {
            assert_eq!(handler["async"], true, "nobody waits for a report to a person");
        } else if handler["args"] != json!(["--span"]) {
            assert!(handler.get("async").is_none(), "{event} has to be finished");
        }
        if event == "SessionStart" {
            assert!(matcher.is_empty(), "all five sources");
        }
    }
}

/// Most words that all skills together may have.
const MOST_WORDS: usize = 1_150;

#[test]
fn the_skills_say_when_to_use_them_and_are_short() {
    let mut words = 0;
    for skill in ["claim", "handoff", "state", "workplans"] {
        let path = repository_root().join("skills").join(skill).join("SKILL.md");
        let text = fs::read_to_string(&path).unwrap();
        let head = text.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap().0;
        assert!(head.contains(&format!("name: {skill}")), "{head}");
        let description = head.split_once("description: ").unwrap().1;
        assert!(description.contains("Use "), "{skill}: say when");
        words += text.split_whitespace().count();
    }
    assert!(words < MOST_WORDS, "{words}");
    let skills = fs::read_dir(repository_root().join("skills")).unwrap();
    assert_eq!(skills.count(), 4, "each skill is counted above");
}
