//! Many processes that begin at the same moment.
//!
//! Each process starts as a shell that waits for a line on stdin and then becomes the binary. The
//! lines are sent once all shells wait, so no process ends before another begins, however long it
//! takes to start them.

#![expect(clippy::unwrap_used, reason = "a race that cannot be held fails its test")]

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::process::Child;
use std::thread;

use crate::home::{ProcessOutput, ProcessRun, read_first_line};

/// How many processes take part unless a test needs another number.
pub const PROCESSES: usize = 64;

fn starting_gate(binary: &OsStr) -> Vec<OsString> {
    let script = r#"echo here; read -r go; exec "$0" "$@""#;
    vec!["-c".into(), script.into(), binary.to_owned()]
}

fn release_children<'h>(count: usize, run: impl Fn(usize) -> ProcessRun<'h>) -> Vec<Child> {
    let at_the_gate = |n| run(n).run_through("sh", starting_gate).spawn();
    let mut children: Vec<Child> = (0..count).map(at_the_gate).collect();
    for child in &mut children {
        assert_eq!(read_first_line(child), "here");
    }
    for child in &mut children {
        child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
    children
}

fn wait_for_each<T: Send>(children: Vec<Child>, wait: impl Fn(Child) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let wait = &wait;
        let waiters: Vec<_> =
            children.into_iter().map(|child| scope.spawn(move || wait(child))).collect();
        waiters.into_iter().map(|w| w.join().unwrap()).collect()
    })
}

/// Starts `count` processes at the same moment and waits for their ends.
pub fn run_at_once<'h>(count: usize, run: impl Fn(usize) -> ProcessRun<'h>) -> Vec<ProcessOutput> {
    wait_for_each(release_children(count, run), ProcessOutput::wait_for)
}

/// Starts `count` processes at the same moment and waits for the first line of each, which is
/// returned without its line break, or empty when there is none. Stdin stays open.
pub fn begin_at_once<'h>(
    count: usize,
    run: impl Fn(usize) -> ProcessRun<'h>,
) -> Vec<(Child, String)> {
    wait_for_each(release_children(count, run), |mut child| {
        let line = read_first_line(&mut child);
        (child, line)
    })
}
