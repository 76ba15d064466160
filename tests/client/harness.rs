//! Tests of the harness itself, with a plugin of shell scripts. If these fail, the others prove
//! nothing.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use support::client::{HarnessResult, RequestKind, RunningToolCall, Scratch, Turn};

fn runs(script: &str) -> Value {
    json!({"type": "command", "command": format!("${{CLAUDE_PLUGIN_ROOT}}/bin/{script}"), "args": []})
}

fn hooked(event: &str, script: &str) -> Value {
    json!({event: [{"hooks": [runs(script)]}]})
}

/// A script that answers `event` with a context.
fn telling(event: &str, context: &str) -> String {
    let output = json!({"hookEventName": event, "additionalContext": context});
    let answer = json!({"systemMessage": "to the user", "hookSpecificOutput": output});
    format!("cat >/dev/null; echo '{answer}'")
}

#[test]
fn a_session_context_reaches_the_first_request_and_survives_compaction() -> HarnessResult<()> {
    let script = telling("SessionStart", "holds X-1");
    let hooks = hooked("SessionStart", "tell");
    let Some(scratch) = Scratch::with_scripts(&hooks, &[("tell", &script)])? else {
        return Ok(());
    };

    let run = scratch.plan_run([Turn::say("hello")]).run_prompt("hi")?;
    assert_eq!(run.first_request()?.hook_context("SessionStart").len(), 1);
    assert_eq!(run.hooks("SessionStart:startup")[0].system_message(), "to the user");
    let session = run.session_id()?;

    let compacted = scratch.plan_run([]).resume(&session).run_prompt("/compact")?;
    assert_eq!(compacted.count(RequestKind::Compaction), 1);
    assert_eq!(compacted.hooks("SessionStart:compact")[0].context(), "holds X-1");

    let run = scratch.plan_run([]).resume(&session).run_prompt("again")?;
    assert_eq!(run.session_id()?, session);
    let context = run.first_request()?.hook_context("SessionStart");
    assert!(context.iter().any(|text| text.contains("holds X-1")), "{context:?}");

    let cleared = scratch.plan_run([]).resume(&session).run_prompt("/clear")?;
    let hooks = cleared.hooks("SessionStart:clear");
    assert_ne!(hooks[0].session_id, session);
    Ok(())
}

#[test]
fn a_refusal_stops_one_command_and_no_other() -> HarnessResult<()> {
    let mut guard = runs("refuse");
    guard["if"] = json!("Bash(*handoff*)");
    let hooks = json!({"PreToolUse": [{"matcher": "Bash", "hooks": [guard]}]});
    let scripts = [("refuse", "cat >/dev/null; echo NOT-NOW >&2; exit 2")];
    let Some(scratch) = Scratch::with_scripts(&hooks, &scripts)? else {
        return Ok(());
    };
    let turns = ["echo plain", "echo handoff"].map(Turn::bash);
    let request = scratch.plan_run(turns).run_prompt("go")?.last_request()?;
    let tool_result = request.tool_result_of("echo handoff").ok_or("no result")?;
    assert!(tool_result.is_error && tool_result.text.contains("NOT-NOW"), "{tool_result:?}");
    let passed = request.tool_result_of("echo plain").ok_or("no result")?;
    assert!(!passed.is_error && passed.text == "plain", "{passed:?}");
    Ok(())
}

#[test]
fn an_asynchronous_hook_before_a_tool_neither_holds_it_up_nor_refuses_it() -> HarnessResult<()> {
    let mut beside = runs("beside");
    beside["async"] = json!(true);
    let hooks = json!({"PreToolUse": [{"matcher": "Bash", "hooks": [beside]}]});
    // The hook waits until the tool has run, and then refuses.
    let deny = json!({"hookEventName": "PreToolUse", "permissionDecision": "deny"});
    let script = format!(
        "cat >/dev/null; read _ < ran; echo '{}'; exit 2",
        json!({"hookSpecificOutput": deny})
    );
    let Some(scratch) = Scratch::with_scripts(&hooks, &[("beside", &script)])? else {
        return Ok(());
    };
    let pipe = scratch.repo().join("ran");
    assert!(Command::new("mkfifo").arg(&pipe).status()?.success());
    let turns = ["echo > ran; echo first", "echo second"].map(Turn::bash);
    let request = scratch.plan_run(turns).run_prompt("go")?.last_request()?;
    let first = request.tool_result_of("echo first").ok_or("no result")?;
    assert!(!first.is_error && first.text == "first", "{first:?}");
    let second = request.tool_result_of("echo second").ok_or("no result")?;
    assert!(!second.is_error && second.text == "second", "{second:?}");
    Ok(())
}

#[test]
fn prompts_can_be_sent_one_by_one() -> HarnessResult<()> {
    let script = format!("[ -e quiet ] && exit 0; {}", telling("UserPromptSubmit", "now EXEC"));
    let hooks = hooked("UserPromptSubmit", "tell");
    let Some(scratch) = Scratch::with_scripts(&hooks, &[("tell", &script)])? else {
        return Ok(());
    };
    let quiet = scratch.repo().join("quiet");
    let context = |live: &support::client::LiveClient| {
        let last = live.conversation().pop();
        last.map_or(0, |request| request.hook_context("UserPromptSubmit").len())
    };
    fs::write(&quiet, "")?;
    let mut live = scratch.plan_run([]).open_session()?;
    live.send("first")?;
    assert_eq!(context(&live), 0);
    fs::remove_file(&quiet)?;
    live.send("second")?;
    assert_eq!(context(&live), 1);
    fs::write(&quiet, "")?;
    live.send("third")?;
    assert_eq!(context(&live), 1);
    live.finish().map(drop)
}

#[test]
fn a_killed_client_can_be_resumed() -> HarnessResult<()> {
    let hooks = hooked("SessionStart", "note");
    // The event's source goes into a file, by which the test sees the resume.
    let scripts = [("note", r#"grep -o '"source":"[a-z]*"' >> sources"#)];
    let Some(scratch) = Scratch::with_scripts(&hooks, &scripts)? else {
        return Ok(());
    };
    let session = scratch.plan_run([]).run_prompt("hi")?.session_id()?;
    RunningToolCall::begin(&scratch, &session)?.kill()?;
    let run = scratch.plan_run([]).resume(&session).run_prompt("go on")?;
    assert_eq!(run.session_id()?, session);
    let sources = fs::read_to_string(scratch.repo().join("sources"))?;
    assert_eq!(sources.matches("resume").count(), 2, "{sources}");
    Ok(())
}

#[test]
fn the_task_tools_are_there_when_asked_for() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_scripts(&json!({}), &[])? else {
        return Ok(());
    };
    let todo = json!({"content": "c", "status": "in_progress", "activeForm": "a"});
    let run = scratch
        .plan_run([Turn::call("TodoWrite", json!({"todos": [todo]}))])
        .option("--model", "claude-sonnet-4-5")
        .env("CLAUDE_CODE_ENABLE_TASKS", "false")
        .run_prompt("plan")?;
    let result = run.last_request()?.tool_result_of("todos").ok_or("no result")?;
    assert!(!result.is_error, "{result:?}");

    let create = json!({"subject": "s", "description": "d", "activeForm": "a"});
    let run = scratch
        .plan_run([Turn::call("TaskCreate", create)])
        .env("CLAUDE_CODE_ENABLE_TASKS", "1")
        .run_prompt("plan")?;
    let result = run.last_request()?.tool_result_of("subject").ok_or("no result")?;
    assert!(!result.is_error, "{result:?}");
    Ok(())
}
