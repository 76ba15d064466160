//! One run of a binary with a cleared environment.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::{Home, Payload, ProcessOutput};
use crate::client::find_binary;

/// How long a process may take before the suite gives up; no assertion depends on it.
const PROCESS_TIMEOUT: Duration = Duration::from_mins(2);

/// A process to be started.
#[derive(Debug)]
pub struct ProcessRun<'h> {
    home: &'h Home,
    command: Command,
    stdin: Vec<u8>,
}

impl<'h> ProcessRun<'h> {
    pub(super) fn new(home: &'h Home, name: &str) -> Self {
        let mut command = Command::new(find_binary(name).unwrap());
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            // The machine may be slow, so the deadline is generous unless a test sets one.
            .env("TRUEUP_DEADLINE_MS", "60000")
            // The test process plays the client, which must be alive.
            .env("CLAUDE_PID", std::process::id().to_string())
            .current_dir(home.project_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        home.set_variables(&mut command);
        Self { home, command, stdin: Vec::new() }
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = I>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn cwd(mut self, dir: impl Into<PathBuf>) -> Self {
        self.command.current_dir(dir.into());
        self
    }

    /// Sends a payload on stdin.
    #[must_use]
    pub fn payload(self, payload: &Payload) -> Self {
        self.stdin(payload.to_bytes())
    }

    /// Sends bytes on stdin.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Runs the binary through another program, such as `su`, whose arguments end with the
    /// binary's path.
    #[must_use]
    pub fn run_through(
        mut self,
        program: &str,
        arguments: impl Fn(&OsStr) -> Vec<OsString>,
    ) -> Self {
        let mut outer = Command::new(program);
        outer.args(arguments(self.command.get_program())).args(self.command.get_args());
        let here = self.command.get_current_dir();
        outer.env_clear().current_dir(here.unwrap_or(self.home.project_dir()));
        for (name, value) in self.command.get_envs() {
            outer.env(name, value.unwrap_or_default());
        }
        outer.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command = outer;
        self
    }

    /// Starts it. Stdin stays open, and nothing is sent.
    pub fn spawn(&mut self) -> Child {
        self.command.spawn().unwrap()
    }

    /// Starts it and waits for the first line of its stdout, which is returned without its line
    /// break, or empty when there is none. Stdin stays open.
    pub fn begin(mut self) -> (Child, String) {
        let mut child = self.spawn();
        let line = read_first_line(&mut child);
        (child, line)
    }

    /// Runs it to its end.
    pub fn wait(mut self) -> ProcessOutput {
        let mut child = self.spawn();
        let mut pipe = child.stdin.take().unwrap();
        let bytes = std::mem::take(&mut self.stdin);
        let writer = thread::spawn(move || {
            // A process may end without reading all of it.
            let _ = pipe.write_all(&bytes);
        });
        let answer = ProcessOutput::wait_for(child);
        writer.join().unwrap();
        answer
    }
}

/// Reads the next line of a process's stdout, without its line break; empty when there is none.
pub(crate) fn read_first_line(child: &mut Child) -> String {
    let stdout = child.stdout.as_mut().unwrap();
    let mut line = Vec::new();
    // One byte at a time, so that the bytes after the line stay unread.
    let mut byte = [0];
    while stdout.read(&mut byte).unwrap() > 0 && byte != *b"\n" {
        line.extend(byte);
    }
    String::from_utf8(line).unwrap()
}

impl ProcessOutput {
    /// Waits for the end of a process.
    pub fn wait_for(child: Child) -> Self {
        let pid = child.id();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(child.wait_with_output()));
        let Ok(done) = receiver.recv_timeout(PROCESS_TIMEOUT) else {
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
            panic!("process {pid} did not end within {PROCESS_TIMEOUT:?}");
        };
        let output = done.unwrap();
        Self {
            code: output.status.code(),
            signal: output.status.signal(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A process that runs until it is dropped, to play a client.
#[derive(Debug)]
pub struct Bystander(Child);

/// Starts a process that does nothing.
pub fn spawn_bystander() -> Bystander {
    let child = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn();
    Bystander(child.unwrap())
}

impl Bystander {
    /// Returns its process id.
    pub fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the start time of a process in the kernel's clock ticks.
pub fn process_start_time(pid: &str) -> i64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let rest = stat.rsplit_once(')').unwrap().1;
    rest.split_ascii_whitespace().nth(19).unwrap().parse().unwrap()
}
