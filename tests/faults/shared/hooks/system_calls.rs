//! What hooks ask of the system: no network, no SQLite, and no process while nothing waits.

use std::collections::BTreeSet;

use support::home::Payload;

use super::super::super::traced::{can_trace, trace};
use super::super::scene::Server;
use super::fixture::RemoteSession;

/// The hooks that answer from the replica, with their arguments.
const HOOKS: [(&str, &[&str]); 4] = [
    ("session-start-sync", &[]),
    ("checkpoint-push", &[]),
    ("pre-handoff-validate", &[]),
    ("pre-handoff-validate", &["--span"]),
];

/// What a process opens, and which processes it starts and waits for.
const OPENS: [&str; 3] = [
    "-f",
    "-e",
    "trace=socket,connect,open,openat,clone,clone3,fork,vfork,execve,wait4,waitid,pidfd_open",
];

/// The calls of a process and of those that it starts, which start a process.
const STARTS: [&str; 3] = ["-f", "-e", "trace=clone,clone3,fork,vfork,execve"];

/// Keeps the calls of the first process and its threads, without those of the pulls that it starts.
fn keep_own_calls(calls: &[String]) -> Vec<&str> {
    let lines = || calls.iter().filter_map(|line| line.split_once(' '));
    let programs: BTreeSet<&str> = lines()
        .skip(1)
        .filter(|(_, call)| call.trim_start().starts_with("execve("))
        .map(|(pid, _)| pid)
        .collect();
    let mut own: BTreeSet<&str> = lines().take(1).map(|(pid, _)| pid).collect();
    for (pid, call) in lines().filter(|(_, call)| call.contains("clone") || call.contains("fork")) {
        let child = call.rsplit_once("= ").map(|(_, child)| child);
        own.extend(child.filter(|child| own.contains(pid) && !programs.contains(child)));
    }
    lines().filter(|(pid, _)| own.contains(pid)).map(|(_, call)| call.trim_start()).collect()
}

fn opens_socket(call: &str) -> bool {
    call.starts_with("socket(") || call.starts_with("connect(")
}

#[test]
fn no_hook_opens_a_socket_or_a_database_or_waits_for_a_process() {
    if !can_trace() {
        return;
    }
    let Some(server) = Server::shared() else { return };
    let session = RemoteSession::start(server, server.url());
    let folder = session.home.root();
    for (hook, arguments) in HOOKS {
        for fixture in Payload::list_fixtures("") {
            let run = session.prepare_hook(hook, &session.payload(&fixture)).args(arguments);
            let (output, calls) = trace(run, &folder, &OPENS);
            let name = format!("{hook} {arguments:?} {fixture}");
            assert!(matches!(output.code, Some(0 | 2)), "{name}: {output:?}");
            let waits = |call: &str| call.starts_with("wait") || call.starts_with("pidfd_open");
            let is_bad = |call: &&str| opens_socket(call) || waits(call) || call.contains(".db");
            let bad: Vec<&str> = keep_own_calls(&calls).into_iter().filter(is_bad).collect();
            assert_eq!(bad, [""; 0], "{name}");
        }
    }
    let (output, calls) = trace(session.prepare_command(&["pull"]), &folder, &OPENS);
    let opens_any = keep_own_calls(&calls).into_iter().any(opens_socket);
    assert!(opens_any, "a socket would be seen: {output:?} {calls:#?}");
}

#[test]
fn while_nothing_waits_nothing_of_ours_runs() {
    if !can_trace() {
        return;
    }
    let Some(server) = Server::shared() else { return };
    let session = RemoteSession::start(server, server.url());
    let count_starts = |hook: &str, payload: &Payload| {
        let (output, calls) =
            trace(session.prepare_hook(hook, payload), &session.home.root(), &STARTS);
        output.ok();
        let is_start = |call: &&String| {
            call.contains("execve(") || call.contains("fork(") || call.contains("clone")
        };
        // The first one is the hook's own.
        calls.iter().filter(is_start).count() - 1
    };
    let plain = |hook: &str, fixture: &str| {
        assert_eq!(count_starts(hook, &session.payload(fixture)), 0, "{hook} {fixture}");
    };
    for fixture in [
        "post-tool-use.bash",
        "post-tool-use.edit",
        "post-tool-use.write",
        "post-tool-use.bash-of-subagent",
        "post-tool-use.agent",
        "subagent-stop",
    ] {
        plain("checkpoint-push", fixture);
    }
    for fixture in ["pre-tool-use.bash", "pre-tool-use.read"] {
        plain("pre-handoff-validate", fixture);
    }
    plain("session-start-sync", "user-prompt-submit");
    assert!(count_starts("checkpoint-push", &session.step(0)) > 0, "a start would be seen");
    session.check_arrived("idle again", 0..1);
}
