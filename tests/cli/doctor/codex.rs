//! The check of the hooks that are registered with Codex.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use support::client::{find_binary, repository_root};
use support::home::Home;

use super::check;
use crate::fixture::started;

/// Writes Codex's `hooks.json`.
fn register(home: &Home, text: &str) -> PathBuf {
    let path = home.user_home().join(".codex/hooks.json");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

/// The hooks as the installer registers them.
fn registered_hooks() -> String {
    let template = repository_root().join("install/codex/hooks.json");
    let binaries = find_binary("checkpoint-push").unwrap();
    let binaries = binaries.parent().unwrap().to_string_lossy().into_owned();
    fs::read_to_string(template).unwrap().replace("${BIN}", &binaries)
}

#[track_caller]
fn assert_check(home: &Home, status: &str, words: &str) {
    let run = home.prepare_run("trueup").args(["--json", "doctor"]);
    let json: Value = run.env("PATH", "/nowhere").wait().json();
    let found = check(&json["data"], "codex");
    assert_eq!(found["status"], status, "{found}");
    assert!(found["detail"].as_str().unwrap().contains(words), "{found}");
}

#[test]
fn hooks_are_missing_altered_or_not_trusted_yet() {
    let home = started();
    assert_check(&home, "skip", "Codex was not found");
    let path = register(&home, r#"{"hooks": {"Stop": [{"hooks": [{"command": "mine"}]}]}}"#);
    assert_check(&home, "warn", "runs no hooks of trueup");
    register(&home, &registered_hooks());
    assert_check(&home, "warn", "11 of 11 hooks wait for you to trust them");
    let hooks = registered_hooks();
    for (from, to, words) in [
        ("Bash|spawn_agent", "Never", "the hooks of PreToolUse in"),
        ("\"SubagentStop\"", "\"Other\"", "the hooks of SubagentStop in"),
        ("/session-start-sync", "/gone/session-start-sync", "is missing, which the hooks in"),
        ("{", "", "cannot be read"),
    ] {
        register(&home, &hooks.replacen(from, to, 1));
        assert_check(&home, "fail", words);
    }
    register(&home, &hooks);
    let json: Value = serde_json::from_str(&hooks).unwrap();
    let mut config = String::new();
    for (event, key) in [
        ("SessionStart", "session_start"),
        ("UserPromptSubmit", "user_prompt_submit"),
        ("PreToolUse", "pre_tool_use"),
        ("PostToolUse", "post_tool_use"),
        ("PermissionRequest", "permission_request"),
        ("PreCompact", "pre_compact"),
        ("SubagentStop", "subagent_stop"),
        ("Stop", "stop"),
        ("Interrupt", "interrupt"),
        ("SessionEnd", "session_end"),
    ] {
        let handlers = json["hooks"][event][0]["hooks"].as_array().unwrap().len();
        for at in 0..handlers {
            let place = format!("{}:{key}:0:{at}", path.display());
            config.extend([
                r#"[hooks.state.""#,
                place.as_str(),
                "\"]\ntrusted_hash = \"sha256:0\"\n",
            ]);
        }
    }
    fs::write(home.user_home().join(".codex/config.toml"), config).unwrap();
    assert_check(&home, "ok", "hooks registered in");
}
