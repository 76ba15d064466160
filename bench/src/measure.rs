//! Measures one process: time, memory, instructions.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{self, WaitOptions};
use wait4::Wait4 as _;

use crate::BenchError;

/// A process to run: program, arguments, environment, directory and stdin.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, OsString)>,
    dir: PathBuf,
    input: Vec<u8>,
}

impl Task {
    /// Makes a task with nothing in its environment but `PATH`.
    pub(crate) fn new(program: PathBuf, dir: PathBuf, input: Vec<u8>) -> Self {
        let mut task = Self { program, arguments: Vec::new(), environment: Vec::new(), dir, input };
        task.set("PATH", std::env::var_os("PATH").unwrap_or_default());
        task
    }

    /// Adds an argument.
    pub(crate) fn argument(&mut self, argument: impl AsRef<OsStr>) {
        self.arguments.push(argument.as_ref().to_owned());
    }

    /// Sets a variable.
    pub(crate) fn set(&mut self, name: &'static str, value: impl AsRef<OsStr>) {
        self.environment.push((name, value.as_ref().to_owned()));
    }

    fn build_command(&self, through: &[OsString]) -> Command {
        let mut words = through.iter().map(OsString::as_os_str).chain([self.program.as_os_str()]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .args(&self.arguments)
            .current_dir(&self.dir)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn spawn(&self, mut command: Command) -> Result<Child, BenchError> {
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(&self.input)?;
        }
        Ok(child)
    }

    fn failure(&self, why: &str) -> BenchError {
        format!("{} {:?}: {why}", self.program.display(), self.arguments).into()
    }
}

/// Runs a task; returns the time from before its start to after its end.
pub(crate) fn wall_time(task: &Task) -> Result<Duration, BenchError> {
    let mut command = task.build_command(&[]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = task.spawn(command)?.wait()?;
    let time = start.elapsed();
    if status.success() { Ok(time) } else { Err(task.failure(&status.to_string())) }
}

/// Runs tasks, `at_once` at a time, and returns how long each took from before its start until its
/// end was noticed, or nothing for one that failed.
///
/// One thread starts all of them. With many threads, those that get the processor would start more
/// processes than others, which would distort the figures.
pub(crate) fn run_crowd(
    at_once: usize,
    tasks: impl IntoIterator<Item = Task>,
) -> Result<Vec<Option<Duration>>, BenchError> {
    let mut tasks = tasks.into_iter();
    let mut running = HashMap::new();
    let mut durations = Vec::new();
    loop {
        while running.len() < at_once {
            let Some(task) = tasks.next() else { break };
            let mut command = task.build_command(&[]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let start = Instant::now();
            let child = command.spawn()?;
            running.insert(i32::try_from(child.id())?, start);
        }
        if running.is_empty() {
            return Ok(durations);
        }
        let Some((ended, status)) = process::wait(WaitOptions::empty())? else {
            continue;
        };
        if let Some(start) = running.remove(&ended.as_raw_pid()) {
            durations.push((status.exit_status() == Some(0)).then(|| start.elapsed()));
        }
    }
}

/// Runs a task and returns its stdout.
pub(crate) fn read_stdout(task: &Task) -> Result<String, BenchError> {
    let mut command = task.build_command(&[]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = task.spawn(command)?.wait_with_output()?;
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)?)
    } else {
        let text = String::from_utf8_lossy(&output.stderr);
        Err(task.failure(&format!("{}: {text}", output.status)))
    }
}

/// Runs a task and returns its first line of stderr.
pub(crate) fn first_stderr_line(task: &Task) -> Result<Option<String>, BenchError> {
    let mut command = task.build_command(&[]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let output = task.spawn(command)?.wait_with_output()?;
    Ok(String::from_utf8_lossy(&output.stderr).lines().next().map(str::to_owned))
}

/// Runs a task through another command, with the output of this program.
pub(crate) fn run_through(task: &Task, words: Vec<String>) -> Result<ExitStatus, BenchError> {
    let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    Ok(task.spawn(task.build_command(&words))?.wait()?)
}

/// Runs a task through a small child of this program and returns its peak memory in bytes. The
/// kernel counts the parent's memory as the child's until `exec`, so a large parent would be
/// measured instead.
pub(crate) fn peak_memory(task: &Task) -> Result<u64, BenchError> {
    let this = std::env::current_exe()?;
    let mut command = task.build_command(&[this.into(), "peak".into()]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let output = task.spawn(command)?.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| task.failure(&format!("its memory was not told: {text:?}")))
}

/// The other side of [`peak`]: runs a command and prints its peak memory.
pub(crate) fn print_child_peak(words: Vec<String>) -> Result<ExitCode, BenchError> {
    let mut words = words.into_iter();
    let mut command = Command::new(words.next().ok_or("peak needs a command")?);
    let child = command.args(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let used = child.wait4()?;
    writeln!(std::io::stdout(), "{}", used.rusage.maxrss)?;
    Ok(ExitCode::SUCCESS)
}

/// Returns whether instructions can be counted here.
pub(crate) fn can_count() -> bool {
    let version = Command::new("valgrind").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// Runs a task under valgrind; returns the instructions it executed outside the kernel.
pub(crate) fn count_instructions(task: &Task) -> Result<u64, BenchError> {
    let through = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let mut command = task.build_command(&through.map(OsString::from));
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let output = task.spawn(command)?.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let counted = text.lines().find_map(|line| line.split_once("Collected :"));
    counted
        .and_then(|(_, count)| count.trim().parse().ok())
        .ok_or_else(|| task.failure(&format!("valgrind counted nothing:\n{text}")))
}
