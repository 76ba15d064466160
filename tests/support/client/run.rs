//! Starts the client with its options, its environment and its model.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{ChildStderr, ChildStdout, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};

use serde_json::Value;

use super::{FinishedRun, HarnessResult, LiveClient, Scratch, ScriptedModel, Turn};

/// Options for an event stream that contains every event and every hook.
const OUTPUT_OPTIONS: [&str; 5] =
    ["-p", "--output-format", "stream-json", "--verbose", "--include-hook-events"];

/// A run to be started.
#[derive(Debug)]
pub struct ClientRun<'a> {
    scratch: &'a Scratch,
    turns: Vec<Turn>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl<'a> ClientRun<'a> {
    pub(super) fn new(scratch: &'a Scratch, turns: Vec<Turn>) -> Self {
        let arguments = vec!["--allowedTools".to_owned(), "Bash,TaskCreate,TaskUpdate".to_owned()];
        Self { scratch, turns, arguments, environment: Vec::new() }
    }

    /// Resumes an earlier session.
    #[must_use]
    pub fn resume(self, session: &str) -> Self {
        self.option("--resume", session)
    }

    /// Adds an option of the client.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.arguments.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// Sets an environment variable of the client.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs one prompt to its end.
    pub fn run_prompt(self, prompt: &str) -> HarnessResult<FinishedRun> {
        self.begin_prompt(prompt)?.finish()
    }

    /// Starts one prompt and returns while it runs.
    pub fn begin_prompt(self, prompt: &str) -> HarnessResult<LiveClient> {
        self.spawn_client(&["--", prompt])
    }

    /// Starts a client that takes prompts one by one, with `LiveClient`.
    pub fn open_session(self) -> HarnessResult<LiveClient> {
        self.spawn_client(&["--input-format", "stream-json"])
    }

    fn spawn_client(self, last: &[&str]) -> HarnessResult<LiveClient> {
        let model = ScriptedModel::start(self.turns)?;
        let takes_prompts = last.first() != Some(&"--");
        let mut child = self
            .scratch
            .client_command()
            .arg("--plugin-dir")
            .arg(self.scratch.plugin())
            .args(self.arguments)
            .args(OUTPUT_OPTIONS)
            .args(last)
            .envs(self.environment)
            .env("ANTHROPIC_BASE_URL", model.url())
            .stdin(if takes_prompts { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or("the client has no standard output")?;
        let stderr = child.stderr.take().ok_or("the client has no standard error")?;
        Ok(LiveClient::new(child, stdin, read_events(stdout), read_stderr(stderr), model))
    }
}

/// Reads the event stream in the background; the channel ends with the stream.
fn read_events(stdout: ChildStdout) -> Receiver<Value> {
    let (sender, incoming) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        for event in lines.filter_map(|line| serde_json::from_str(&line).ok()) {
            if sender.send(event).is_err() {
                break;
            }
        }
    });
    incoming
}

fn read_stderr(mut stderr: ChildStderr) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut said = Vec::new();
        drop(stderr.read_to_end(&mut said));
        String::from_utf8_lossy(&said).into_owned()
    })
}
