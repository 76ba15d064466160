//! The step between the guard and the command: a process that ends with its parent, and
//! that becomes the command.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::{CommandExt as _, parent_id};
use std::process::Command;

use rustix::process::Signal;

use super::tree::be_told_of_parents_death;
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
    // The parent lives as long as this does unless it is killed, and then nobody is left who
    // could ask twice.
    let bound = be_told_of_parents_death(Signal::KILL);
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
