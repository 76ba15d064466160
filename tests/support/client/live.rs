//! A running client that takes prompts one after the other.

use std::io::Write as _;
use std::process::{Child, ChildStdin, Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use serde_json::{Value, json};

use super::{FinishedRun, HARNESS_TIMEOUT, HarnessResult, Request, ScriptedModel, finished};

/// A running client. Dropping it kills the process.
#[derive(Debug)]
pub struct LiveClient {
    child: Child,
    stdin: Option<ChildStdin>,
    incoming: Receiver<Value>,
    stderr_reader: Option<JoinHandle<String>>,
    events: Vec<Value>,
    model: ScriptedModel,
}

impl LiveClient {
    pub(super) fn new(
        child: Child,
        stdin: Option<ChildStdin>,
        incoming: Receiver<Value>,
        stderr_reader: JoinHandle<String>,
        model: ScriptedModel,
    ) -> Self {
        Self {
            child,
            stdin,
            incoming,
            stderr_reader: Some(stderr_reader),
            events: Vec::new(),
            model,
        }
    }

    /// Sends a prompt and waits for the turn's end.
    pub fn send(&mut self, prompt: &str) -> HarnessResult<()> {
        let message = json!({"role": "user", "content": prompt});
        let stdin = self.stdin.as_mut().ok_or("this client takes no further prompts")?;
        writeln!(stdin, "{}", json!({"type": "user", "message": message}))?;
        stdin.flush()?;
        let deadline = Instant::now() + HARNESS_TIMEOUT;
        while let Some(event) = self.next_event(deadline)? {
            if event["type"] == "result" {
                return Ok(());
            }
        }
        Err(format!("the client ended before it answered {prompt:?}").into())
    }

    /// Returns the conversation's requests so far.
    pub fn conversation(&self) -> Vec<Request> {
        finished::conversation_only(self.model.requests())
    }

    /// Waits for the client to end, which must be a success.
    pub fn finish(mut self) -> HarnessResult<FinishedRun> {
        drop(self.stdin.take());
        let deadline = Instant::now() + HARNESS_TIMEOUT;
        while self.next_event(deadline)?.is_some() {}
        let status = self.wait_for_exit()?;
        self.finish_run(status)
    }

    /// Waits for the process, and kills it at the limit.
    fn wait_for_exit(&mut self) -> HarnessResult<ExitStatus> {
        let (ended, waiting) = channel::<()>();
        let pid = self.child.id().to_string();
        let guard = thread::spawn(move || {
            if waiting.recv_timeout(HARNESS_TIMEOUT) == Err(RecvTimeoutError::Timeout) {
                drop(Command::new("kill").args(["-KILL", &pid]).status());
            }
        });
        let status = self.child.wait();
        drop(ended);
        drop(guard.join());
        Ok(status?)
    }

    /// Kills the client with a signal that it cannot catch.
    pub fn kill(mut self) -> HarnessResult<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Returns the next event of the stream, or nothing at its end.
    fn next_event(&mut self, deadline: Instant) -> HarnessResult<Option<&Value>> {
        let remaining = deadline.saturating_duration_since(Instant::now());
        match self.incoming.recv_timeout(remaining) {
            Ok(event) => {
                self.events.push(event);
                Ok(self.events.last())
            }
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                let last = self.events.last().map(Value::to_string).unwrap_or_default();
                Err(format!("the client hangs; its last event was {last}").into())
            }
        }
    }

    fn finish_run(&mut self, status: ExitStatus) -> HarnessResult<FinishedRun> {
        let stderr_reader = self.stderr_reader.take().and_then(|thread| thread.join().ok());
        if !status.success() {
            let stderr = stderr_reader.unwrap_or_default();
            let result = self.events.iter().rfind(|event| event["type"] == "result");
            let result = result.map(Value::to_string).unwrap_or_default();
            return Err(format!("the client failed ({status}): {stderr} {result}").into());
        }
        let events = std::mem::take(&mut self.events);
        Ok(FinishedRun::new(events, self.model.requests()))
    }
}

impl Drop for LiveClient {
    fn drop(&mut self) {
        // Both fail without harm when the client has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
