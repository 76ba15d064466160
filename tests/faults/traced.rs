//! The system calls of a process, by strace.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use support::home::{ProcessOutput, ProcessRun};

/// Returns whether system calls of other processes can be traced here.
pub(crate) fn can_trace() -> bool {
    let mut watch = Command::new("strace");
    let status = watch.args(["-o", "/dev/null", "true"]).status();
    let can = status.is_ok_and(|status| status.success());
    if !can {
        println!("SKIPPED: strace is not there or may not look at processes");
    }
    can
}

/// Runs a process; returns its output and its calls as strace prints them with these options, in
/// order. `folder` takes the record.
pub(crate) fn trace(
    run: ProcessRun<'_>,
    folder: &Path,
    options: &[&str],
) -> (ProcessOutput, Vec<String>) {
    let record = folder.join("calls");
    let run = run.run_through("strace", |program| {
        let mut arguments: Vec<OsString> = options.iter().map(OsString::from).collect();
        arguments.extend(["-o".into(), record.clone().into(), program.to_owned()]);
        arguments
    });
    let output = run.wait();
    let record = fs::read_to_string(record).unwrap();
    (output, record.lines().map(str::to_owned).collect())
}
