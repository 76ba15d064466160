//! Runs git, for what its files do not tell and for changes.
//!
//! Invariants: git never prompts; the environment of an outer git never leads it to another
//! repository; every call has a time limit. A call that may run the user's hooks sets no variable
//! and no setting, since hooks would inherit both; a call that only reads starts nothing that the
//! repository's configuration names.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::error::{GitError, extract_reason};
use super::subprocess::{self, ProcessOutput};
use crate::deadline::Deadline;
use crate::fs::FileLock;

/// Variables that a git hook or an outer git sets. With any of them, git would use another
/// repository or read a path as a pattern.
const MISLEADING_VARIABLES: [&str; 19] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_GRAFT_FILE",
    "GIT_SHALLOW_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_CONFIG",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_REFLOG_ACTION",
];

/// Programs that would prompt the user. git accepts an empty name for none; ssh does not, so it
/// gets a program that always fails, and is told to use it instead of the terminal.
const UNATTENDED_VARIABLES: [(&str, &str); 5] = [
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", ""),
    ("SSH_ASKPASS", "false"),
    ("SSH_ASKPASS_REQUIRE", "force"),
    ("GCM_INTERACTIVE", "Never"),
];

/// Variables of a call that reads. Objects that a partial clone lacks are not fetched, because the
/// repository's configuration names the program and the remote for that.
const READING_VARIABLES: [(&str, &str); 4] = [
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("LC_ALL", "C"),
    ("GIT_NO_LAZY_FETCH", "1"),
    // For git versions without the variable above: allow no protocol.
    ("GIT_ALLOW_PROTOCOL", ""),
];

/// Settings of a call that runs no hook: it does nothing but what it was asked for. Packing the
/// repository, for one, takes minutes and would look like a remote that hangs.
const QUIET_SETTINGS: [&str; 12] = [
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.alternateRefsCommand=:",
    "-c",
    "log.showSignature=false",
];

/// The time limit of an operation, shared by all its calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimit {
    total: Duration,
    deadline: Deadline,
}

impl TimeLimit {
    pub(super) fn starting_now(whole: Duration) -> Self {
        Self { total: whole, deadline: Deadline::after(whole) }
    }
}

/// What a call does. This decides what it may run and in which language git answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reads from the disk; its output is parsed.
    Read,
    /// Contacts a remote without running hooks; its error output is parsed.
    Ask,
    /// Changes the repository. The user's hooks run as they would from a shell.
    Change,
}

/// One call of git.
pub(super) struct GitCommand {
    command: Command,
    what: &'static str,
    limit: TimeLimit,
}

impl GitCommand {
    /// Builds a call for the repository at `root`; `what` names it in errors.
    pub(super) fn new(root: &Path, purpose: Purpose, what: &'static str, limit: TimeLimit) -> Self {
        let mut command = Command::new("git");
        for name in MISLEADING_VARIABLES {
            command.env_remove(name);
        }
        command.current_dir(root).stdin(Stdio::null());
        if purpose != Purpose::Change {
            command.envs(UNATTENDED_VARIABLES).args(QUIET_SETTINGS);
            // If git cannot use this repository, that must be an error; it must not pick the one
            // around it.
            if let Some(above) = std::path::absolute(root).ok().as_deref().and_then(Path::parent) {
                command.env("GIT_CEILING_DIRECTORIES", above);
            }
        }
        match purpose {
            Purpose::Read => {
                // Each path is taken literally, whatever characters it contains.
                command.envs(READING_VARIABLES).arg("--literal-pathspecs");
            }
            Purpose::Ask => {
                command.env("LC_ALL", "C");
            }
            Purpose::Change => {}
        }
        Self { command, what, limit }
    }

    pub(super) fn with_env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(super) fn with_args<A: AsRef<OsStr>>(
        mut self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets the call's input.
    pub(super) fn with_stdin(self, text: &[u8]) -> Result<Self, GitError> {
        self.with_stdin_file(tempfile::tempfile(), text)
    }

    /// Sets the call's input to a file that stays locked until the call has ended, even if this
    /// process dies first.
    pub(super) fn with_locked_stdin(self, text: &[u8], lock: &Path) -> Result<Self, GitError> {
        let locked = FileLock::acquire(lock, Duration::ZERO).and_then(|lock| {
            let file = lock.into_file();
            file.set_len(0)?;
            Ok(file)
        });
        self.with_stdin_file(locked, text)
    }

    fn with_stdin_file(mut self, file: io::Result<File>, text: &[u8]) -> Result<Self, GitError> {
        // A file, not a pipe: if git does not read all of it, nobody blocks.
        let written = file.and_then(|mut file| {
            file.write_all(text)?;
            file.rewind()?;
            Ok(file)
        });
        let what = self.what;
        self.command.stdin(written.map_err(|source| GitError::Io { what, source })?);
        Ok(self)
    }

    /// Runs the call and returns its output.
    pub(super) fn run(self) -> Result<Vec<u8>, GitError> {
        let what = self.what;
        let ended = self.run_to_end()?;
        if !ended.status.success() {
            return Err(build_failure(what, &ended));
        }
        complete_output(what, ended)
    }

    /// Runs a call whose exit code 1 means "no"; returns the output for "yes".
    pub(super) fn run_query(self) -> Result<Option<Vec<u8>>, GitError> {
        let what = self.what;
        let ended = self.run_to_end()?;
        match ended.status.code() {
            Some(0) => complete_output(what, ended).map(Some),
            Some(1) => Ok(None),
            _ => Err(build_failure(what, &ended)),
        }
    }

    fn run_to_end(mut self) -> Result<ProcessOutput, GitError> {
        let what = self.what;
        match subprocess::run_process(&mut self.command, self.limit.deadline) {
            Ok(Some(ended)) => Ok(ended),
            Ok(None) => Err(GitError::TimedOut { what, limit: self.limit.total }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(GitError::Missing),
            Err(source) => Err(GitError::Io { what, source }),
        }
    }
}

fn build_failure(what: &'static str, ended: &ProcessOutput) -> GitError {
    GitError::Failed {
        what,
        status: ended.status.to_string(),
        reason: extract_reason(&ended.stderr, &ended.stdout),
    }
}

fn complete_output(what: &'static str, ended: ProcessOutput) -> Result<Vec<u8>, GitError> {
    if ended.is_truncated {
        return Err(GitError::TooLong { what });
    }
    Ok(ended.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Settings from a command line or the environment are the user's.
    const KEPT: [&str; 3] = ["GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT", "GIT_NO_REPLACE_OBJECTS"];

    fn call(purpose: Purpose) -> GitCommand {
        let limit = TimeLimit::starting_now(Duration::from_mins(1));
        GitCommand::new(Path::new("/x"), purpose, "git", limit)
    }

    #[test]
    fn what_git_itself_takes_for_bound_to_a_repository_is_dropped() {
        let asked = Command::new("git").args(["rev-parse", "--local-env-vars"]).output().unwrap();
        let text = String::from_utf8(asked.stdout).unwrap();
        assert!(text.contains("GIT_DIR"));
        for purpose in [Purpose::Read, Purpose::Ask, Purpose::Change] {
            let call = call(purpose);
            for name in text.lines().filter(|name| !KEPT.contains(name)) {
                let mut variables = call.command.get_envs();
                assert!(variables.any(|set| set == (OsStr::new(name), None)), "{name}");
            }
        }
    }

    #[test]
    fn where_hooks_run_nothing_is_set_that_they_would_see() {
        let call = call(Purpose::Change);
        let set: Vec<_> = call.command.get_envs().filter(|(_, value)| value.is_some()).collect();
        assert_eq!(set, []);
        assert_eq!(call.command.get_args().count(), 0);
    }
}
