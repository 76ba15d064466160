//! A push whose database is on a server at a distance, beside the same push with an embedded one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use support::network::faulty_proxy::{Fault, FaultyProxy};
use support::postgres::SecureServer;
use tempfile::TempDir;

use super::DATABASE;
use crate::binaries::{Binaries, command_output};
use crate::measure::{self, Task};
use crate::{BenchError, print_progress};

/// How late the answers of the server come, in milliseconds.
const DELAYS_MS: [u64; 3] = [0, 100, 2_000];

/// Rounds, and those before that count for nothing.
const ROUNDS: usize = 40;
const QUICK_ROUNDS: usize = 10;
const WARM_UP: usize = 2;

/// How long a round lets the pull of the push before it work alone.
const PAUSE: Duration = Duration::from_millis(200);

/// What a push costs.
#[derive(Debug)]
pub(crate) struct PushCost {
    pub(crate) name: String,
    pub(crate) median_ms: f64,
    /// Outside the kernel; `None` where they cannot be counted.
    pub(crate) instructions: Option<u64>,
}

/// A session, alone with its home and its project.
struct Place {
    folder: TempDir,
    project: PathBuf,
    session: String,
    /// `None` for an embedded database.
    url: Option<String>,
}

/// Measures the push with an embedded database, first in the list, and over each distance.
pub(crate) fn measure_pushes(
    binaries: &Binaries,
    server: &SecureServer,
    is_quick: bool,
) -> Result<Vec<PushCost>, BenchError> {
    print_progress("pushes over PostgreSQL");
    let mut places =
        vec![("embedded".to_owned(), Place::start_session(binaries, "push-embedded", None)?)];
    for delay in DELAYS_MS {
        let fault =
            if delay == 0 { Fault::None } else { Fault::Delay(Duration::from_millis(delay)) };
        let proxy = FaultyProxy::start(server.port(), fault);
        let url = server.url("client", DATABASE);
        let url = url.replace(&format!(":{}", server.port()), &format!(":{}", proxy.port));
        let place = Place::start_session(binaries, &format!("push-{delay}"), Some(url))?;
        places.push((format!("a server {delay} ms away"), place));
    }
    let mut times = vec![Vec::new(); places.len()];
    let rounds = if is_quick { QUICK_ROUNDS } else { ROUNDS };
    for round in 0..rounds + WARM_UP {
        for ((_, place), times) in places.iter().zip(&mut times) {
            let time = measure::wall_time(&place.push_task(binaries, round))?;
            if round >= WARM_UP {
                times.push(time);
            }
            place.await_pull();
        }
    }
    places
        .iter()
        .zip(times)
        .map(|((name, place), times)| place.measure_cost(binaries, name, times))
        .collect()
}

impl Place {
    /// Starts a session in a project of its own.
    fn start_session(
        binaries: &Binaries,
        session: &str,
        url: Option<String>,
    ) -> Result<Self, BenchError> {
        let folder = tempfile::Builder::new().prefix("trueup-bench-").tempdir()?;
        let project = folder.path().canonicalize()?.join("project");
        fs::create_dir(&project)?;
        let mut git = Command::new("git");
        command_output(
            git.args(["-c", "init.defaultBranch=main", "init", "-q"]).current_dir(&project),
        )?;
        let place = Self { folder, project, session: session.to_owned(), url };
        let start = place.hook_task(
            binaries,
            "session-start-sync",
            &json!({"hook_event_name": "SessionStart", "source": "startup"}),
        );
        if let Some(line) = measure::first_stderr_line(&start)? {
            return Err(format!("{session} did not start: {line}").into());
        }
        Ok(place)
    }

    fn trueup_home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn hook_task(&self, binaries: &Binaries, program: &str, event: &serde_json::Value) -> Task {
        let mut payload = json!({"session_id": self.session, "cwd": self.project});
        if let (Some(payload), Some(event)) = (payload.as_object_mut(), event.as_object()) {
            payload.extend(event.clone());
        }
        let input = payload.to_string().into_bytes();
        let mut task = Task::new(binaries.path(program), self.project.clone(), input);
        task.set("TRUEUP_HOME", self.trueup_home());
        task.set("HOME", self.folder.path());
        task.set("CLAUDE_PROJECT_DIR", &self.project);
        task.set("CLAUDE_PID", std::process::id().to_string());
        // On a slow machine the deadline must not cut the work short.
        task.set("TRUEUP_DEADLINE_MS", "60000");
        if let Some(url) = &self.url {
            task.set("TRUEUP_DATABASE_URL", url);
        }
        task
    }

    /// A push that changes the task.
    fn push_task(&self, binaries: &Binaries, round: usize) -> Task {
        let todos = json!([{"content": format!("step {round}"), "status": "in_progress"}]);
        let event = json!({
            "hook_event_name": "PostToolUse", "tool_name": "TodoWrite",
            "tool_input": {"todos": todos}, "tool_response": {},
        });
        self.hook_task(binaries, "checkpoint-push", &event)
    }

    /// Lets the pull work that a push started: it is no part of the push.
    fn await_pull(&self) {
        let waiting: &Path = &self.trueup_home().join("outbox.jsonl");
        let begun = Instant::now();
        while waiting.exists() && begun.elapsed() < PAUSE {
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn measure_cost(
        &self,
        binaries: &Binaries,
        name: &str,
        mut times: Vec<Duration>,
    ) -> Result<PushCost, BenchError> {
        times.sort_unstable();
        let median = times.get(times.len() / 2);
        let push = self.push_task(binaries, usize::MAX);
        let instructions =
            if measure::can_count() { Some(measure::count_instructions(&push)?) } else { None };
        Ok(PushCost {
            name: name.to_owned(),
            median_ms: median.map_or(f64::NAN, |it| it.as_secs_f64() * 1000.0),
            instructions,
        })
    }
}
