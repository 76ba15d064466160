//! Payloads that no hook handles, and invalid ones.

use std::fs;

use support::home::{Home, Payload};

const BINARIES: [&str; 3] = ["session-start-sync", "checkpoint-push", "pre-handoff-validate"];

/// Asserts that neither trueup's directory nor the project was touched.
#[track_caller]
fn assert_untouched(home: &Home) {
    assert_eq!(fs::read_dir(home.trueup_home()).unwrap().count(), 0, "TRUEUP_HOME was touched");
    assert_eq!(home.claude_names(), [""; 0]);
}

#[test]
fn an_event_that_no_binary_handles_is_silent_and_touches_nothing() {
    let home = Home::new();
    let fixtures = Payload::list_fixtures("unhandled.");
    assert!(fixtures.len() >= 7, "{fixtures:?}");
    for fixture in fixtures {
        for binary in BINARIES {
            home.run_hook(binary, &home.payload(&fixture)).assert_silent();
        }
    }
    assert_untouched(&home);
}

#[test]
fn an_event_of_another_binary_is_silent_and_touches_nothing() {
    let home = Home::new();
    let sync = [
        "post-tool-use.",
        "pre-tool-use.",
        "stop",
        "subagent-stop",
        "task-",
        "session-end",
        "file-changed",
        "notification",
    ];
    let push = ["session-start.", "user-prompt-submit", "pre-tool-use."];
    let guard = [
        "session-start.",
        "user-prompt-submit",
        "post-tool-use.",
        "pre-compact.",
        "task-",
        "file-changed",
        "notification",
    ];
    for (binary, events) in BINARIES.iter().zip([&sync[..], &push[..], &guard[..]]) {
        for fixture in events.iter().flat_map(|event| Payload::list_fixtures(event)) {
            home.run_hook(binary, &home.payload(&fixture)).assert_silent();
        }
    }
    assert_untouched(&home);
}

#[test]
fn fields_and_values_of_a_newer_client_are_ignored() {
    let home = Home::new();
    let payload = home
        .payload("session-start.startup")
        .with("source", "teleport")
        .with("new_field", serde_json::json!({"deep": [1, {"x": null}], "big": 1e300}))
        .with("tool_input", serde_json::json!(["not", "an", "object"]))
        .with("tool_response", "text");
    let answer = home.run_hook("session-start-sync", &payload).ok();
    assert!(answer.context().contains("item: none"));
}

#[test]
fn garbage_on_stdin_is_one_line_exit_0_and_touches_nothing() {
    let home = Home::new();
    let payload = home.payload("session-start.startup").to_bytes();
    let cases: [(&str, Vec<u8>); 9] = [
        ("empty", Vec::new()),
        ("blank", b" \n\n".to_vec()),
        ("truncated", payload[..payload.len() / 2].to_vec()),
        ("no JSON", b"hello there".to_vec()),
        ("an array", b"[1, 2]".to_vec()),
        ("null", b"null".to_vec()),
        ("binary", vec![0xff, 0x00, 0xfe, 0x80]),
        ("two objects", [payload.clone(), payload].concat()),
        ("an escape", b"\x1b[2J{".to_vec()),
    ];
    for (name, bytes) in cases {
        for binary in BINARIES {
            let line = home.prepare_run(binary).stdin(bytes.clone()).wait().single_line();
            assert!(line.starts_with(&format!("trueup: {binary}: stdin")), "{name}: {line}");
            assert!(!line.contains('\u{1b}'), "{name}: {line}");
        }
    }
    assert_untouched(&home);
}

#[test]
fn an_invalid_session_id_is_one_line_exit_0_and_touches_nothing() {
    let home = Home::new();
    let long = "s".repeat(10_000);
    for id in ["", "../../etc/passwd", "a/b", "..", ".hidden", "-rf", "a b", "a\nb", "é", &long] {
        for (binary, fixture) in BINARIES.iter().zip(["session-start.startup", "stop", "stop"]) {
            let payload = home.payload(fixture).for_session(id);
            let line = home.run_hook(binary, &payload).single_line();
            assert!(line.contains("stdin has no valid session: session id"), "{line}");
            assert!(line.len() < 300, "{line}");
        }
    }
    let missing = home.payload("session-start.startup").with("session_id", ());
    home.run_hook("session-start-sync", &missing).single_line();
    assert_untouched(&home);
}

#[test]
fn a_working_directory_that_is_gone_stops_nothing_and_is_not_made_again() {
    let home = Home::new().with_held_item();
    for gone in [home.root().join("gone/place"), home.project_dir().join("gone/too")] {
        for variable in ["CLAUDE_PROJECT_DIR", "UNUSED"] {
            let cwd = gone.to_string_lossy().into_owned();
            for (binary, fixture) in [
                ("session-start-sync", "session-start.resume"),
                ("session-start-sync", "user-prompt-submit"),
                ("checkpoint-push", "post-tool-use.todo-write"),
                ("pre-handoff-validate", "pre-tool-use.agent"),
            ] {
                let payload = home.payload(fixture).with("cwd", cwd.as_str());
                let run = home.prepare_run(binary).payload(&payload).env(variable, &gone);
                run.wait().ok();
                assert!(!gone.parent().unwrap().exists(), "{fixture} {variable}");
            }
        }
    }
    assert_eq!(home.execution_state()["currentTask"], "write the test");
}
