//! A field that cannot be read does not count as absent.

use std::fs;

use support::home::{Home, ProcessOutput};

/// A session that a hand-off is refused to.
fn on_the_wrong_branch() -> Home {
    let home = Home::new().with_held_item();
    home.execute_sql("INSERT INTO work_items (key) VALUES ('SD-002B')", []);
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
    home
}

/// The bytes of a payload with `COMMAND` replaced by other bytes.
fn payload(home: &Home, place: &str, what: &[u8]) -> Vec<u8> {
    let payload = home.payload("pre-tool-use.bash").with_input("command", "COMMAND");
    let bytes = payload.to_bytes();
    let at = bytes.windows(place.len()).position(|part| part == place.as_bytes()).unwrap();
    [&bytes[..at], what, &bytes[at + place.len()..]].concat()
}

fn run_guard(home: &Home, bytes: Vec<u8>, attended: &str) -> ProcessOutput {
    let run = home.prepare_run("pre-handoff-validate").stdin(bytes);
    run.env("CLAUDE_CODE_SESSION_ATTENDED", attended).wait()
}

#[test]
fn a_command_with_what_is_no_character_is_still_one() {
    let home = on_the_wrong_branch();
    for command in [
        &br"trueup handoff create X --summary \ud83d"[..],
        b"trueup handoff create X --summary \xff",
        br"trueup handoff create \udc00\ud83d",
    ] {
        let answer = run_guard(&home, payload(&home, "COMMAND", command), "");
        assert_eq!(answer.code, Some(2), "{answer:?}");
        assert!(answer.stderr.starts_with("⚠️ Branch mismatch"), "{answer:?}");
    }
    let plain = payload(&home, "COMMAND", b"make handoff");
    let mut marked = b"\xef\xbb\xbf".to_vec();
    marked.extend(&plain);
    assert_eq!(run_guard(&home, marked, "").code, Some(2));
    let twice = payload(&home, "\"COMMAND\"", b"\"ls\",\"command\":\"make handoff\"");
    assert_eq!(run_guard(&home, twice, "").code, Some(2), "the last one counts");
    let twice = payload(&home, "\"COMMAND\"", b"\"make handoff\",\"command\":\"ls\"");
    run_guard(&home, twice, "").assert_silent();
}

#[track_caller]
fn assert_asked(home: &Home, bytes: &[u8]) {
    let answer = run_guard(home, bytes.to_vec(), "1");
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(answer.code, Some(0), "{text}");
    let hook_output = &answer.json()["hookSpecificOutput"];
    assert_eq!(hook_output["permissionDecision"], "ask", "{text}");
    assert_eq!(hook_output["hookEventName"], "PreToolUse");
    assert_eq!(answer.stderr.lines().count(), 1);
    for attended in ["", "0"] {
        let answer = run_guard(home, bytes.to_vec(), attended);
        assert_eq!(answer.code, Some(0));
        assert_eq!(answer.message(), [answer.stderr.trim_end()], "{text}");
    }
}

#[test]
fn a_hand_off_that_cannot_be_read_is_asked_about() {
    let home = on_the_wrong_branch();
    for command in [&b"7"[..], b"[\"trueup handoff create X\"]", b"{\"x\": 1}"] {
        assert_asked(&home, &payload(&home, "\"COMMAND\"", command));
    }
    assert_asked(&home, &payload(&home, "\"Bash\"", b"[\"Bash\"]"));
    let handoff_call = payload(&home, "COMMAND", b"trueup handoff create X");
    let command = handoff_call.windows(14).position(|part| part == b"trueup handoff").unwrap();
    for end in [command + 3, command + 9, command + 20, handoff_call.len() - 1] {
        assert_asked(&home, &handoff_call[..end]);
    }
    let broken = payload(&home, "\"COMMAND\"", b"\"make handoff\",,");
    assert_asked(&home, &broken);
}

#[test]
fn broken_input_that_is_no_hand_off_gets_one_line() {
    let home = on_the_wrong_branch();
    let harmless_call = payload(&home, "COMMAND", b"cargo build --workspace");
    let command = harmless_call.windows(5).position(|part| part == b"cargo").unwrap();
    for end in [1, 20, command - 2, command + 12, harmless_call.len() - 1] {
        run_guard(&home, harmless_call[..end].to_vec(), "1").single_line();
    }
    for garbage in [&b"handoff"[..], b"{", b"trueup handoff create", b"\x00\xff"] {
        run_guard(&home, garbage.to_vec(), "1").single_line();
    }
}

#[test]
fn a_task_with_half_a_character_is_kept() {
    let home = Home::new().with_held_item();
    let payload = home.payload("post-tool-use.todo-write").to_bytes();
    let text = String::from_utf8(payload).unwrap();
    let text = text.replacen("write the test", "write \\ud83d the test", 1);
    let run = home.prepare_run("checkpoint-push").stdin(text.into_bytes());
    run.wait().assert_silent();
    assert_eq!(home.execution_state()["currentTask"], "write \u{fffd} the test");
}

#[test]
fn a_cache_with_half_a_character_is_read() {
    let home = Home::new().with_held_item();
    home.edit_cache("currentPhase", "EXEC");
    home.edit_cache("mine", "MINE");
    let text = fs::read_to_string(home.cache_path()).unwrap();
    home.write_cache(text.replace("\"MINE\"", "\"\\ud83d\""));
    home.run_hook("checkpoint-push", &home.payload("post-tool-use.write")).assert_silent();
    assert_eq!(home.execution_state()["currentPhase"], "EXEC", "one field hides no other");
    assert_eq!(home.read_cache()["mine"], "\u{fffd}");
    let broken = fs::read(home.cache_path()).unwrap();
    let broken = String::from_utf8(broken).unwrap().replace("EXEC", "PLAN");
    let mut bytes = broken.into_bytes();
    let at = bytes.windows(3).position(|part| part == "\u{fffd}".as_bytes()).unwrap();
    bytes.splice(at..at + 3, [0xff]);
    home.write_cache(bytes);
    home.run_hook("checkpoint-push", &home.payload("post-tool-use.write")).assert_silent();
    assert_eq!(home.execution_state()["currentPhase"], "PLAN");
}

#[test]
fn a_shell_line_of_a_skill_is_no_way_around_the_gate() {
    let home = on_the_wrong_branch();
    let line = |command: &str| {
        let payload = home.payload("pre-skill-shell-command").with_input("command", command);
        home.run_hook("pre-handoff-validate", &payload)
    };
    let answer = line("trueup handoff create X");
    assert_eq!(answer.code, Some(2));
    let json = answer.json();
    assert_eq!(json["hookSpecificOutput"]["hookEventName"], "PreSkillShellCommand");
    assert_eq!(json["hookSpecificOutput"]["permissionDecision"], "deny");
    line("git status").assert_silent();
    for other in ["session-start-sync", "checkpoint-push"] {
        home.run_hook(other, &home.payload("pre-skill-shell-command")).assert_silent();
    }
}
