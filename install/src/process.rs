//! Runs other programs for a bounded time.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How a program ended.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    /// Its exit status.
    pub(crate) status: ExitStatus,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it printed to stderr.
    pub(crate) stderr: String,
}

impl CommandOutput {
    /// Returns the first line of stderr, else of stdout, else the exit status.
    pub(crate) fn first_error_line(&self) -> String {
        [&self.stderr, &self.stdout]
            .into_iter()
            .flat_map(|text| text.lines())
            .map(str::trim)
            .find(|line| !line.is_empty())
            .map_or_else(|| self.status.to_string(), str::to_owned)
    }
}

/// Runs a program with the given input, and kills it after the limit.
///
/// Output goes to unnamed files, since a background child that inherits a pipe would keep it open.
pub(crate) fn run_bounded(
    command: &mut Command,
    input: &[u8],
    limit: Duration,
) -> io::Result<CommandOutput> {
    let mut input_file = tempfile::tempfile()?;
    input_file.write_all(input)?;
    input_file.rewind()?;
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let mut child = command
        .stdin(Stdio::from(input_file))
        .stdout(Stdio::from(stdout.try_clone()?))
        .stderr(Stdio::from(stderr.try_clone()?))
        .spawn()?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no answer in {} s", limit.as_secs()),
            ));
        }
        thread::sleep(Duration::from_millis(5));
    };
    Ok(CommandOutput {
        status,
        stdout: read_from_start(&mut stdout)?,
        stderr: read_from_start(&mut stderr)?,
    })
}

/// Reads a file from its beginning.
fn read_from_start(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
