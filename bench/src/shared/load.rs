//! A thousand simulated sessions in eight processes on one server, with few and with many rows of
//! others beside them.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;
use support::postgres::{SecureServer, run_psql};

use super::DATABASE;
use crate::binaries::{Binaries, LOAD_BINARY};
use crate::{BenchError, print_progress};

const PROCESSES: usize = 8;
const SESSIONS: usize = 1_000;

/// How long each load lasts.
const DURATION: Duration = Duration::from_mins(1);
const QUICK_DURATION: Duration = Duration::from_secs(5);

/// How long a command waits for the database.
const DEADLINE_MS: &str = "10000";

/// The sessions and items of others that are added before the second load.
const OTHERS: usize = 9_000;

/// What a load came to.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) name: String,
    /// The figures of `trueup-load verify`.
    pub(crate) summary: Json,
}

/// Runs the loads one after the other. In the first two, two processes share a queue; in the last,
/// all of them do.
pub(crate) fn measure_loads(
    binaries: &Binaries,
    server: &SecureServer,
    is_quick: bool,
) -> Result<Vec<Load>, BenchError> {
    let few = run_load(binaries, server, "a", "1,000 sessions", PROCESSES / 2, is_quick)?;
    run_sql(
        server,
        &format!(
            "INSERT INTO trueup.claude_sessions (session_id, worktree)
                 SELECT 'other-' || n, '/other/' || n FROM generate_series(1, {OTHERS}) AS n;
             INSERT INTO trueup.work_items (key, status)
                 SELECT 'OTHER-' || n, 'queued' FROM generate_series(1, {OTHERS}) AS n;
             ANALYZE"
        ),
    )?;
    let many = run_load(binaries, server, "b", "10,000 in the tables", PROCESSES / 2, is_quick)?;
    let one = run_load(binaries, server, "c", "the same, one queue for all", 1, is_quick)?;
    Ok(vec![few, many, one])
}

fn run_sql(server: &SecureServer, sql: &str) -> Result<String, BenchError> {
    run_psql(&server.admin_url(DATABASE), sql).map_err(|error| error.message.into())
}

fn run_load(
    binaries: &Binaries,
    server: &SecureServer,
    prefix: &str,
    name: &str,
    queues: usize,
    is_quick: bool,
) -> Result<Load, BenchError> {
    print_progress(&format!("load: {name}"));
    let logs = tempfile::Builder::new().prefix("trueup-load-").tempdir()?;
    let (end, end_following) = (logs.path().join("end"), logs.path().join("end-following"));
    let start = |arguments: &[&str]| -> Result<Child, BenchError> {
        let mut command = Command::new(binaries.path(LOAD_BINARY));
        Ok(command.args(arguments).stdin(Stdio::null()).spawn()?)
    };
    let text = |path: &std::path::Path| path.display().to_string();
    let url = server.url("client", DATABASE);
    for queue in 0..queues {
        let key = format!("QUEUE-{prefix}-{queue}").to_uppercase();
        run_sql(server, &format!("INSERT INTO trueup.work_items (key) VALUES ('{key}')"))?;
    }
    let log = text(&logs.path().join("follow-1.log"));
    let mut follower = start(&["follow", &url, "--until", &text(&end_following), "--log", &log])?;
    let mut workers = Vec::new();
    for number in 0..PROCESSES {
        let queue = format!("QUEUE-{prefix}-{}", number % queues).to_uppercase();
        let log = text(&logs.path().join(format!("work-{number}.log")));
        let sessions = (SESSIONS / PROCESSES).to_string();
        let worker = format!("{prefix}{number}");
        workers.push(start(&[
            "work",
            &url,
            "--name",
            &worker,
            "--queue",
            &queue,
            "--sessions",
            &sessions,
            "--until",
            &text(&end),
            "--deadline-ms",
            DEADLINE_MS,
            "--log",
            &log,
        ])?);
    }
    std::thread::sleep(if is_quick { QUICK_DURATION } else { DURATION });
    fs::write(&end, "")?;
    for worker in &mut workers {
        worker.wait()?;
    }
    fs::write(&end_following, "")?;
    follower.wait()?;
    let mut verify = Command::new(binaries.path(LOAD_BINARY));
    verify.args(["verify", &server.admin_url(DATABASE), &text(logs.path()), "--json"]);
    // A broken promise is a row of the table, not the end of the run.
    let output = verify.output()?;
    let summary = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(Load { name: name.to_owned(), summary })
}
