//! The step between the guard and the command: a process that ends with its parent, and
//! that becomes the command.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::{CommandExt as _, parent_id};
use std::process::Command;

use rustix::process::Signal;

use super::process_tree::be_told_of_parents_death;
use crate::command_error::{CommandError, ErrorCase};

/// Becomes a command that does not outlive `parent`; returns why it cannot.
pub(crate) fn become_command(parent: u32, command: &[OsString]) -> CommandError {
    let Some((program, arguments)) = command.split_first() else {
        return CommandError::usage("trueup orchestrator start --help", "a command is missing");
    };
    // The parent lives as long as this does unless it is killed, and then nobody is left who
    // could ask twice.
    let bound = be_told_of_parents_death(Signal::KILL);
    // A parent that died before the binding sends nothing any more.
    if parent_id() != parent {
        return CommandError::new(ErrorCase::Orphaned, format!("process {parent} is gone"));
    }
    let error = match bound {
        Ok(()) => Command::new(program).args(arguments).exec(),
        Err(error) => error,
    };
    let case = match error.kind() {
        ErrorKind::NotFound => ErrorCase::CommandNotFound,
        _ => ErrorCase::CommandNotExecutable,
    };
    CommandError::new(case, format!("{}: {error}", program.to_string_lossy()))
}
