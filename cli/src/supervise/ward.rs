//! The step between this process and the command: a process that ends with its parent, and
//! that becomes the command.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::process::{CommandExt as _, parent_id};
use std::process::Command;

use crate::failure::Failure;

/// The exit code of shells for a command that is not there.
const NOT_FOUND: u8 = 127;

/// The exit code of shells for a file that is no command.
const NOT_EXECUTABLE: u8 = 126;

/// Becomes a command that does not outlive `parent`; returns why it cannot.
pub(crate) fn become_command(parent: u32, command: &[OsString]) -> Failure {
    let Some((program, arguments)) = command.split_first() else {
        return Failure::usage("there is no command");
    };
    let bound = bind_to_parent();
    // A parent that died before the binding sends nothing any more.
    if parent_id() != parent {
        return Failure::unable("orphaned", format!("process {parent} is gone"));
    }
    let error = match bound {
        Ok(()) => Command::new(program).args(arguments).exec(),
        Err(error) => error,
    };
    let (exit, code) = match error.kind() {
        ErrorKind::NotFound => (NOT_FOUND, "command_not_found"),
        _ => (NOT_EXECUTABLE, "command_not_executable"),
    };
    Failure {
        exit,
        ..Failure::unable(code, format!("{}: {error}", program.to_string_lossy()))
    }
}

/// Asks for SIGTERM when the parent dies, for this process and what it becomes.
#[cfg(target_os = "linux")]
fn bind_to_parent() -> io::Result<()> {
    use rustix::process::{Signal, set_parent_process_death_signal};
    Ok(set_parent_process_death_signal(Some(Signal::TERM))?)
}

/// The system has no such signal: the command just runs.
#[cfg(not(target_os = "linux"))]
const fn bind_to_parent() -> io::Result<()> {
    Ok(())
}
