//! Payloads in every shape a client may send.

use serde_json::{Value, json};

use super::{
    HookEvent, HookPayload, PayloadError, PromptKind, ShellCall, TaskChange, ToolCall,
    parse_payload,
};

/// A payload with these fields and a session.
fn payload(fields: &Value) -> Value {
    let mut payload = json!({"session_id": "s1", "cwd": "/repo"});
    let fields = fields.as_object().unwrap().clone();
    payload.as_object_mut().unwrap().extend(fields);
    payload
}

#[track_caller]
fn read(payload: &Value) -> HookPayload {
    let parsed = parse_payload(payload.to_string().as_bytes());
    parsed.unwrap_or_else(|e| panic!("{e}: {payload}")).unwrap()
}

fn event(fields: &Value) -> HookEvent {
    read(&payload(fields)).event
}

#[test]
fn a_field_of_another_kind_is_as_if_it_were_not_there() {
    let stop = |fields: Value| {
        let mut stop = json!({"hook_event_name": "Stop"});
        stop.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        payload(&stop)
    };
    for foreign in [json!(null), json!(7), json!(["x"]), json!({"x": 1}), json!(1.5)] {
        for field in [
            "cwd",
            "agent_id",
            "prompt",
            "stop_hook_active",
            "tool_input",
            "tool_response",
            "reason",
        ] {
            let read = read(&stop(json!({field: foreign})));
            assert_eq!(read.event, HookEvent::Stop { is_repeated: false }, "{field}: {foreign}");
            assert!(!read.is_subagent);
            assert_eq!(read.cwd.is_some(), field != "cwd");
        }
    }
    assert_eq!(
        read(&stop(json!({"stop_hook_active": true}))).event,
        HookEvent::Stop { is_repeated: true }
    );
    let id = stop(json!({"session_id": 7}));
    let error = parse_payload(id.to_string().as_bytes()).unwrap_err();
    assert!(matches!(error, PayloadError::Session(_)), "{error}");
    assert_eq!(
        event(&json!({"hook_event_name": "UserPromptSubmit", "prompt": {}})),
        HookEvent::Prompt(PromptKind::User)
    );
}

#[test]
fn a_text_that_was_cut_within_a_character_hides_nothing_else() {
    let text =
        br#"{"session_id": "s1", "hook_event_name": "UserPromptSubmit", "prompt": "cut \ud83d"}"#;
    let read = parse_payload(text).unwrap().unwrap();
    assert_eq!(read.event, HookEvent::Prompt(PromptKind::User));
}

#[test]
fn half_a_character_a_mark_and_a_name_twice_hide_nothing() {
    let bash = |text: &[u8]| match parse_payload(text).unwrap().unwrap().event {
        HookEvent::BeforeTool(ToolCall::Bash(shell)) => shell.command,
        other => panic!("{other:?}"),
    };
    for (text, expected) in [
        (&br#"{"session_id":"s1","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"make \ud83d x"}}"#[..], "make \u{fffd} x"),
        (br#"{"session_id":"s1","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"\ud83d":1,"command":"make x"}}"#, "make x"),
        (br#"{"session_id":"s1","hook_event_name":"PreToolUse","tool_name":"Bash","\udc00":0,"tool_input":{"command":"make x"}}"#, "make x"),
        (b"\xef\xbb\xbf{\"session_id\":\"s1\",\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"make x\"}}", "make x"),
        (b"{\"session_id\":\"s1\",\"hook_event_name\":\"PreToolUse\",\"cwd\":\"/\xff\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"a\xffb\"}}", "a\u{fffd}b"),
        (br#"{"session_id":"no id","session_id":"s1","hook_event_name":"Stop","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"a","command":"b"}}"#, "b"),
    ] {
        assert_eq!(bash(text), expected);
    }
    let todos = br#"{"session_id":"s1","hook_event_name":"PostToolUse","tool_name":"TodoWrite","tool_input":{"todos":[{"content":"a \ud83d","status":"in_progress"}]}}"#;
    let list = TaskChange::List(Some("a \u{fffd}".to_owned()));
    assert_eq!(
        parse_payload(todos).unwrap().unwrap().event,
        HookEvent::AfterTool(ToolCall::Tasks(list))
    );
}

#[test]
fn a_tools_input_of_another_kind_hides_no_field_beside_it() {
    let bash = |input: Value| {
        event(&json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": input}))
    };
    let shell = |command: &str, in_background| {
        HookEvent::BeforeTool(ToolCall::Bash(ShellCall {
            command: command.to_owned(),
            timeout: None,
            in_background,
        }))
    };
    let input = json!({"command": "git push", "timeout": "soon", "status": 7, "todos": {}});
    assert_eq!(bash(input), shell("git push", false));
    assert_eq!(bash(json!({"command": null, "run_in_background": true})), shell("", true));
    // A field that decides must not count as missing.
    let unreadable = |field| HookEvent::BeforeTool(ToolCall::Unreadable(field));
    for command in [json!(["git"]), json!(7), json!({"x": "trueup handoff create"})] {
        assert_eq!(bash(json!({"command": command})), unreadable("command"));
    }
    assert_eq!(bash(json!(["git push"])), unreadable("tool_input"));
    let unnamed = json!({"hook_event_name": "PreToolUse", "tool_name": ["Bash"]});
    assert_eq!(event(&unnamed), unreadable("tool_name"));
    let nameless =
        json!({"hook_event_name": 7, "tool_name": "Bash", "tool_input": {"command": "x"}});
    assert_eq!(event(&nameless), shell("x", false));
    let todos = json!([7, ["b", "in_progress"], {"content": "a", "status": []},
        {"content": "b", "status": "in_progress"}]);
    let written = json!({"hook_event_name": "PostToolUse", "tool_name": "TodoWrite",
        "tool_input": {"todos": todos}});
    let list = TaskChange::List(Some("b".to_owned()));
    assert_eq!(event(&written), HookEvent::AfterTool(ToolCall::Tasks(list)));
}

#[test]
fn what_is_no_object_is_no_payload() {
    for text in ["[]", " [\"s1\", \"/repo\", \"Stop\"]", "7", "null", "\"x\"", "{", "{} {}"] {
        let error = parse_payload(text.as_bytes()).unwrap_err();
        assert!(matches!(error, PayloadError::Syntax(_)), "{text}: {error}");
    }
    for text in ["", " \n"] {
        assert!(matches!(parse_payload(text.as_bytes()), Err(PayloadError::Empty)));
    }
    assert_eq!(parse_payload(b"{}").unwrap(), None);
}
