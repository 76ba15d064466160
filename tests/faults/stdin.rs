//! Invalid stdin: too long, too deeply nested, empty, or without an end.

use std::fs;

use serde_json::json;
use support::home::{FIRST_SESSION, Home, ProcessOutput};

const BINARIES: [(&str, &str); 3] = [
    ("session-start-sync", "session-start.startup"),
    ("checkpoint-push", "post-tool-use.write"),
    ("pre-handoff-validate", "pre-tool-use.agent"),
];

#[test]
fn a_hundred_megabytes_are_one_line_and_touch_nothing() {
    let home = Home::new();
    for (binary, fixture) in BINARIES {
        let text = "x".repeat(100_000_000);
        let payload = home.payload(fixture).with("tool_response", text).to_bytes();
        let line = home.prepare_run(binary).stdin(payload).wait().single_line();
        assert_eq!(
            line,
            format!("trueup: {binary}: stdin is larger than 16 MiB; nothing was done")
        );
    }
    assert_eq!(fs::read_dir(home.trueup_home()).unwrap().count(), 0);
}

#[test]
fn a_write_of_megabytes_is_ordinary() {
    let home = Home::new().with_held_item();
    let text = "line\n\"quoted\" \\ ä\n".repeat(150_000);
    let payload = home
        .payload("post-tool-use.write")
        .with_input("content", text.as_str())
        .with("tool_response", json!({"content": text}));
    assert!(payload.to_bytes().len() > 5_000_000);
    home.run_hook("checkpoint-push", &payload).assert_silent();
}

#[test]
fn json_of_any_depth_breaks_nothing() {
    let home = Home::new().with_held_item();
    for depth in [100, 130, 100_000, 1_000_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let middle = if open == "[" { "" } else { "1" };
            let deep = format!("{}{middle}{}", open.repeat(depth), close.repeat(depth));
            for (binary, fixture) in BINARIES {
                let payload = home.payload(fixture).with("session_title", "DEEP").to_bytes();
                let payload = String::from_utf8(payload).unwrap();
                for place in ["session_title", "tool_input", "tool_response", "cwd"] {
                    let payload = payload
                        .replacen(&format!("\"{place}\":"), "\"was\":", 1)
                        .replacen('{', &format!("{{\"{place}\":{deep},"), 1);
                    let answer = home.prepare_run(binary).stdin(payload).wait();
                    assert_eq!(answer.code, Some(0), "{binary} {place} {depth}: {}", answer.stderr);
                    assert!(answer.stderr.lines().count() <= 1);
                }
            }
        }
    }
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "active");
}

#[test]
fn a_client_that_never_closes_stdin_gets_rid_of_the_hook_all_the_same() {
    let home = Home::new();
    // In parallel, since each waits for the payload until its timeout.
    std::thread::scope(|scope| {
        for (binary, _) in BINARIES {
            let home = &home;
            scope.spawn(move || {
                let line = held_open(home, binary, b"").single_line();
                let expected = format!(
                    "trueup: {binary}: stdin was empty until the deadline; nothing was done"
                );
                assert_eq!(line, expected);
            });
        }
    });
    assert_eq!(fs::read_dir(home.trueup_home()).unwrap().count(), 0);
}

#[test]
fn a_payload_that_is_whole_counts_also_when_stdin_stays_open() {
    let home = Home::new();
    let payload = home.payload("session-start.startup").to_bytes();
    held_open(&home, "session-start-sync", &payload).ok();
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "active");
    let half = &payload[..payload.len() / 2];
    let line = held_open(&home, "session-start-sync", half).single_line();
    assert!(line.contains("stdin is not a hook payload"), "{line}");
}

/// Runs a hook whose stdin stays open until it has ended.
fn held_open(home: &Home, binary: &str, sent: &[u8]) -> ProcessOutput {
    let mut child = home.prepare_run(binary).spawn();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, sent).unwrap();
    let answer = ProcessOutput::wait_for(child);
    drop(stdin);
    answer
}

/// The deadline cannot interrupt a blocked write; the kernel's alarm does.
#[test]
fn a_client_whose_pipe_is_full_gets_rid_of_the_hook_all_the_same() {
    use std::os::unix::process::ExitStatusExt as _;
    let home = Home::new().with_held_item();
    let payload = home.payload("session-start.resume").to_bytes();
    // The disposition of the signal is inherited from the client's parent.
    let inherited = ["--default-signal=ALRM", "--ignore-signal=ALRM", "--block-signal=ALRM"];
    let set = inherited.map(|signal| (Some("1000"), signal));
    for (set, signal) in set.into_iter().chain([(None, "--default-signal=ALRM")]) {
        let run = home.prepare_run("session-start-sync");
        let run = match set {
            None => run.without("TRUEUP_DEADLINE_MS"),
            Some(set) => run.env("TRUEUP_DEADLINE_MS", set),
        };
        let mut run = run.run_through("env", |program| vec![signal.into(), program.into()]);
        let mut child = run.spawn();
        let (pid, unread) = (child.id(), child.stdout.take());
        let mut pipe =
            fs::OpenOptions::new().write(true).open(format!("/proc/{pid}/fd/1")).unwrap();
        // The capacity of a Linux pipe.
        std::io::Write::write_all(&mut pipe, &vec![b'x'; 65_536]).unwrap();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), &payload).unwrap();
        drop(child.stdin.take());
        let (tell, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || tell.send(child.wait()));
        let status = ended.recv_timeout(std::time::Duration::from_mins(1));
        drop(unread);
        let status = status.expect("the hook hangs").unwrap();
        assert_eq!(status.signal(), Some(14), "{status}");
    }
}

#[test]
fn a_client_that_reads_no_answer_breaks_nothing() {
    let home = Home::new().with_held_item();
    let payload = home.payload("session-start.resume").to_bytes();
    let mut child = home.prepare_run("session-start-sync").spawn();
    drop(child.stdout.take());
    drop(child.stderr.take());
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), &payload).unwrap();
    let answer = ProcessOutput::wait_for(child);
    assert_eq!(answer.code, Some(0), "{answer:?}");
}
