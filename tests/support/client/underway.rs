//! A client whose tool call is still running.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};

use super::{FinishedRun, HARNESS_TIMEOUT, HarnessResult, LiveClient, Scratch, Turn};

/// A client whose tool call runs until it is released.
#[derive(Debug)]
pub struct RunningToolCall {
    live: LiveClient,
    release: PathBuf,
}

impl RunningToolCall {
    /// Resumes a session and waits until its model's tool call runs.
    pub fn begin(scratch: &Scratch, session: &str) -> HarnessResult<Self> {
        Self::begin_with(scratch, session, Value::Null)
    }

    /// Does so with a tool call whose timeout is given, in milliseconds.
    pub fn begin_with(
        scratch: &Scratch,
        session: &str,
        timeout: impl Into<Value>,
    ) -> HarnessResult<Self> {
        let [started, release] = ["started", "release"].map(|name| scratch.repo().join(name));
        let status = Command::new("mkfifo").args([&started, &release]).status()?;
        if !status.success() {
            return Err(format!("mkfifo: {status}").into());
        }
        let told = await_first_byte(started);
        // The shell outlives its client, and ends at the limit if it is not released.
        let waiting = format!("echo > started; read -t {} _ <> release", HARNESS_TIMEOUT.as_secs());
        let mut input = json!({"command": waiting, "description": "scripted"});
        if let timeout @ Value::Number(_) = timeout.into() {
            input["timeout"] = timeout;
        }
        let live =
            scratch.plan_run([Turn::call("Bash", input)]).resume(session).begin_prompt("work")?;
        told.recv_timeout(HARNESS_TIMEOUT).map_err(|_| "the tool call never ran")??;
        Ok(Self { live, release })
    }

    /// Releases the tool call and waits for the client to end.
    pub fn finish(self) -> HarnessResult<FinishedRun> {
        release_pipe(self.release)?;
        self.live.finish()
    }

    /// Kills the client with a signal that it cannot catch, and releases the tool call.
    pub fn kill(self) -> HarnessResult<()> {
        self.live.kill()?;
        release_pipe(self.release)
    }
}

/// Releases the tool call.
fn release_pipe(pipe: PathBuf) -> HarnessResult<()> {
    // Opened for reading as well, so that this does not wait for a reader that is gone.
    let mut pipe = OpenOptions::new().read(true).write(true).open(pipe)?;
    writeln!(pipe)?;
    Ok(())
}

fn await_first_byte(pipe: PathBuf) -> Receiver<std::io::Result<()>> {
    let (tell, told) = channel();
    thread::spawn(move || {
        let read = File::open(pipe).and_then(|mut pipe| pipe.read_exact(&mut [0]));
        // The receiver may have given up.
        drop(tell.send(read));
    });
    told
}
