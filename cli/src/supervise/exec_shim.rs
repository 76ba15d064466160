//! The process between the guard and the command. It binds its life to that of the guard and then
//! executes the command in its place.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::{CommandExt as _, parent_id};
use std::process::Command;

use rustix::process::Signal;

use super::process_tree::be_told_of_parents_death;
use crate::command_error::{CommandError, OrchestratorCase};

/// Replaces this process by a command that does not outlive `parent`; returns only on failure.
pub(crate) fn become_command(parent: u32, command: &[OsString]) -> CommandError {
    let Some((program, arguments)) = command.split_first() else {
        return CommandError::usage("trueup orchestrator start --help", "a command is missing");
    };
    // The parent outlives this process unless it is killed.
    let bound = be_told_of_parents_death(Signal::KILL);
    // A parent that died before the binding sends no signal.
    if parent_id() != parent {
        return CommandError::new(OrchestratorCase::Orphaned, format!("process {parent} is gone"));
    }
    let error = match bound {
        Ok(()) => Command::new(program).args(arguments).exec(),
        Err(error) => error,
    };
    let case = match error.kind() {
        ErrorKind::NotFound => OrchestratorCase::CommandNotFound,
        _ => OrchestratorCase::CommandNotExecutable,
    };
    CommandError::new(case, format!("{}: {error}", program.to_string_lossy()))
}
