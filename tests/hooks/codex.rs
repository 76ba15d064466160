//! Sessions of Codex: its recorded payloads in, exact output out, and no key that it refuses.

use std::fs;

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, Payload, ProcessOutput, SECOND_SESSION};

const BINARIES: [&str; 3] = ["session-start-sync", "checkpoint-push", "pre-handoff-validate"];

/// What an answer to an event may have, and its `hookSpecificOutput` beside the event's name. Of what
/// the schemas in Codex 0.171.0 name, only what it acts on.
const ANSWERS: [(&str, &[&str], &[&str]); 11] = [
    ("SessionStart", &["systemMessage", "hookSpecificOutput"], &["additionalContext"]),
    ("UserPromptSubmit", &["systemMessage", "hookSpecificOutput"], &["additionalContext"]),
    (
        "PreToolUse",
        &["systemMessage", "hookSpecificOutput"],
        &["permissionDecision", "permissionDecisionReason"],
    ),
    ("PostToolUse", &["systemMessage", "hookSpecificOutput"], &["additionalContext"]),
    ("PermissionRequest", &["systemMessage"], &[]),
    ("PreCompact", &["systemMessage"], &[]),
    ("SubagentStart", &[], &[]),
    ("SubagentStop", &["systemMessage"], &[]),
    ("Stop", &["systemMessage", "decision", "reason"], &[]),
    ("Interrupt", &["systemMessage"], &[]),
    ("SessionEnd", &[], &[]),
];

fn codex(home: &Home, fixture: &str) -> Payload {
    home.payload(&format!("codex.{fixture}"))
}

/// Asserts that Codex would take an answer to this event.
#[track_caller]
fn assert_accepted(event: &str, answer: &ProcessOutput) {
    if answer.stdout.is_empty() {
        return;
    }
    let (_, keys, specific_keys) =
        ANSWERS.iter().find(|(name, ..)| *name == event).unwrap_or_else(|| panic!("{event}"));
    let json = answer.json();
    for key in json.as_object().unwrap().keys() {
        assert!(keys.contains(&key.as_str()), "{event}: {key} is refused: {json}");
    }
    let Some(specific) = json.get("hookSpecificOutput") else { return };
    assert_eq!(specific["hookEventName"], event);
    for key in specific.as_object().unwrap().keys().filter(|key| *key != "hookEventName") {
        assert!(specific_keys.contains(&key.as_str()), "{event}: {key} is refused: {json}");
    }
    assert!(matches!(specific["permissionDecision"].as_str(), None | Some("deny")), "{json}");
    assert_eq!(json.get("decision").is_some(), json.get("reason").is_some(), "{json}");
}

/// Runs a hook on a fixture of Codex, and checks the answer's keys.
#[track_caller]
fn run(home: &Home, binary: &str, fixture: &str) -> ProcessOutput {
    let payload = codex(home, fixture);
    let event: Value = serde_json::from_slice(&payload.to_bytes()).unwrap();
    let answer = home.run_hook(binary, &payload);
    assert_accepted(event["hook_event_name"].as_str().unwrap(), &answer);
    answer
}

/// A session of Codex that holds `SD-002C` and works on it.
fn with_held_item() -> Home {
    let home = Home::new();
    run(&home, "session-start-sync", "session-start.startup").ok();
    home.prepare_run("trueup").args(["item", "add", "SD-002C"]).wait().ok();
    let claim = home.prepare_run("trueup").args(["claim", "SD-002C"]);
    claim.env("CODEX_SESSION_ID", FIRST_SESSION).wait().ok();
    home
}

fn metadata(home: &Home, session: &str) -> Value {
    let text: String = home.session_column("metadata", session);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_start_trues_up_and_briefs_the_agent() {
    let home = Home::new();
    let answer = run(&home, "session-start-sync", "session-start.startup").ok();
    let of_claude_code = Home::new();
    let expected = of_claude_code.start_session().normalized(&of_claude_code.root());
    assert_eq!(answer.normalized(&home.root()), expected);
    assert!(answer.context().contains("item: none"), "{answer:?}");
    assert_eq!(home.read_cache()["sessionId"], FIRST_SESSION);
    assert_eq!(metadata(&home, FIRST_SESSION)["agent"], "codex");
}

#[test]
fn a_session_of_claude_code_has_no_label() {
    let home = Home::new();
    home.start_session().ok();
    assert_eq!(metadata(&home, FIRST_SESSION).get("agent"), None);
}

#[test]
fn every_recorded_payload_gets_an_answer_that_codex_takes() {
    let home = with_held_item();
    let fixtures = Payload::list_fixtures("codex.");
    assert!(fixtures.len() >= 20, "{fixtures:?}");
    home.edit_cache("currentSd", "SD-999");
    for fixture in fixtures {
        for binary in BINARIES {
            let answer = run(&home, binary, fixture.trim_start_matches("codex."));
            assert!(matches!(answer.code, Some(0 | 2)), "{fixture}: {answer:?}");
        }
    }
}

#[test]
fn what_no_hook_of_trueup_handles_is_silent() {
    let home = Home::new();
    for fixture in ["post-compact", "subagent-start", "user-prompt-submit.of-subagent"] {
        for binary in BINARIES {
            run(&home, binary, fixture).assert_silent();
        }
    }
    assert_eq!(fs::read_dir(home.trueup_home()).unwrap().count(), 0);
}

#[test]
fn the_end_of_a_session_is_recorded_and_not_answered() {
    for fixture in ["session-end", "session-end.ephemeral"] {
        let home = with_held_item();
        // What other events would tell the user.
        home.edit_cache("currentSd", "SD-999");
        let answer = run(&home, "checkpoint-push", fixture);
        assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), ""), "{answer:?}");
        assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "ended");
    }
}

#[test]
fn a_handoff_is_refused_while_copies_differ() {
    let home = with_held_item();
    home.execute_sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    let handoff =
        codex(&home, "pre-tool-use.bash").with_input("command", "trueup handoff create X");
    let answer = home.run_hook("pre-handoff-validate", &handoff);
    assert_eq!(answer.code, Some(2), "{answer:?}");
    assert_accepted("PreToolUse", &answer);
    let output = &answer.json()["hookSpecificOutput"];
    assert_eq!(output["permissionDecision"], "deny");
    // Codex tells its agent what is on stderr, so what is quoted from the database is fenced there.
    let reason = output["permissionDecisionReason"].as_str().unwrap();
    assert_eq!(answer.stderr.trim_end(), reason);
    assert!(reason.starts_with("<trueup-data ") && reason.contains("names SD-002B"), "{reason}");
    assert!(reason.ends_with("Run: git switch -c feat/SD-002C\nOr: trueup claim SD-002B"));
    let subagent = run(&home, "pre-handoff-validate", "pre-tool-use.spawn-agent");
    assert_eq!(subagent.code, Some(2), "{subagent:?}");
    let stop = run(&home, "pre-handoff-validate", "stop");
    assert_eq!((stop.code, &stop.json()["decision"]), (Some(2), &json!("block")));
    // A patch stands where a shell has its command, and is none.
    let patch = codex(&home, "pre-tool-use.apply-patch")
        .with_input("command", "*** Begin Patch\n*** Add File: a\n+trueup handoff create X\n");
    home.run_hook("pre-handoff-validate", &patch).assert_silent();
}

#[test]
fn where_claude_code_asks_the_user_codex_is_warned() {
    let home = with_held_item();
    let mut payload = codex(&home, "pre-tool-use.bash").to_bytes();
    payload.truncate(payload.len() - 20);
    let text = String::from_utf8(payload).unwrap().replace("echo hi", "trueup handoff create X");
    let guard = home.prepare_run("pre-handoff-validate").stdin(text.into_bytes());
    let answer = guard.env("CLAUDE_CODE_SESSION_ATTENDED", "1").wait();
    assert_eq!(answer.code, Some(0));
    assert_accepted("PreToolUse", &answer);
    assert!(answer.message().join("\n").contains("could not be checked"), "{answer:?}");
}

#[test]
fn a_stopped_turn_leaves_the_session_idle_and_a_permission_waits_for_a_person() {
    let home = with_held_item();
    run(&home, "checkpoint-push", "interrupt").assert_silent();
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "idle");
    run(&home, "checkpoint-push", "permission-request").assert_silent();
    let waiting = "SELECT count(*) FROM attention WHERE kind = 'waits_for_input'";
    assert_eq!(home.query_value::<i64>(waiting, []), 1);
    run(&home, "checkpoint-push", "post-tool-use.bash").assert_silent();
    assert_eq!(home.query_value::<i64>(&format!("{waiting} AND ended_at IS NULL"), []), 0);
}

#[test]
fn a_codex_started_by_claude_code_is_a_session_of_its_own() {
    let home = Home::new();
    home.start_session().ok();
    let start = codex(&home, "session-start.startup").for_session(SECOND_SESSION);
    let environment_file = home.root().join("environment");
    let run = home.prepare_run("session-start-sync").payload(&start);
    // What Claude Code sets for a command that it runs, or for a hook of its own.
    let run = run
        .env("CLAUDE_PID", "1")
        .env("CLAUDE_PROJECT_DIR", home.root())
        .env("CLAUDE_ENV_FILE", &environment_file);
    run.wait().ok();
    assert!(!environment_file.exists());
    let worktree: String = home.session_column("worktree", SECOND_SESSION);
    assert_eq!(worktree, home.project_dir().to_string_lossy());
    assert_ne!(home.session_column::<Option<i64>>("pid", SECOND_SESSION), Some(1));
}

#[test]
fn two_sessions_of_different_makers_never_hold_one_item() {
    let home = Home::new();
    home.start_session().ok();
    let start = codex(&home, "session-start.startup").for_session(SECOND_SESSION);
    home.run_hook("session-start-sync", &start).ok();
    home.add_item("A-1");
    let claim = |variable: &str, session: &str| {
        let run = home.prepare_run("trueup").args(["claim", "A-1"]);
        run.env(variable, session).wait().code
    };
    assert_eq!(claim("CODEX_SESSION_ID", SECOND_SESSION), Some(0));
    assert_eq!(claim("CLAUDE_CODE_SESSION_ID", FIRST_SESSION), Some(1));
    let holder: String = home.query_value("SELECT holder FROM work_items WHERE key = 'A-1'", []);
    assert_eq!(holder, SECOND_SESSION);
}
