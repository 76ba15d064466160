//! Bounds of the search for the client's process, when the client does not name it: ancestor
//! processes and the client's own records.

use std::fs;
use std::path::PathBuf;

use support::home::{FIRST_SESSION, Home, ProcessOutput};
use trueup_core::bounds::{self, Bound};

use super::{COMPUTING, size_beyond};

/// A script that calls itself to a given depth, prints the pid of the outermost process, and then
/// runs a command.
const NESTING_SCRIPT: &str = r#"
ulimit -t "$1"; deep=$2; top=$3; shift 3
[ -e "$top" ] || echo $$ > "$top"
if [ "$deep" -gt 0 ]; then sh "$0" unlimited $((deep - 1)) "$top" "$@"; exit $?; fi
while [ "$1" != -- ]; do shift; done
shift; "$@"; exit $?
"#;

/// Starts a session whose client does not name its process, at some depth below a process with this
/// name and these arguments; returns the output and the pid of that process.
fn start_below_process(
    home: &Home,
    name: &str,
    depth: usize,
    extra_arguments: &[String],
) -> (ProcessOutput, i64) {
    let root = home.root();
    let (script, top) = (root.join("claude"), root.join("top"));
    fs::write(&script, NESTING_SCRIPT).unwrap();
    let _ = fs::remove_file(&top);
    let shell = root.join("bin").join(name);
    fs::create_dir_all(shell.parent().unwrap()).unwrap();
    support::program::copy_program(&PathBuf::from("/bin/sh").canonicalize().unwrap(), &shell)
        .unwrap();
    home.edit_cache("currentSd", "SD-002B");
    let run = home
        .prepare_run("session-start-sync")
        .without("CLAUDE_PID")
        .payload(&home.payload("session-start.resume"));
    let run = run.run_through(shell.to_str().unwrap(), |program| {
        let limit = COMPUTING.to_string();
        let first = [script.clone().into(), limit.into(), depth.to_string().into()];
        let first = first.into_iter().chain([top.clone().into()]);
        let extra_arguments = extra_arguments.iter().map(|argument| argument.clone().into());
        first.chain(extra_arguments).chain(["--".into(), program.into()]).collect()
    });
    let answer = run.wait();
    assert_eq!(answer.code, Some(0), "{answer:.2000?}");
    assert_eq!(home.read_cache()["currentSd"], "SD-002C", "{answer:.2000?}");
    let number = fs::read_to_string(&top).unwrap().trim().parse().unwrap();
    (answer, number)
}

fn client(home: &Home) -> Option<i64> {
    home.session_column("pid", FIRST_SESSION)
}

pub(super) fn bounds_ancestor_search(home: &Home) {
    let most = bounds::ANCESTORS.len();
    let (_, near) = start_below_process(home, "claude", most / 2, &[]);
    assert_eq!(client(home), Some(near));
    let (_, far) = start_below_process(home, "claude", most, &[]);
    assert_ne!(client(home), Some(far));
}

pub(super) fn command_line(home: &Home) {
    // The interpreter's script is called like the client.
    let (_, near) = start_below_process(home, "node", 1, &[]);
    assert_eq!(client(home), Some(near));
    let long = "x".repeat(100_000);
    let extra_arguments = vec![long; size_beyond(bounds::COMMAND_LINE) / 100_000 + 1];
    let (_, unread) = start_below_process(home, "node", 1, &extra_arguments);
    assert_ne!(client(home), Some(unread));
}

/// Writes records of the client that name the session, larger or more than are read.
fn records(home: &Home, count: usize, bound: Bound, size: usize) {
    let folder = home.user_home().join(".claude/sessions");
    fs::create_dir_all(&folder).unwrap();
    for number in 0..count {
        let record =
            format!("{{\"sessionId\": \"{FIRST_SESSION}\", \"x\": \"{}\"}}", "x".repeat(size));
        // Pids that no process has.
        fs::write(folder.join(format!("{}.json", 5_000_000 + number)), record).unwrap();
    }
    let (answer, _) = start_below_process(home, "shell", 1, &[]);
    assert!(answer.stdout.len() < bound.len() * 200, "{answer:.2000?}");
}

pub(super) fn client_records(home: &Home) {
    records(home, size_beyond(bounds::CLIENT_RECORDS) * 50, bounds::CLIENT_RECORDS, 10);
}

pub(super) fn client_record(home: &Home) {
    let size = bounds::CLIENT_RECORD.len() * 1_000;
    records(home, 1, bounds::CLIENT_RECORD, size);
}
